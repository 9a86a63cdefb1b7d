// Names with addresses of both families (RFC 8305): a server that listens on one of them is reached by live traffic of
// HTTP and TCP endpoints, with and without TLS, and by heartbeats. Thread: main.

import assert from 'node:assert/strict';
import dns from 'node:dns';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { mock, test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { systemTimers } from '../../../core/timers.ts';
import { http } from '../../../health/checkers/http-check.ts';
import { tcp } from '../../../health/checkers/tcp-check.ts';
import { Dialler, endpointTarget } from '../../../net/dial.ts';
import type { EndpointError } from '../../../net/endpoint-error.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../support/origin-certificate.ts';
import { resultOf, targetAt } from '../../support/heartbeat-target.ts';
import { endpointSnapshot, upstreamSnapshot } from '../../support/snapshots.ts';

const HOST = 'dual.test';
const IPV4 = { address: '127.0.0.1', family: 4 };
const IPV6 = { address: '::1', family: 6 };

type Lookup = (host: string, options: object, done: (error: null, found: (typeof IPV4)[]) => void) => void;

/** Every name has these addresses, in this order. */
function resolveTo(t: TestContext, addresses: readonly (typeof IPV4)[]): void {
  const lookup: Lookup = (_host, _options, done) => setImmediate(() => done(null, [...addresses]));
  const mocked = mock.method(dns, 'lookup', lookup as unknown as typeof dns.lookup);
  t.after(() => mocked.mock.restore());
}

async function portOf(t: TestContext, server: Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function dial(port: number, protocol: 'http' | 'https' | 'tcp' | 'tls'): Promise<string> {
  const tls = { verify: false, ca: [], serverName: '' };
  const target = endpointTarget(endpointSnapshot(0, { host: HOST, port, protocol }), upstreamSnapshot({ tls }));
  return new Promise((resolve, reject) => {
    new Dialler(target, systemTimers).dial((error: EndpointError | null, socket) => {
      if (socket === null) return reject(error!);
      resolve(socket.remoteAddress!);
      socket.on('error', () => undefined).destroy();
    });
  });
}

for (const [order, addresses] of [
  ['IPv6 first', [IPV6, IPV4]],
  ['IPv4 first', [IPV4, IPV6]],
] as const) {
  for (const { address } of addresses) {
    test(`a server on ${address} alone is reached by its name, ${order}`, async (t) => {
      const plain = await portOf(
        t,
        createHttpServer((_request, response) => response.end('well')),
        address,
      );
      const secure = await portOf(t, createTlsServer({ cert: ORIGIN_CERTIFICATE, key: ORIGIN_KEY }), address);
      resolveTo(t, addresses);
      for (const protocol of ['http', 'tcp'] as const) assert.equal(await dial(plain, protocol), address);
      for (const protocol of ['https', 'tls'] as const) assert.equal(await dial(secure, protocol), address);
      const at = { host: HOST, port: plain };
      assert.deepEqual(await resultOf(http, targetAt(at, { path: '/' })), { kind: 'ok', cause: 'got 200' });
      assert.deepEqual(await resultOf(tcp, targetAt({ ...at, protocol: 'tcp' })), { kind: 'ok', cause: 'connected' });
    });
  }
}

test('where every address refuses, the connection is refused, and the cause says so', async (t) => {
  const server = createHttpServer();
  const port = await portOf(t, server, '127.0.0.1');
  server.close();
  await once(server, 'close');
  resolveTo(t, [IPV6, IPV4]);
  await assert.rejects(dial(port, 'tcp'), (error: EndpointError) => {
    assert.equal(error.kind, 'connect-refused');
    assert.match(error.message, /ECONNREFUSED ::1:\d+.*ECONNREFUSED 127\.0\.0\.1:\d+/);
    return true;
  });
  const found = await resultOf(tcp, targetAt({ host: HOST, port, protocol: 'tcp' }));
  assert.deepEqual(found, { kind: 'fail', cause: 'connection refused' });
});
