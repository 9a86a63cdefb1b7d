// The exporter of spans: batches, backoff, Retry-After, refused spans, and the bound of its memory. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TraceExporter } from '../../../../control/tracing/trace-exporter.ts';
import type { ReceiverReply } from '../../../../control/tracing/otlp-client.ts';
import type { SpanBatch } from '../../../../core/request-tracer.ts';
import type { TracingSnapshot } from '../../../../core/snapshot/tracing.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type LogLine, recordingLog } from '../../../support/loggers.ts';
import { snapshot } from '../../../support/snapshots.ts';

const SETTINGS: TracingSnapshot = {
  url: 'http://receiver.test/v1/traces',
  secrets: [],
  resource: ['service.name', 'edge', 'host.name', 'own'],
  timeoutMs: 10_000,
  queueBytes: 100,
  isCompressed: false,
};

function bench(settings: Partial<TracingSnapshot> = {}) {
  const clock = new FakeClock();
  const log: LogLine[] = [];
  const bodies: string[] = [];
  const replies: (Partial<ReceiverReply> | Error | 'never')[] = [];
  const post = async (body: Uint8Array): Promise<ReceiverReply> => {
    bodies.push(Buffer.from(body).toString());
    const reply = replies.shift() ?? {};
    if (reply === 'never') return new Promise(() => undefined);
    if (reply instanceof Error) throw reply;
    return { status: 200, text: '{}', retryAfterMs: 0, ...reply };
  };
  const connect = () => ({ post, close: () => Promise.resolve() });
  const random = { next: () => 1 };
  const exporter = new TraceExporter({ timers: clock, random, log: recordingLog(log), version: '1.2.3', connect });
  exporter.apply(snapshot({ tracing: { ...SETTINGS, ...settings } }));
  return { clock, log, bodies, replies, exporter };
}

function batch(text: string, spans = 1, dropped = 0): SpanBatch {
  return { bytes: Buffer.from(JSON.stringify(text)), spans, dropped, exemplars: [] };
}

/** The spans of a request. */
function spansIn(body: string | undefined): unknown {
  const request = JSON.parse(body!) as { resourceSpans: { scopeSpans: { spans: unknown }[] }[] };
  return request.resourceSpans[0]!.scopeSpans[0]!.spans;
}

test('spans are sent with the resource; those of many batches in one request', async () => {
  const { exporter, bodies, replies, clock } = bench();
  replies.push(new Error('down'));
  exporter.add(batch('a'));
  await nextTurn();
  exporter.add(batch('b', 2));
  clock.advance(1000);
  await nextTurn();
  assert.deepEqual(bodies.map(spansIn), [['a'], ['a', 'b']]);
  const { resourceSpans } = JSON.parse(bodies[0]!) as {
    resourceSpans: { resource: { attributes: { key: string; value: unknown }[] }; scopeSpans: { scope: unknown }[] }[];
  };
  assert.deepEqual(resourceSpans[0]!.scopeSpans[0]!.scope, { name: 'fairlead', version: '1.2.3' });
  const { attributes } = resourceSpans[0]!.resource;
  const of = (key: string) => attributes.filter((one) => one.key === key).map(({ value }) => value);
  assert.deepEqual([of('service.name'), of('host.name')], [[{ stringValue: 'edge' }], [{ stringValue: 'own' }]]);
  assert.deepEqual(of('service.version'), [{ stringValue: '1.2.3' }]);
  assert.deepEqual(exporter.counts, { exported: 3, lost: { queue: 0, refused: 0, worker: 0 }, failedRequests: 1 });
  assert.equal(exporter.queuedBytes, 0);
});

test('the time to the next request doubles up to 30 s; one line says that the receiver is down, one that it is back', async () => {
  const { exporter, bodies, replies, clock, log } = bench();
  for (let n = 0; n < 7; n++) replies.push(n % 2 === 0 ? new Error('connect ECONNREFUSED') : { status: 503 });
  exporter.add(batch('a'));
  const delays = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
  for (const [index, delayMs] of delays.entries()) {
    await nextTurn();
    assert.equal(bodies.length, index + 1);
    clock.advance(delayMs - 1);
    assert.equal(bodies.length, index + 1);
    clock.advance(1);
    await nextTurn();
  }
  await nextTurn();
  assert.deepEqual(
    log.map(({ level, text }) => `${level}: ${text}`),
    [
      'warn: receiver of spans http://receiver.test/v1/traces takes none: connect ECONNREFUSED; spans wait in memory; the oldest are lost beyond tracing.queue',
      'info: receiver of spans http://receiver.test/v1/traces accepts them again',
    ],
  );
  assert.deepEqual([exporter.counts.exported, exporter.counts.failedRequests], [1, 7]);
});

