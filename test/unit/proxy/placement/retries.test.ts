// Retries: backoff, Retry-After, the time that is left and the endpoints that are left (docs/algorithms.md 4.1).
// Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf } from '../../../../core/failure.ts';
import type { FieldList } from '../../../../core/head.ts';
import { UPSTREAM } from '../../../../core/memory/layout.ts';
import type { RetrySnapshot, UpstreamSnapshot } from '../../../../core/snapshot/upstream.ts';
import { readRetryAfter } from '../../../../core/retry-after.ts';
import { ForwardingBench } from '../../../support/forwarding.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const GONE = failureOf('reset', true);

function benchWith(retry: Partial<RetrySnapshot>, upstream: Partial<UpstreamSnapshot> = {}): ForwardingBench {
  const settings = { ...upstreamSnapshot().retry, statuses: [503], ...retry };
  return new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot({ retry: settings, ...upstream })] }));
}

function alone(retry: Partial<RetrySnapshot> = {}, upstream: Partial<UpstreamSnapshot> = {}): ForwardingBench {
  return benchWith(retry, { endpoints: [endpointSnapshot(0)], ...upstream });
}

function fail(bench: ForwardingBench, failure = GONE): void {
  bench.last.events.onLease(false);
  bench.last.events.onFailure(failure);
}

/** Ms until another attempt is made. */
function pauseOf(bench: ForwardingBench): number {
  const before = bench.attempts.length;
  for (let ms = 0; ms <= 2000; ms += 10) {
    if (bench.attempts.length > before) return ms;
    bench.advance(10);
  }
  return Infinity;
}

const busy = (retryAfter: string): FieldList => ['Retry-After', retryAfter];

describe('the backoff before a retry', () => {
  test('is none for an unsent request', () => {
    const bench = benchWith({});
    bench.request({ method: 'POST' });
    bench.last.events.onFailure(failureOf('connect-refused', false));
    assert.equal(bench.attempts.length, 2);
  });

  test('is none after a keep-alive race', () => {
    const bench = benchWith({});
    bench.request();
    fail(bench, failureOf('stale-connection', true));
    assert.equal(bench.attempts.length, 2);
  });

  test('has full jitter over 25, 75, 175 and then 250 ms', () => {
    const longest = [0, 0, 0, 0, 0];
    const shortest = [999, 999, 999, 999, 999];
    const bench = benchWith(
      { attempts: 5, budgetMin: 10_000 },
      { endpoints: Array.from({ length: 6 }, (_, slot) => endpointSnapshot(slot)) },
    );
    for (let round = 0; round < 200; round++) {
      bench.request();
      for (let retry = 0; retry < 5; retry++) {
        fail(bench);
        const pauseMs = pauseOf(bench);
        longest[retry] = Math.max(longest[retry]!, pauseMs);
        shortest[retry] = Math.min(shortest[retry]!, pauseMs);
      }
      bench.last.answer();
    }
    // The bench's wheel turns every 10 ms.
    for (const [retry, spanMs] of [25, 75, 175, 250, 250].entries()) {
      assert.ok(longest[retry]! <= spanMs + 20, `retry ${retry + 1}: ${longest[retry]}`);
      assert.ok(longest[retry]! >= spanMs * 0.8, `retry ${retry + 1}: ${longest[retry]}`);
      assert.ok(shortest[retry]! <= 20, `retry ${retry + 1}: ${shortest[retry]}`);
    }
  });

  test('ends when the client leaves: no attempt follows', () => {
    const bench = benchWith({});
    const client = bench.request();
    fail(bench);
    client.events!.onClientGone('closed');
    bench.advance(500);
    assert.equal(bench.attempts.length, 1);
    assert.equal(bench.records[0]?.termination, 'clientGoneHead');
    assert.equal(bench.inflight(0) + bench.inflight(1) + bench.inflight(2), 0);
  });

  test('receives the rest of the body, and ends the exchange if that exceeds the buffer', async () => {
    const bench = benchWith({ bufferBytes: 4 });
    const client = bench.request({ method: 'PUT', bodyLength: 8 });
    bench.last.events.onLease(false);
    bench.last.events.onBodyWanted();
    client.events!.onBodyData(Buffer.from('abcd'));
    bench.last.events.onFailure(GONE);
    client.events!.onBodyData(Buffer.from('efgh'));
    bench.advance(100);
    await settled();
    assert.equal(bench.attempts.length, 1);
    assert.equal(bench.attempts[0]!.sent.join(''), 'abcd');
    assert.equal(client.reply?.status, 502);
  });
});

describe('no retry follows', () => {
  test('if no other endpoint is left: the verdict is recorded, and the budget stays', async () => {
    const bench = alone();
    const balance = bench.region.upstreamWord(0) + UPSTREAM.retryBalance.index;
    const client = bench.request();
    const before = Atomics.load(bench.region.words, balance);
    fail(bench);
    await settled();
    assert.equal(client.reply?.status, 502);
    assert.equal(bench.records[0]?.retryVerdict, 'refused-no-other-endpoint');
    assert.equal(Atomics.load(bench.region.words, balance), before);
  });

  test('if the rest of the response timeout is too short', async () => {
    const bench = benchWith({ attempts: 5 });
    const client = bench.request();
    bench.last.events.onLease(false);
    bench.advance(29_000);
    bench.last.events.onFailure(GONE);
    bench.advance(50);
    assert.equal(bench.attempts.length, 2, 'half of it is enough');
    bench.last.events.onLease(false);
    bench.advance(25_000);
    bench.last.events.onFailure(GONE);
    await settled();
    assert.equal(client.reply?.status, 502);
    assert.equal(bench.records[0]?.retryVerdict, 'refused-no-time');
  });
});

