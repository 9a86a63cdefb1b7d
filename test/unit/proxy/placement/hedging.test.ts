// Hedging: a second attempt beside the first, and the cancellation of the loser. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf } from '../../../../core/failure.ts';
import { E_SUSPECT, SUSPICION, UPSTREAM } from '../../../../core/memory/layout.ts';
import { LatencyWindow } from '../../../../proxy/placement/latency-window.ts';
import { ForwardingBench, responseHead } from '../../../support/forwarding.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

function benchWith(upstream: Parameters<typeof upstreamSnapshot>[0] = {}): ForwardingBench {
  const hedge = { afterMs: 50, percentile: 0 };
  return new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot({ hedge, ...upstream })] }));
}

/** A GET that waits for its first endpoint until it is hedged. */
function hedged(bench: ForwardingBench) {
  const client = bench.request();
  bench.last.events.onLease(false);
  bench.advance(60);
  const [first, second] = bench.attempts.slice(-2);
  return { client, first: first!, second: second! };
}

describe('a slow GET', () => {
  test('is sent to a second endpoint after the delay; the first head wins and the loser is cancelled', () => {
    const bench = benchWith();
    const { client, first, second } = hedged(bench);
    assert.notEqual(first.slot, second.slot);
    assert.equal(bench.inflight(first.slot) + bench.inflight(second.slot), 2);
    second.answer(200, 'hedge');
    assert.deepEqual(client.log, ['head 200', 'data hedge', 'end']);
    assert.equal(first.isAborted, true);
    assert.equal(bench.inflight(first.slot) + bench.inflight(second.slot), 0);
    assert.equal(bench.records[0]?.termination, 'ok');
  });

  test('whose first endpoint answers after all cancels the hedge', () => {
    const bench = benchWith();
    const { client, first, second } = hedged(bench);
    second.events.onLease(false);
    first.events.onHead(responseHead(200));
    first.events.onEnd(null);
    assert.deepEqual(client.log, ['head 200', 'end']);
    assert.equal(second.isAborted, true);
  });

  test('goes on with one when the other fails, and may be hedged again', () => {
    const bench = benchWith();
    const { client, first, second } = hedged(bench);
    second.events.onFailure(failureOf('reset', true));
    assert.equal(first.isAborted, false);
    bench.advance(60);
    const third = bench.last;
    assert.equal(new Set([first.slot, second.slot, third.slot]).size, 3);
    third.answer();
    assert.equal(client.log[0], 'head 200');
    assert.equal(first.isAborted, true);
  });

  test('ignores a gateway error while the other attempt runs', () => {
    const bench = benchWith();
    const { client, first, second } = hedged(bench);
    second.events.onLease(false);
    second.events.onHead(responseHead(503));
    assert.deepEqual(client.log, []);
    first.events.onHead(responseHead(200));
    first.events.onEnd(null);
    assert.deepEqual(client.log, ['head 200', 'end']);
  });

  test('is not hedged without a budget, without a second endpoint, or when it has a body', () => {
    const broke = benchWith();
    Atomics.store(broke.region.words, broke.region.upstreamWord(0) + UPSTREAM.retryBalance.index, 0);
    hedged(broke);
    assert.equal(broke.attempts.length, 1);
    assert.equal(broke.inflight(0) + broke.inflight(1) + broke.inflight(2), 1);

    const alone = benchWith({ endpoints: [endpointSnapshot(0)] });
    hedged(alone);
    assert.equal(alone.attempts.length, 1);

    const post = benchWith();
    post.request({ method: 'POST' });
    post.last.events.onLease(false);
    post.advance(200);
    assert.equal(post.attempts.length, 1);
  });

  test('whose client leaves has both attempts aborted', () => {
    const bench = benchWith();
    const { client, first, second } = hedged(bench);
    client.events!.onClientGone('closed');
    assert.deepEqual([first.isAborted, second.isAborted], [true, true]);
    assert.equal(bench.inflight(first.slot) + bench.inflight(second.slot), 0);
  });
});

