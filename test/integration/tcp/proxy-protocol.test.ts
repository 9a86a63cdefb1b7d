// TCP sessions with the PROXY protocol: the client that a balancer names reaches the endpoint in a header. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { decodeProxyHeader } from '../../../net/proxy-protocol/decode.ts';
import { startFairlead } from '../../support/fairlead.ts';
import { RawClient } from '../../support/raw-client.ts';

test('the client of a header reaches the endpoint of a session, and its bytes follow', async (t) => {
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
  const fairlead = await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: db, mode: tcp, bind: "127.0.0.1:0", proxyProtocol: { trusted: [127.0.0.1] } }]
routes: [{ match: { listener: db }, upstream: db }]
upstreams:
  db:
    endpoints: ["tcp://127.0.0.1:${(server.address() as AddressInfo).port}"]
    proxyProtocol: v2
    health: { heartbeat: false }
`,
  );
  const client = await RawClient.connect({ port: fairlead.port });
  client.send('PROXY TCP4 203.0.113.7 198.51.100.1 4242 5432\r\nhello');
  client.send('.');
  const { header, rest } = JSON.parse(await client.readToEnd());
  assert.equal(rest, 'hello.');
  assert.deepEqual(header.addresses, {
    kind: 'ip',
    source: '203.0.113.7',
    sourcePort: 4242,
    destination: '198.51.100.1',
    destinationPort: 5432,
  });
  assert.deepEqual([header.alpn, header.uniqueId === ''], ['', false]);
});