test('Retry-After of 429 is obeyed, up to five minutes', async () => {
  const { exporter, bodies, replies, clock } = bench();
  replies.push({ status: 429, retryAfterMs: 45_000 }, { status: 429, retryAfterMs: 86_400_000 });
  exporter.add(batch('a'));
  await nextTurn();
  clock.advance(44_999);
  assert.equal(bodies.length, 1);
  clock.advance(1);
  await nextTurn();
  assert.equal(bodies.length, 2);
  clock.advance(300_000);
  await nextTurn();
  assert.equal(bodies.length, 3);
  assert.equal(exporter.counts.exported, 1);
});

for (const status of [400, 401, 404, 413, 500]) {
  test(`spans that are refused with ${status} are lost, and counted`, async () => {
    const { exporter, bodies, replies, log } = bench();
    replies.push({ status, text: 'bad span' });
    exporter.add(batch('a', 3));
    await nextTurn();
    exporter.add(batch('b'));
    await nextTurn();
    assert.deepEqual(bodies.map(spansIn), [['a'], ['b']]);
    assert.deepEqual(exporter.counts, { exported: 1, lost: { queue: 0, refused: 3, worker: 0 }, failedRequests: 1 });
    assert.equal(log[0]!.text, `spans lost: http://receiver.test/v1/traces answers ${status}`);
  });
}

test('spans that a receiver refuses of an accepted request are counted; a strange answer is not', async () => {
  const { exporter, replies } = bench();
  replies.push(
    { text: '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"x"}}' },
    { text: '{"partialSuccess":{"rejectedSpans":-5}}' },
    { text: '\u0000protobuf' },
    { text: 'null' },
    { text: '' },
  );
  for (let n = 0; n < 5; n++) {
    exporter.add(batch('a', 3));
    await nextTurn();
  }
  assert.deepEqual(exporter.counts, { exported: 13, lost: { queue: 0, refused: 2, worker: 0 }, failedRequests: 0 });
});

test('beyond the bound of memory the oldest spans are lost; a slow receiver holds one request only', async () => {
  const { exporter, bodies, replies } = bench({ queueBytes: 30 });
  replies.push('never');
  for (let n = 0; n < 10; n++) {
    exporter.add(batch(`span ${n}`, 1, 1));
    await nextTurn();
  }
  assert.equal(bodies.length, 1);
  assert.ok(exporter.queuedBytes <= 30);
  assert.deepEqual(exporter.counts.lost, { queue: 7, refused: 0, worker: 10 });
});

test('a request has at most a megabyte, or one batch', async () => {
  const { exporter, bodies, replies, clock } = bench({ queueBytes: 10_000_000 });
  replies.push(new Error('down'));
  for (const size of [700_000, 400_000, 2_000_000]) exporter.add(batch('x'.repeat(size)));
  await nextTurn();
  clock.advance(1000);
  await nextTurn();
  assert.deepEqual(
    bodies.map((body) => (spansIn(body) as string[]).map((span) => span.length)),
    [[700_000], [700_000], [400_000], [2_000_000]],
  );
});

test('the last spans are sent when the process ends, unless the receiver is down or slow', async () => {
  const up = bench();
  up.exporter.add(batch('a'));
  up.exporter.add(batch('b'));
  await up.exporter.stop();
  assert.equal(up.exporter.counts.exported, 2);
  const down = bench();
  down.replies.push(new Error('down'), new Error('down'));
  down.exporter.add(batch('a'));
  await nextTurn();
  await down.exporter.stop();
  assert.equal(down.bodies.length, 1);
  const slow = bench();
  slow.replies.push('never');
  slow.exporter.add(batch('a'));
  const stopped = slow.exporter.stop();
  slow.clock.advance(2000);
  await stopped;
});

test('a reload without tracing frees the memory; one with another receiver sends what waits there', async () => {
  const { exporter, bodies, replies, clock } = bench();
  replies.push(new Error('down'));
  exporter.add(batch('a'));
  await nextTurn();
  exporter.apply(snapshot({ tracing: { ...SETTINGS, url: 'http://other.test/v1/traces' } }));
  await nextTurn();
  assert.deepEqual([bodies.length, exporter.counts.exported], [2, 1]);
  replies.push(new Error('down'));
  exporter.add(batch('b'));
  await nextTurn();
  exporter.apply(snapshot());
  exporter.add(batch('c'));
  clock.advance(60_000);
  assert.deepEqual([bodies.length, exporter.queuedBytes, exporter.counts.lost.queue], [3, 0, 2]);
});
