// Traces by OTLP: a request through two Fairleads and two apps, on both paths and over HTTP/2; retries, refusals, tunnels,
// and the trace in the access log. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { type AppServer, startApps } from '../../support/app-server.ts';
import { eventually, PATHS, startFairlead } from '../../support/fairlead.ts';
import { endWithTest } from '../../support/http2-session.ts';
import { type OtlpReceiver, type ReceivedSpan, startReceiver } from '../../support/otlp-receiver.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = { internal: 1, server: 2, client: 3 };

function only(spans: readonly ReceivedSpan[], what: Partial<ReceivedSpan>): ReceivedSpan {
  const found = spans.filter((span) =>
    Object.entries(what).every(([key, value]) => span[key as keyof ReceivedSpan] === value),
  );
  assert.equal(
    found.length,
    1,
    `${found.length} spans like ${JSON.stringify(what)} of ${spans.map(({ name }) => name).join(', ')}`,
  );
  return found[0]!;
}

/** The span that a traceparent names. */
const parentIn = (traceparent: string | undefined): string => traceparent!.split('-')[2]!;

/** An edge before app `front`, which calls app `back` through an inner Fairlead. */
async function chain(t: TestContext, receiver: OtlpReceiver, fastPath: boolean) {
  const sent: Record<string, string> = {};
  const [front, back] = (await startApps(t, 2)) as [AppServer, AppServer];
  back.handler = (request, response) => {
    sent['back'] = request.headers['traceparent'] as string;
    response.end('from back');
  };
  const tracing = (service: string) => `tracing: { endpoint: "${receiver.url}", sampling: 100%, service: ${service} }`;
  const inner = await startFairlead(
    t,
    `
workers: 1
fastPath: ${fastPath}
${tracing('inner')}
listeners: [{ name: web, bind: "127.0.0.1:0", trustedProxies: [127.0.0.1] }]
routes: [{ name: site, upstream: app }]
upstreams: { app: { endpoints: ["http://${back.address}"], health: { heartbeat: false } } }
`,
  );
  front.handler = (request, response) => {
    sent['front'] = request.headers['traceparent'] as string;
    const traceparent = sent['front'].replace(/-[0-9a-f]{16}-/, '-00000000000000aa-');
    const headers = { traceparent, tracestate: request.headers['tracestate'] as string };
    void fetch(`${inner.url}/inner?token=x`, { headers }).then(async (answer) => response.end(await answer.text()));
  };
  const edge = await startFairlead(
    t,
    `
workers: 1
fastPath: ${fastPath}
${tracing('edge')}
listeners: [{ name: web, bind: "127.0.0.1:0", http2: true, trustedProxies: [127.0.0.1] }]
routes: [{ name: site, upstream: app }]
upstreams: { app: { endpoints: ["http://${front.address}"], health: { heartbeat: false } } }
accessLog: { output: access.log, format: { name: json, fields: [traceId, spanId, traceparent] } }
`,
  );
  return { edge, inner, front, back, sent };
}

/** Each span names the one before it, down to the last app. Returns the first. */
function checkChain(spans: readonly ReceivedSpan[], sent: Readonly<Record<string, string>>): ReceivedSpan {
  assert.deepEqual([...new Set(spans.map(({ traceId }) => traceId))], [TRACE]);
  const outer = only(spans, { service: 'edge', kind: SPAN.server });
  const outerAttempt = only(spans, { service: 'edge', kind: SPAN.client });
  const inner = only(spans, { service: 'inner', kind: SPAN.server });
  const innerAttempt = only(spans, { service: 'inner', kind: SPAN.client });
  const parents = [outer, outerAttempt, inner, innerAttempt].map(({ parentId }) => parentId);
  assert.deepEqual(parents, ['00000000000000cc', outer.spanId, '00000000000000aa', inner.spanId]);
  assert.deepEqual([parentIn(sent['front']), parentIn(sent['back'])], [outerAttempt.spanId, innerAttempt.spanId]);
  assert.deepEqual([outer.state, inner.state], ['vendor=1', 'vendor=1']);
  const steps = spans.filter(({ kind, service }) => kind === SPAN.internal && service === 'edge');
  assert.deepEqual(
    steps.map(({ name }) => name).filter((name) => name !== 'response body'),
    ['connect', 'response head'],
  );
  for (const step of steps) {
    assert.equal(step.parentId, outerAttempt.spanId);
    assert.ok(step.startNs >= outerAttempt.startNs - 1000n && step.endNs <= outerAttempt.endNs + 1000n, step.name);
  }
  return outer;
}

