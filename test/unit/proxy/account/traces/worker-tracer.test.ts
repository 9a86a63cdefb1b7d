// Spans of a request: attempts, steps, failures, cancelled attempts, and hostile texts. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../../../../core/exchange-contract.ts';
import type { ExchangeRecord } from '../../../../../core/exchange-record.ts';
import { failureOf } from '../../../../../core/failure.ts';
import type { SpanBatch } from '../../../../../core/request-tracer.ts';
import { WorkerTracer } from '../../../../../proxy/account/traces/worker-tracer.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { responseHead } from '../../../../support/forwarding.ts';
import { requestHead } from '../../../../support/request-head.ts';
import { endpointSnapshot, upstreamSnapshot } from '../../../../support/snapshots.ts';
import { phasesOf, recordOf } from '../../../logging/access/sample-record.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const NOTHING = (): undefined => undefined;

interface SpanText {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly status?: { readonly code: number; readonly message: string };
}

class Bench {
  readonly clock = new FakeClock(1000);
  readonly batches: SpanBatch[] = [];
  readonly tracer = new WorkerTracer(this.clock, (batch) => void this.batches.push(batch));
  readonly exchange = { connection: recordOf().connection, clientAddress: '10.0.1.2', requestId: 'r' };
  /** Requests as the transport got them. */
  readonly sent: AttemptRequest[] = [];
  #events!: AttemptEvents;
  #beganWallMs = 0;
  readonly #transport = this.#watched({
    send: (request, events) => {
      this.sent.push(request);
      this.#events = events;
      return { protocol: 'http1', abort: NOTHING, resume: NOTHING, endBody: NOTHING, sendBody: () => true };
    },
  });

  #watched(transport: Partial<Transport>): Transport {
    const tunnels = { open: () => assert.fail('no tunnel is expected'), closeAll: NOTHING };
    return this.tracer.watch({ transport: transport as Transport, tunnels }).transport;
  }

  begin(state = ''): string {
    this.#beganWallMs = this.clock.wallMs();
    return this.tracer.begin(this.exchange, TRACE, 'f'.repeat(16), state);
  }

  /** Sends an attempt. Returns the events as the transport sees them, and the handle as the exchange does. */
  send(parts: Partial<AttemptRequest> = {}): { events: AttemptEvents; handle: AttemptHandle } {
    const request: AttemptRequest = {
      head: requestHead({ target: '/a?b=c' }),
      endpoint: endpointSnapshot(0),
      upstream: upstreamSnapshot(),
      hostField: 'a.test',
      insertedFields: ['x-a', 'b', 'traceparent', 'of the request'],
      removedFields: new Set(),
      mustUseFresh: false,
      origin: this.exchange,
      ...parts,
    };
    const events = { onLease: NOTHING, onHead: NOTHING, onEnd: NOTHING, onFailure: NOTHING };
    const handle = this.#transport.send(request, events as Partial<AttemptEvents> as AttemptEvents);
    return { events: this.#events, handle };
  }

  spans(parts: Partial<ExchangeRecord> = {}): SpanText[] {
    this.tracer.ended(this.exchange, recordOf({ beganWallMs: this.#beganWallMs, ...parts }));
    this.tracer.report();
    const text = this.batches.map(({ bytes }) => Buffer.from(bytes).toString()).join(',');
    return JSON.parse(`[${text}]`) as SpanText[];
  }
}

const valueOf = ({ attributes }: SpanText, name: string): unknown =>
  Object.values(attributes.find(({ key }) => key === name)?.value ?? {})[0];

test('each attempt has a span, which its endpoint gets as the parent, and steps that took time', () => {
  const bench = new Bench();
  const traceparent = bench.begin('vendor=1');
  const first = bench.send();
  bench.clock.advance(5);
  first.events.onDialled!({ connectMs: 2, tlsMs: 3 });
  first.events.onFailure(failureOf('tls-failed', false, new Error('x')));
  bench.clock.advance(10);
  const second = bench.send();
  second.events.onLease(true);
  bench.clock.advance(20);
  second.events.onHead(responseHead(200));
  bench.clock.advance(30);
  second.events.onEnd(null);
  const phases = phasesOf({ queueMs: 4, totalMs: 69 });
  bench.clock.advance(1000);
  const spans = bench.spans({ phases, attempts: 2, retryVerdict: 'never-sent' });
  assert.deepEqual(
    spans.map(({ name, kind }) => `${name} ${kind}`),
    ['GET all 2', 'queue 1', 'GET 3', 'connect 1', 'tls handshake 1', 'GET 3', 'response head 1', 'response body 1'],
  );
  const [server, queue, failed, connect, handshake, answered, head, body] = spans as [SpanText, ...SpanText[]];
  assert.equal(traceparent, `00-${TRACE}-${server.spanId}-01`);
  assert.deepEqual([server.parentSpanId, server.traceState], ['f'.repeat(16), 'vendor=1']);
  for (const span of [queue, failed, answered]) assert.equal(span!.parentSpanId, server.spanId);
  for (const span of [connect, handshake]) assert.equal(span!.parentSpanId, failed!.spanId);
  for (const span of [head, body]) assert.equal(span!.parentSpanId, answered!.spanId);
  const sent = bench.sent.map(({ insertedFields }) => insertedFields.at(-1));
  assert.deepEqual(sent, [`00-${TRACE}-${failed!.spanId}-01`, `00-${TRACE}-${answered!.spanId}-01`]);
  const lengths = spans.map((span) => Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6);
  assert.deepEqual(lengths, [69, 4, 5, 2, 3, 50, 20, 30]);
  const gap = BigInt(failed!.startTimeUnixNano) - BigInt(server.startTimeUnixNano);
  assert.equal(gap, 0n, 'the first attempt began with the request, however late its record is');
  assert.deepEqual(
    [failed!.status, valueOf(failed!, 'error.type')],
    [{ code: 2, message: 'tls-failed' }, 'tls-failed'],
  );
  assert.deepEqual([valueOf(answered!, 'http.request.resend_count'), answered!.status], ['1', undefined]);
  assert.equal(valueOf(server, 'fairlead.retry'), 'never-sent');
});

test('a cancelled attempt ends when it is cancelled', () => {
  const bench = new Bench();
  bench.begin();
  const { handle } = bench.send();
  bench.clock.advance(7);
  handle.abort();
  bench.clock.advance(7);
  const [, attempt] = bench.spans({ status: 0, termination: 'clientGoneConnect' });
  assert.equal(valueOf(attempt!, 'fairlead.attempt.cancelled'), true);
  assert.equal(BigInt(attempt!.endTimeUnixNano) - BigInt(attempt!.startTimeUnixNano), 7_000_000n);
});

test('attempts of other requests pass by without a span', () => {
  const bench = new Bench();
  const { handle, events } = bench.send();
  assert.equal(handle.constructor, Object);
  assert.equal('onDialled' in events, false);
  assert.deepEqual(bench.sent[0]!.insertedFields, ['x-a', 'b', 'traceparent', 'of the request']);
  assert.deepEqual(bench.spans(), []);
  assert.equal(bench.batches.length, 0);
});

test('texts of clients are escaped and bounded, and unknown methods share a name', () => {
  const bench = new Bench();
  bench.begin('x'.repeat(600));
  const target = `/"\\\u0001é${'x'.repeat(9000)}?signature=secret`;
  const head = requestHead({ method: 'BR"EW', target, authority: '[::1]:8443', fields: ['user-agent', '"\n'] });
  const [server] = bench.spans({ head });
  assert.deepEqual([server!.name, server!.traceState], ['HTTP all', undefined]);
  assert.deepEqual(
    ['http.request.method', 'http.request.method_original', 'server.address', 'server.port', 'user_agent.original'].map(
      (name) => valueOf(server!, name),
    ),
    ['_OTHER', 'BR"EW', '::1', '8443', '"\n'],
  );
  assert.equal((valueOf(server!, 'url.path') as string).length, 2048);
  assert.equal(JSON.stringify(server).includes('secret'), false);
});

describe('errors of the request', () => {
  const cases: readonly (readonly [Partial<ExchangeRecord>, unknown])[] = [
    [{ status: 200 }, undefined],
    [{ status: 404 }, undefined],
    [{ status: 503, termination: 'noEndpoint' }, '503'],
    [{ status: 200, termination: 'endpointGoneData' }, 'endpointGoneData'],
    [{ status: 200, termination: 'clientGoneData' }, undefined],
    [{ status: 0, termination: 'clientGoneHead' }, 'clientGoneHead'],
  ];
  for (const [record, type] of cases) {
    test(`status ${record.status}, ${record.termination ?? 'ok'}`, () => {
      const bench = new Bench();
      bench.begin();
      const [server] = bench.spans(record);
      assert.equal(valueOf(server!, 'error.type'), type);
      assert.equal(server!.status?.code, type === undefined ? undefined : 2);
    });
  }
});

test('the newest request of each bucket is an exemplar of its upstream; a tunnel is none', () => {
  const bench = new Bench();
  const requests: Partial<ExchangeRecord>[] = [
    { phases: phasesOf({ totalMs: 30 }) },
    { phases: phasesOf({ totalMs: 31 }) },
    { phases: phasesOf({ totalMs: 5 }) },
    { phases: phasesOf({ totalMs: 900 }), wasUpgraded: true },
    { phases: phasesOf({ totalMs: 900 }), upstream: null },
  ];
  for (const parts of requests) {
    bench.begin();
    bench.spans(parts);
    bench.begin();
  }
  const found = bench.batches.flatMap(({ exemplars }) => exemplars);
  const atMs = bench.clock.wallMs();
  assert.deepEqual(
    found.map(({ upstream, traceId, ms, atMs: at }) => [upstream, traceId, ms, at - atMs]),
    [30, 31, 5].map((ms) => ['api', TRACE, ms, ms]),
  );
});