describe('a GET whose connection takes long', () => {
  test('is hedged too, and the loser is cancelled while it connects', () => {
    const bench = benchWith();
    const client = bench.request();
    bench.advance(60);
    const [first, second] = bench.attempts;
    assert.notEqual(first!.slot, second!.slot);
    second!.answer(200, 'hedge');
    assert.deepEqual(client.log, ['head 200', 'data hedge', 'end']);
    assert.equal(first!.isAborted, true);
    assert.equal(bench.inflight(0) + bench.inflight(1) + bench.inflight(2), 0);
  });

  test('goes on connecting when the hedge fails, and may be hedged again', () => {
    const bench = benchWith();
    const client = bench.request();
    bench.advance(60);
    bench.last.events.onLease(false);
    bench.last.events.onFailure(failureOf('reset', true));
    assert.equal(bench.attempts[0]!.isAborted, false);
    bench.advance(60);
    assert.equal(bench.attempts.length, 3);
    bench.attempts[0]!.answer(200, 'first');
    assert.equal(client.log[0], 'head 200');
    assert.equal(bench.last.isAborted, true);
  });

  test('goes on waiting if its first endpoint refuses after all', () => {
    const bench = benchWith();
    const client = bench.request();
    bench.advance(60);
    bench.attempts[0]!.events.onFailure(failureOf('connect-timeout', false));
    bench.last.answer();
    assert.equal(client.log[0], 'head 200');
    assert.equal(bench.attempts.length, 2);
  });

  test('makes it suspect once two requests wait, where it is known to answer much faster; both go on', () => {
    const bench = benchWith({ hedge: null, balance: { kind: 'first' } });
    for (let index = 0; index < 10; index++) {
      bench.request();
      bench.last.answer();
    }
    bench.request({ method: 'POST' });
    bench.request({ method: 'POST' });
    bench.advance(30);
    bench.baselines.responded(1, bench.nowMs);
    bench.advance(170);
    assert.equal(bench.region.words[bench.region.endpointWord(0) + E_SUSPECT], SUSPICION.slow);
    assert.equal(bench.last.isAborted, false);
  });

  test('does not hold its client for longer than the response timeout, once a whole request was sent', async () => {
    const retry = { ...upstreamSnapshot().retry, perTryTimeoutMs: 30_000 };
    const bench = benchWith({ hedge: null, retry });
    const client = bench.request();
    bench.last.events.onLease(false);
    bench.advance(30_100);
    assert.equal(bench.attempts.length, 2, 'the second one connects for ever');
    bench.advance(30_100);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(client.reply?.status, 504);
    assert.equal(bench.last.isAborted, true);
  });
});

describe('an endpoint that responds to no request for far longer than usual', () => {
  test('is marked suspect for being slow while the requests go on waiting', () => {
    const bench = benchWith({ hedge: null, balance: { kind: 'first' } });
    for (let index = 0; index < 60; index++) {
      bench.request();
      const { last } = bench;
      last.events.onLease(false);
      bench.advance(10);
      last.events.onHead(responseHead(200));
      last.events.onEnd(null);
    }
    for (let index = 0; index < 2; index++) {
      bench.request({ method: 'POST' });
      bench.last.events.onLease(false);
    }
    const { last } = bench;
    bench.advance(30);
    bench.baselines.responded(1, bench.nowMs);
    bench.advance(60);
    assert.equal(bench.region.words[bench.region.endpointWord(last.slot) + E_SUSPECT], 0);
    bench.advance(100);
    assert.equal(bench.region.words[bench.region.endpointWord(last.slot) + E_SUSPECT], SUSPICION.slow);
    assert.equal(last.isAborted, false);
    assert.deepEqual(
      bench.messages.map(({ kind }) => kind),
      ['silent', 'suspect'],
    );
  });

  test('loses three hedges in a row: suspect, too', () => {
    const bench = benchWith({ balance: { kind: 'first' } });
    for (let index = 0; index < 3; index++) hedged(bench).second.answer();
    assert.equal(bench.region.words[bench.region.endpointWord(0) + E_SUSPECT], SUSPICION.slow);
  });
});

describe('the latency window', () => {
  test('returns a percentile within the width of a bucket, over one minute', () => {
    const window = new LatencyWindow(0);
    for (let index = 1; index <= 1000; index++) window.observe(index / 10, 0);
    const p95 = window.percentile(0.95, 0);
    assert.ok(p95 >= 95 && p95 <= 95 * 1.26, String(p95));
    assert.equal(window.percentile(0.95, 61_000), 0);
  });

  test('returns no percentile for a handful of requests', () => {
    const window = new LatencyWindow(0);
    for (let index = 0; index < 49; index++) window.observe(5, 0);
    assert.equal(window.percentile(0.5, 0), 0);
  });
});
