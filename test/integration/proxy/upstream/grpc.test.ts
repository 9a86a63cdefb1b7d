// gRPC through a complete Fairlead: @grpc/grpc-js on both ends, on both paths. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually, PATHS, type RunningFairlead, startFairlead } from '../../../support/fairlead.ts';
import { EchoClient, GrpcEcho, type Method } from '../../../support/grpc-echo.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../../support/origin-certificate.ts';

const OK = 0;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;

/** A TLS listener with these routes and upstreams, and a client of it. */
async function startWith(
  t: TestContext,
  isFast: boolean,
  yaml: string,
): Promise<{ client: EchoClient; fairlead: RunningFairlead }> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-grpc-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'cert.pem'), ORIGIN_CERTIFICATE);
  writeFileSync(join(folder, 'key.pem'), ORIGIN_KEY, { mode: 0o600 });
  const tls = `{ certificates: [{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }] }`;
  const listener = `listeners: [{ name: web, bind: 127.0.0.1:0, tls: ${tls} }]`;
  const admin = 'admin: { bind: 127.0.0.1:0 }';
  const fairlead = await startFairlead(t, `fastPath: ${isFast}\n${admin}\n${listener}\n${yaml}`);
  const client = new EchoClient(fairlead.port, ORIGIN_CERTIFICATE);
  t.after(() => client.close());
  return { client, fairlead };
}

/** Samples of the metrics of gRPC calls: `calls app test.Echo/Unary OK` and its count. */
async function countsOf({ adminUrl }: RunningFairlead): Promise<Record<string, number>> {
  const text = await (await fetch(`${adminUrl}/metrics?scope=upstream`)).text();
  const samples = text.matchAll(/^fairlead_grpc_(\w+)_total\{\w+="(\w+)",upstream="(\w+)",method="([^"]+)"\} (\d+)$/gm);
  return Object.fromEntries(
    [...samples].map(([, of, value, upstream, method, count]) => [
      `${of} ${upstream} ${method} ${value}`,
      Number(count),
    ]),
  );
}

/** Calls of all kinds, and failures of endpoints and of Fairlead, are counted by method where it is known. */
async function checkCounts(fairlead: RunningFairlead): Promise<void> {
  // The last call that failed: it is recorded once its response was flushed, which its client may see before.
  await eventually(async () => (await countsOf(fairlead))['calls app other UNAVAILABLE'] === 1, 'the metrics');
  const counts = await countsOf(fairlead);
  assert.deepEqual(counts, {
    'calls app test.Echo/Unary OK': 1,
    'calls app test.Echo/Client OK': 1,
    'calls app test.Echo/Server OK': 1,
    'calls app test.Echo/Bidi OK': 1,
    'calls app test.Echo/Fail UNAVAILABLE': 1,
    'calls app other UNAVAILABLE': 1,
    'calls none other UNAVAILABLE': 1,
    'messages app test.Echo/Unary request': 1,
    'messages app test.Echo/Unary response': 1,
    'messages app test.Echo/Client request': 3,
    'messages app test.Echo/Client response': 1,
    'messages app test.Echo/Server request': 1,
    'messages app test.Echo/Server response': 50,
    'messages app test.Echo/Bidi request': 3,
    'messages app test.Echo/Bidi response': 3,
    'messages app test.Echo/Fail request': 1,
    'messages app test.Echo/Fail response': 0,
    'messages app other request': 1,
    'messages app other response': 0,
    'messages none other request': counts['messages none other request'],
    'messages none other response': 0,
  });
}

const MESSAGE = Buffer.alloc(100_000, 'x');
/** Messages of a call of each kind, and the bytes of its response. */
const CALLS: readonly (readonly [method: Method, messages: readonly Buffer[], bytes: number])[] = [
  ['unary', [Buffer.from('hello')], 5],
  ['client', [MESSAGE, Buffer.from('a'), MESSAGE], 200_001],
  ['server', [Buffer.alloc(50, 'b')], 2500],
  ['bidi', [MESSAGE, Buffer.from('a'), MESSAGE], 200_001],
];

