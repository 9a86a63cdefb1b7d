// The provider `docker` in a complete Fairlead against a played engine: labels are served, changed, refused alone, and kept
// while the engine is away. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { startApps } from '../../support/app-server.ts';
import { startDiscoveryServer } from '../../support/discovery-server.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';

type Labels = Readonly<Record<string, string>>;

/** An engine on a Unix socket, whose containers are in the host's network. */
async function startEngine(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-docker-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const where = path.join(folder, 'engine.sock');
  const containers = new Map<string, Labels>();
  const streams = new Set<ServerResponse>();
  const idOf = (name: string): string => Buffer.from(name.padEnd(8, '_')).toString('hex').slice(0, 16);
  const answer = (url: string, response: ServerResponse): void => {
    if (url.startsWith('/events')) {
      streams.add(response);
      response.writeHead(200).flushHeaders();
      return;
    }
    const list = [...containers].map(([name, labels], index) => {
      return { Id: idOf(name), Names: [`/${name}`], Created: index, State: 'running', Labels: labels };
    });
    if (url.startsWith('/containers/json')) {
      // As Podman, which doesn't have all states of Docker.
      response.statusCode = url.includes('restarting') ? 500 : 200;
      response.end(JSON.stringify(list));
      return;
    }
    const found = list.find(({ Id }) => url === `/containers/${Id}/json`);
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const { Id, Names, Labels } = found;
    const parts = { State: { Running: true }, HostConfig: { NetworkMode: 'host' }, Config: { Labels } };
    response.end(JSON.stringify({ Id, Name: Names[0], ...parts }));
  };
  const server = await startDiscoveryServer(t, ({ url = '' }, response) => answer(url, response), { where });
  const emit = (Action: string, name: string): void => {
    const line = JSON.stringify({ Type: 'container', Action, Actor: { ID: idOf(name) } });
    for (const stream of streams) stream.write(`${line}\n`);
  };
  return {
    where,
    server,
    run(name: string, labels: Labels): void {
      containers.set(name, Object.fromEntries(Object.entries(labels).map(([key, one]) => [`fairlead.${key}`, one])));
      emit('start', name);
    },
    remove(name: string): void {
      containers.delete(name);
      emit('die', name);
    },
  };
}

function get({ port }: RunningFairlead, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ port, headers: { host }, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(response.statusCode === 200 ? body : `${response.statusCode}`));
    });
    sent.on('error', reject);
    sent.end();
  });
}

test('a container that ends, or is refused, makes no revision while a replica defines the same route', async (t) => {
  const [app] = await startApps(t, 1);
  const engine = await startEngine(t);
  const labels = { host: 'web.test', upstream: 'web', port: String(app!.port) };
  engine.run('web1', labels);
  engine.run('web2', labels);
  const fairlead = await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
providers: { docker: { address: "unix:${engine.where}" } }
admin: { bind: "127.0.0.1:0" }
`,
  );
  const read = async <Reply>(what: string) => (await fetch(`${fairlead.adminUrl}/api/v1/${what}`)).json() as Reply;
  type Defined = { origins: { routes: Readonly<Record<string, string>> } };
  const isDefinedBy = (name: string): Promise<void> =>
    eventually(async () => {
      const { origins } = await read<Defined>('config');
      return Object.values(origins.routes).join() === `docker container ${name}`;
    }, `the route is that of ${name}`);
  await eventually(async () => (await get(fairlead, 'web.test')) === 'a', 'the route is served');
  const { revision } = fairlead.plane.snapshot;
  await isDefinedBy('web1');
  engine.remove('web1');
  await isDefinedBy('web2');
  engine.run('thief', { ...labels, upstream: 'thief' });
  type Shown = { providers: { refused: { object: string }[] }[] };
  await eventually(
    async () => (await read<Shown>('providers')).providers[0]!.refused[0]?.object === 'docker container thief',
    'the refusal is shown',
  );
  // A real change makes the next revision: nothing before it has.
  engine.run('other', { ...labels, host: 'other.test', upstream: 'web' });
  await eventually(async () => (await get(fairlead, 'other.test')) === 'a', 'the other route is served');
  assert.equal(fairlead.plane.snapshot.revision, revision + 1);
  assert.equal(await get(fairlead, 'web.test'), 'a');
});

test('labels of containers are served, changed, refused alone, and kept without the engine', async (t) => {
  const [a, b] = await startApps(t, 2);
  const engine = await startEngine(t);
  const [portOfA, portOfB] = [String(a!.port), String(b!.port)];
  engine.run('one', { host: 'one.test', upstream: 'one', port: portOfA });
  const fairlead = await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
providers: { docker: { address: "unix:${engine.where}" } }
admin: { bind: "127.0.0.1:0" }
`,
  );
  const answers = (host: string, answer: string): Promise<void> =>
    eventually(async () => (await get(fairlead, host)) === answer, `${host} answers ${answer}`);
  await answers('one.test', 'a');
  assert.equal(await get(fairlead, 'two.test'), '404');

  engine.run('bad', { host: 'bad.test', path: '/a*b', upstream: 'two', port: portOfB });
  engine.run('two', { host: 'two.test', upstream: 'two', port: portOfB });
  await answers('two.test', 'b');
  engine.run('thief', { host: 'one.test', upstream: 'thief', port: portOfB });
  engine.run('three', { host: 'three.test', upstream: 'two', port: portOfB });
  await answers('three.test', 'b');
  assert.deepEqual([await get(fairlead, 'one.test'), await get(fairlead, 'bad.test')], ['a', '404']);

  const read = async <Reply>(what: string) => (await fetch(`${fairlead.adminUrl}/api/v1/${what}`)).json() as Reply;
  type Shown = { providers: { state: string; subject: string; refused: { object: string; cause: string }[] }[] };
  const { providers } = await read<Shown>('providers');
  assert.equal(providers[0]!.subject, `unix:${engine.where}`);
  const refused = providers[0]!.refused.map(({ object, cause }) => `${object}: ${cause}`).toSorted();
  assert.match(refused[0]!, /^docker container bad: "\/a\*b" has a wildcard/);
  assert.match(
    refused[1]!,
    /^docker container thief: container one has a route for one\.test\/ already, to upstream one$/,
  );
  const { origin } = await read<{ origin: string }>('upstreams/two');
  assert.equal(origin, 'docker upstream two');

  engine.remove('two');
  await answers('two.test', '404');
  assert.equal(await get(fairlead, 'three.test'), 'b', 'the upstream stays with its other container');
  await engine.server.stop();
  await eventually(
    async () => (await read<Shown>('providers')).providers[0]!.state === 'stale',
    'the failure is shown',
  );
  assert.equal(await get(fairlead, 'one.test'), 'a');
});
