// TCP sessions with the PROXY protocol: the client that a balancer names reaches the endpoint in a header. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { decodeProxyHeader } from '../../../net/proxy-protocol/decode.ts';
import { encodeProxyV2 } from '../../../net/proxy-protocol/encode.ts';
import { eventually, startFairlead } from '../../support/fairlead.ts';
import { RawClient } from '../../support/raw-client.ts';

/** Answers with the header and the bytes behind it, after a full stop. @returns its port */
async function startEndpoint(t: TestContext): Promise<number> {
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        received = Buffer.concat([received, bytes]);
        const decoded = decodeProxyHeader(received);
        if (decoded.kind !== 'complete' || !received.toString().endsWith('.')) return;
        const rest = received.subarray(decoded.sizeBytes).toString();
        socket.end(JSON.stringify({ header: decoded.header, rest }));
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('the client of a header reaches the endpoint of a session, and its bytes follow', async (t) => {
  const port = await startEndpoint(t);
  const log = join(tmpdir(), `fairlead-proxied-${process.pid}.log`);
  t.after(() => rmSync(log, { force: true }));
  const fairlead = await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: db, mode: tcp, bind: "127.0.0.1:0", proxyProtocol: { trusted: [127.0.0.1] } }]
routes: [{ match: { listener: db }, upstream: db }]
upstreams:
  db:
    endpoints: ["tcp://127.0.0.1:${port}"]
    proxyProtocol: v2
    health: { heartbeat: false }
accessLog:
  output: ${log}
  format: { name: json, fields: { client: client, serverName: serverName, alpn: alpn, id: proxyProtocol.uniqueId } }
`,
  );
  const addresses = {
    kind: 'ip' as const,
    source: '203.0.113.7',
    sourcePort: 4242,
    destination: '198.51.100.1',
    destinationPort: 5432,
  };
  const answerTo = async (start: string) => {
    const client = await RawClient.connect({ port: fairlead.port });
    client.send(`${start}hello`);
    client.send('.');
    const { header, rest } = JSON.parse(await client.readToEnd());
    client.socket.end();
    assert.equal(rest, 'hello.');
    assert.deepEqual(header.addresses, addresses);
    return header;
  };
  const first = await answerTo('PROXY TCP4 203.0.113.7 198.51.100.1 4242 5432\r\n');
  assert.deepEqual([first.alpn, first.uniqueId === ''], ['', false]);

  const values = { alpn: 'postgresql', authority: 'db.example.com', uniqueId: 'a\x00\xff' };
  const header = { isLocal: false, addresses, ...values, tls: null, hasChecksum: true };
  const second = await answerTo(encodeProxyV2(header).toString('latin1'));
  assert.deepEqual([second.alpn, second.authority], ['postgresql', 'db.example.com']);
  assert.notEqual(second.uniqueId, values.uniqueId);
  const logged = (): unknown[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  await eventually(() => logged().length === 2, 'both sessions are logged');
  assert.deepEqual(logged(), [
    { client: '203.0.113.7', serverName: null, alpn: null, id: null },
    { client: '203.0.113.7', serverName: 'db.example.com', alpn: 'postgresql', id: '6100ff' },
  ]);
});