for (const isFast of PATHS) {
  test(`gRPC, fastPath: ${isFast}: every kind of call, and every failure has its status`, async (t) => {
    const echo = await GrpcEcho.listen();
    t.after(() => echo.close());
    const other = await GrpcEcho.listen();
    t.after(() => other.close());
    const upstream = `endpoints: [http://127.0.0.1:${echo.port}], protocol: http2`;
    const { client, fairlead } = await startWith(
      t,
      isFast,
      `routes:
  - { match: { path: /test.Echo/, header: { x-to: none } }, upstream: none }
  - { match: { path: /test.Echo/, header: { x-to: retried } }, upstream: retried }
  - { match: { path: /test.Echo/, header: { x-to: configured } }, respond: { status: 429 } }
  - { match: { path: /test.Echo/, header: { x-to: slow } }, upstream: slow }
  - { match: { path: /test.Echo/ }, upstream: app }
upstreams:
  app: { ${upstream}, grpcMetrics: true, health: { heartbeat: { type: grpc, interval: 1h, timeout: 30s } } }
  none: { grpcMetrics: true,  endpoints: [http://127.0.0.1:1], protocol: http2, whenAllDown: fail, retry: { attempts: 0 }, health: { heartbeat: false } }
  retried: { endpoints: [http://127.0.0.1:${echo.port}, http://127.0.0.1:${other.port}], protocol: http2, retry: { attempts: 2, on: [grpc-unavailable] }, health: { heartbeat: false } }
  slow: { ${upstream}, timeouts: { response: 100ms }, health: { heartbeat: false } }
`,
    );
    for (const [method, messages, bytes] of CALLS) {
      const outcome = await client.call(method, { messages });
      assert.equal(outcome.code, OK, `${method}: ${outcome.details}`);
      assert.equal(Buffer.concat(outcome.messages).length, bytes, method);
    }
    const codeAt = async (to: string, method: Method = 'unary', deadlineMs = 20_000): Promise<number> =>
      (await client.call(method, { metadata: { 'x-to': to }, deadlineMs })).code;
    assert.equal(await codeAt('none'), UNAVAILABLE);
    assert.equal(await codeAt('configured'), RESOURCE_EXHAUSTED);
    assert.equal(await codeAt('slow', 'slow'), DEADLINE_EXCEEDED);
    assert.equal((await client.call('fail')).code, UNAVAILABLE);
    assert.equal(echo.calls.fail, 1);
    assert.equal(await codeAt('retried', 'fail'), UNAVAILABLE);
    assert.deepEqual([echo.calls.fail, other.calls.fail], [2, 1]);
    const open = client.call('slow');
    await eventually(() => echo.calls.slow === 2, 'the call arrives');
    echo.close();
    assert.equal((await open).code, UNAVAILABLE);
    await checkCounts(fairlead);
  });
}

test('a call without a route is unimplemented, and deadlines end calls whose client does not', async (t) => {
  const echo = await GrpcEcho.listen();
  t.after(() => echo.close());
  const { client } = await startWith(
    t,
    true,
    `routes: [{ match: { path: /test.Echo/Slow }, upstream: app }]
upstreams: { app: { endpoints: [http://127.0.0.1:${echo.port}], protocol: http2, health: { heartbeat: false } } }
`,
  );
  assert.equal((await client.call('unary')).code, UNIMPLEMENTED);
  // A client with a deadline of its own resets the call; this one sends the field only.
  const outcome = await client.call('slow', { metadata: { 'grpc-timeout': '100m' }, deadlineMs: 0 });
  assert.equal(outcome.code, DEADLINE_EXCEEDED);
  assert.equal(outcome.details, 'The deadline of the call has passed.');
});