describe('a slow attempt', () => {
  test('is not cut if the budget permits no retry: it may still be answered', () => {
    const bench = benchWith({ perTryTimeoutMs: 100 });
    const client = bench.request();
    Atomics.store(bench.region.words, bench.region.upstreamWord(0) + UPSTREAM.retryBalance.index, 0);
    bench.last.events.onLease(false);
    bench.advance(5000);
    assert.equal(bench.attempts.length, 1);
    assert.equal(bench.last.isAborted, false);
    assert.deepEqual(
      bench.messages.map(({ kind }) => kind),
      ['silent'],
    );
    bench.last.answer();
    assert.equal(client.log[0], 'head 200');
  });

  test('is cut if another follows', () => {
    const bench = benchWith({ perTryTimeoutMs: 100 });
    bench.request();
    bench.last.events.onLease(false);
    bench.advance(150);
    assert.equal(bench.attempts.length, 2);
    assert.equal(bench.attempts[0]!.isAborted, true);
  });

  test('is not cut if every other endpoint was tried', () => {
    const bench = benchWith(
      { perTryTimeoutMs: 100, attempts: 5 },
      { endpoints: [endpointSnapshot(0), endpointSnapshot(1)] },
    );
    bench.request();
    fail(bench);
    bench.advance(40);
    bench.last.events.onLease(false);
    bench.advance(1000);
    assert.equal(bench.attempts.length, 2);
    assert.equal(bench.last.isAborted, false);
  });
});

describe('Retry-After', () => {
  test('keeps retries of all requests away from its endpoint for that time', () => {
    const bench = benchWith({ attempts: 5, budgetMin: 1000 });
    bench.request();
    const resting = bench.last.slot;
    bench.last.answer(503, '', busy('5'));
    for (let round = 0; round < 10; round++) {
      bench.request();
      const first = bench.last.slot;
      for (let retry = 0; retry < 2 && bench.last.slot === first; retry++) {
        fail(bench);
        bench.advance(100);
      }
      assert.notEqual(bench.last.slot, resting);
      bench.last.answer();
    }
  });

  test('sends the retry to another endpoint without waiting', () => {
    const bench = benchWith({});
    const client = bench.request();
    const first = bench.last.slot;
    bench.last.answer(503, '', busy('30'));
    bench.advance(40);
    assert.notEqual(bench.last.slot, first);
    bench.last.answer();
    assert.equal(client.log[0], 'head 200');
  });

  test('of the only endpoint delays the retry, up to a second', () => {
    const bench = alone();
    const client = bench.request();
    bench.last.answer(503, '', busy('1'));
    bench.advance(990);
    assert.equal(bench.attempts.length, 1);
    bench.advance(20);
    assert.equal(bench.attempts.length, 2);
    bench.last.answer();
    assert.equal(client.log[0], 'head 200');
  });

  test('of the only endpoint beyond a second goes to the client with the response', () => {
    const bench = alone();
    const client = bench.request();
    bench.last.answer(503, '', busy('2'));
    assert.equal(bench.attempts.length, 1);
    assert.equal(client.log[0], 'head 503');
    assert.equal(client.head?.field('retry-after'), '2');
  });

  test('beyond the rest of the response timeout is not waited for', () => {
    const bench = alone({}, { timeouts: { ...upstreamSnapshot().timeouts, responseMs: 900 } });
    const client = bench.request();
    bench.last.answer(503, '', busy('1'));
    assert.equal(client.log[0], 'head 503');
    bench.advance(2000);
    assert.equal(bench.attempts.length, 1);
  });

  test('of an hour counts for ten seconds', () => {
    const bench = benchWith({ budgetMin: 1000 }, { endpoints: [endpointSnapshot(0), endpointSnapshot(1)] });
    bench.request();
    const resting = bench.last.slot;
    bench.last.answer(503, '', busy('3600'));
    bench.advance(40);
    bench.last.answer();
    bench.advance(10_100);
    bench.request();
    if (bench.last.slot === resting) {
      bench.last.answer();
      bench.request();
    }
    fail(bench);
    bench.advance(40);
    assert.equal(bench.last.slot, resting);
  });

  test('is seconds or a date (RFC 9110 section 10.2.3); anything else is ignored', () => {
    const wallMs = Date.parse('Sun, 06 Nov 1994 08:49:30 GMT');
    assert.equal(readRetryAfter('120', wallMs), 120_000);
    assert.equal(readRetryAfter('Sun, 06 Nov 1994 08:49:37 GMT', wallMs), 7000);
    assert.equal(readRetryAfter('Sunday, 06-Nov-94 08:49:37 GMT', wallMs), 7000);
    assert.equal(readRetryAfter('Sun Nov  6 08:49:37 1994 GMT', wallMs), 7000);
    assert.equal(readRetryAfter('Sat, 05 Nov 1994 08:49:37 GMT', wallMs), 0);
    for (const value of [undefined, '', '-1', '1.5', 'soon', '9999999999', '2026']) {
      assert.equal(readRetryAfter(value, wallMs), value === '2026' ? 2_026_000 : 0, String(value));
    }
  });
});
