// Connections when a source changes endpoints: TCP sessions of removed ones end after the drain time, and added ones get the
// PROXY protocol header that their upstream sends. One Fairlead with real workers. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually, startFairlead } from '../../support/fairlead.ts';

/** A server that greets with its name, or answers HTTP, and records the first bytes of each connection. */
async function startServer(t: TestContext, name: string, isHttp: boolean) {
  const first: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    if (!isHttp) socket.write(name);
    socket.once('data', (chunk: Buffer) => {
      first.push(chunk.toString('latin1'));
      if (isHttp) socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\nConnection: close\r\n\r\n${name}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, first };
}

test('sessions drain, and added endpoints get the PROXY protocol header', async (t) => {
  const [old, next] = [await startServer(t, 'old', false), await startServer(t, 'next', false)];
  const [one, two] = [await startServer(t, 'one', true), await startServer(t, 'two', true)];
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-connections-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const list = (name: string, ...urls: readonly string[]): void => {
    writeFileSync(path.join(folder, `${name}.new`), JSON.stringify(urls));
    renameSync(path.join(folder, `${name}.new`), path.join(folder, `${name}.json`));
  };
  list('db', `tcp://${old.address}`);
  list('app', `http://${one.address}`);
  const health = 'health: { heartbeat: false }';
  const fairlead = await startFairlead(
    t,
    `
workers: 1
reload: { drain: 1s }
listeners:
  - { name: db, bind: "127.0.0.1:0", mode: tcp }
  - { name: web, bind: "127.0.0.1:0" }
routes:
  - { match: { listener: db }, upstream: db }
  - { match: { listener: web }, upstream: app }
upstreams:
  db: { discover: { file: { path: ${folder}/db.json } }, ${health} }
  app: { discover: { file: { path: ${folder}/app.json } }, proxyProtocol: v1, ${health} }
`,
  );
  const address = (name: string) => fairlead.plane.bound.find((one) => one.name === name)!.address;
  const port = Number(address('db').split(':').at(-1));
  const open = async (): Promise<{ text: string; socket: Socket }> => {
    const socket = connect(port, '127.0.0.1');
    // The end of a session that is cut is a reset.
    socket.on('error', () => undefined);
    const chunk = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    return { text: chunk.toString(), socket };
  };
  const session = await open();
  assert.equal(session.text, 'old');
  const ended = new Promise((resolve) => session.socket.once('close', resolve));
  list('db', `tcp://${next.address}`);
  list('app', `http://${two.address}`);
  await eventually(() => {
    const ids = fairlead.plane.snapshot.upstreams.flatMap(({ endpoints }) => endpoints.map(({ id }) => id));
    return ids.includes(next.address) && ids.includes(two.address);
  }, 'both changes are applied');
  const after = await open();
  assert.equal(after.text, 'next');
  await ended;
  assert.equal(after.socket.destroyed, false, 'the session of the new endpoint continues');
  after.socket.destroy();

  const body = await (await fetch(`http://${address('web')}`)).text();
  assert.equal(body, 'two');
  assert.match(two.first[0]!, /^PROXY TCP4 127\.0\.0\.1 /);
});