function checkAttributes(spans: readonly ReceivedSpan[], { port, front }: { port: number; front: AppServer }): void {
  const outer = only(spans, { service: 'edge', kind: SPAN.server });
  const outerAttempt = only(spans, { service: 'edge', kind: SPAN.client });
  assert.equal(outer.name, 'GET site');
  assert.partialDeepStrictEqual(outer.attributes, {
    'http.request.method': 'GET',
    'url.path': '/outer',
    'url.scheme': 'http',
    'server.address': '127.0.0.1',
    'server.port': port,
    'client.address': '127.0.0.1',
    'network.peer.address': '127.0.0.1',
    'network.protocol.version': '1.1',
    'user_agent.original': 'test/1',
    'http.response.status_code': 200,
    'http.response.body.size': 9,
    'fairlead.route': 'site',
    'fairlead.termination': 'ok',
  });
  assert.partialDeepStrictEqual(outerAttempt.attributes, {
    'http.request.method': 'GET',
    'url.full': `http://${front.address}/outer`,
    'server.address': '127.0.0.1',
    'server.port': front.port,
    'network.peer.address': '127.0.0.1',
    'http.response.status_code': 200,
    'fairlead.upstream': 'app',
    'fairlead.connection.reused': false,
  });
  for (const { attributes } of spans) assert.equal(JSON.stringify(attributes).includes('secret'), false);
}

for (const fastPath of PATHS) {
  describe(`traces, fastPath: ${fastPath}`, () => {
    test('a request through two Fairleads and two apps arrives complete', async (t) => {
      const receiver = await startReceiver(t);
      const { edge, front, back, sent } = await chain(t, receiver, fastPath);
      const headers = {
        traceparent: `00-${TRACE}-00000000000000cc-01`,
        tracestate: 'vendor=1',
        'User-Agent': 'test/1',
      };
      const answer = await fetch(`${edge.url}/outer?secret=y`, { headers });
      assert.equal(await answer.text(), 'from back');
      await eventually(
        () => receiver.spans.filter(({ kind }) => kind === SPAN.server).length === 2,
        'both server spans',
      );
      const outer = checkChain(receiver.spans, sent);
      checkAttributes(receiver.spans, { port: Number(new URL(edge.url).port), front });
      assert.equal(back.served, 1);
      const line = JSON.parse(readFileSync(path.join(edge.folder, 'access.log'), 'utf8')) as Record<string, string>;
      assert.deepEqual(line, { traceId: TRACE, spanId: outer.spanId, traceparent: `00-${TRACE}-${outer.spanId}-01` });

      const { spans } = receiver;
      spans.length = 0;
      await requestOverHttp2(t, edge.url, { traceparent: 'hostile', tracestate: 'x=1' });
      await eventually(() => spans.filter(({ kind }) => kind === SPAN.server).length === 2, 'both server spans');
      const begun = only(spans, { service: 'edge', kind: SPAN.server });
      assert.deepEqual([begun.parentId, begun.state, begun.attributes['network.protocol.version']], ['', '', '2']);
      assert.equal(sent['front']!.split('-')[1], begun.traceId);
      assert.notEqual(begun.traceId, TRACE);
      assert.deepEqual(receiver.faults, []);
    });
  });
}

async function requestOverHttp2(t: TestContext, url: string, headers: Record<string, string>): Promise<void> {
  const session = http2.connect(url);
  endWithTest(t, session);
  const stream = session.request({ ':path': '/h2', ...headers });
  stream.resume();
  await once(stream, 'close');
}
