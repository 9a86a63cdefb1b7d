// A slow response is not a dead endpoint: with the defaults no attempt is cut or run twice before the response timeout, and
// only an endpoint that its heartbeats find down loses its requests to another. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AVAILABILITY } from '../../core/availability.ts';
import { E_AVAILABILITY, UPSTREAM } from '../../core/memory/layout.ts';
import { ForwardingBench, responseHead } from '../support/forwarding.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../support/snapshots.ts';

const TWO = [endpointSnapshot(0), endpointSnapshot(1)];
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function benchWith(upstream: Parameters<typeof upstreamSnapshot>[0] = {}): ForwardingBench {
  return new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot({ endpoints: TWO, ...upstream })] }));
}

/** Marks an endpoint down as main does, and reports it to the forwarder as the worker does. */
function foundDown(bench: ForwardingBench, slots: readonly number[]): void {
  const { region } = bench;
  for (const slot of slots) region.words[region.endpointWord(slot) + E_AVAILABILITY] = AVAILABILITY.down;
  Atomics.add(region.words, region.upstreamWord(0) + UPSTREAM.epoch.index, 1);
  for (const slot of slots) bench.forwarder.onEndpointDown(slot, bench.open.items());
}

function sent(bench: ForwardingBench, method = 'GET') {
  const client = bench.request({ method });
  bench.last.events.onLease(false);
  return { client, attempt: bench.last };
}

describe('a GET whose response takes 35 s, with two endpoints and the defaults', () => {
  test('is sent once and ends with 200', () => {
    const bench = benchWith();
    const { client, attempt } = sent(bench);
    bench.advance(35_000);
    assert.equal(bench.attempts.length, 1);
    assert.equal(attempt.isAborted, false);
    attempt.events.onHead(responseHead(200));
    attempt.events.onEnd(null);
    assert.equal(client.log[0], 'head 200');
    assert.equal(bench.records[0]?.attempts, 1);
  });

  test('has the whole response timeout', async () => {
    const bench = benchWith();
    const { client } = sent(bench);
    bench.advance(59_900);
    assert.deepEqual(client.log, []);
    bench.advance(200);
    await settled();
    assert.equal(client.reply?.status, 504);
    assert.equal(bench.attempts.length, 1);
  });

  test('is tried elsewhere where perTryTimeout is configured', () => {
    const bench = benchWith({ retry: { ...upstreamSnapshot().retry, perTryTimeoutMs: 5000 } });
    const { attempt } = sent(bench);
    bench.advance(5100);
    assert.equal(attempt.isAborted, true);
    assert.equal(bench.attempts.length, 2);
  });
});

describe('an endpoint that heartbeats find down', () => {
  test('keeps requests whose responses are not overdue: it may be shutting down in order', () => {
    const bench = benchWith({ endpoints: [endpointSnapshot(0), endpointSnapshot(1, { backup: true })] });
    const { client, attempt } = sent(bench);
    bench.advance(20);
    foundDown(bench, [0]);
    bench.advance(20);
    assert.equal(attempt.isAborted, false);
    attempt.events.onHead(responseHead(200));
    attempt.events.onEnd(null);
    assert.equal(client.log[0], 'head 200');
    assert.equal(bench.attempts.length, 1);
  });

  test('loses a GET that becomes overdue after it was found down', () => {
    const bench = benchWith({ endpoints: [endpointSnapshot(0), endpointSnapshot(1, { backup: true })] });
    for (let index = 0; index < 20; index++) {
      const quick = sent(bench);
      bench.advance(10);
      quick.attempt.events.onHead(responseHead(200));
      quick.attempt.events.onEnd(null);
    }
    const { attempt } = sent(bench);
    foundDown(bench, [0]);
    assert.equal(attempt.isAborted, false);
    bench.advance(200);
    assert.equal(attempt.isAborted, true);
    assert.equal(bench.last.slot, 1);
  });

  test('loses the GETs that are overdue to another endpoint, and keeps the POSTs', () => {
    const bench = benchWith({ endpoints: [endpointSnapshot(0), endpointSnapshot(1, { backup: true })] });
    const get = sent(bench);
    const post = sent(bench, 'POST');
    bench.advance(1000);
    foundDown(bench, [0]);
    assert.deepEqual([get.attempt.isAborted, post.attempt.isAborted], [true, false]);
    bench.advance(30);
    assert.equal(bench.last.slot, 1);
    bench.last.answer();
    assert.equal(get.client.log[0], 'head 200');
    post.attempt.events.onHead(responseHead(201));
    post.attempt.events.onEnd(null);
    assert.equal(post.client.log[0], 'head 201', 'the endpoint answered after all');
  });

  test('keeps its GETs where no other endpoint is usable: it may still answer', () => {
    const bench = benchWith();
    const { client, attempt } = sent(bench);
    bench.advance(1000);
    foundDown(bench, [0, 1]);
    bench.advance(10_000);
    assert.equal(attempt.isAborted, false);
    attempt.events.onHead(responseHead(200));
    attempt.events.onEnd(null);
    assert.equal(client.log[0], 'head 200');
  });

  test('keeps its GETs where the retry budget is empty', () => {
    const bench = benchWith({ endpoints: [endpointSnapshot(0), endpointSnapshot(1, { backup: true })] });
    const { attempt } = sent(bench);
    Atomics.store(bench.region.words, bench.region.upstreamWord(0) + UPSTREAM.retryBalance.index, 0);
    bench.advance(1000);
    foundDown(bench, [0]);
    assert.equal(attempt.isAborted, false);
  });

  test('keeps responses that have begun', () => {
    const bench = benchWith({ endpoints: [endpointSnapshot(0), endpointSnapshot(1, { backup: true })] });
    const { client, attempt } = sent(bench);
    attempt.events.onHead(responseHead(200));
    foundDown(bench, [0]);
    attempt.events.onEnd(null);
    assert.deepEqual(client.log, ['head 200', 'end']);
  });
});
