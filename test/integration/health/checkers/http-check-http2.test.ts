// The HTTP heartbeat over the protocol of its upstream, against node:http2. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createSecureServer, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { http } from '../../../../health/checkers/http-check.ts';
import { resultOf, targetAt } from '../../../support/heartbeat-target.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../../support/origin-certificate.ts';

interface Served {
  readonly port: number;
  /** `version authority path` of each request. */
  readonly requests: string[];
}

async function serve(t: TestContext, server: Http2Server): Promise<Served> {
  const requests: string[] = [];
  const seen: Served['requests'] = requests;
  server.on('request', (request, response) => {
    seen.push(`${request.httpVersion} ${request.authority} ${request.url}`);
    response.statusCode = request.url === '/up' ? 200 : 503;
    response.end('ready');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, requests };
}

for (const [protocol, scheme] of [
  ['http2', 'http'],
  ['http2', 'https'],
  ['auto', 'https'],
] as const) {
  test(`protocol ${protocol} and an ${scheme} URL: a heartbeat in HTTP/2`, async (t) => {
    const tls = { key: ORIGIN_KEY, cert: ORIGIN_CERTIFICATE };
    const { port, requests } = await serve(t, scheme === 'http' ? createServer() : createSecureServer(tls));
    const target = targetAt({ port, protocol: scheme }, { path: '/up', host: 'a.test' }, { verify: false });
    const checked = { ...target, upstream: { ...target.upstream, protocol } };
    assert.deepEqual(await resultOf(http, checked), { kind: 'ok', cause: 'got 200' });
    const bad = { ...checked, heartbeat: { ...checked.heartbeat, path: '/down' } };
    assert.deepEqual(await resultOf(http, bad), { kind: 'fail', cause: 'got 503' });
    assert.deepEqual(requests, [`2.0 a.test /up`, `2.0 a.test /down`]);
  });
}
