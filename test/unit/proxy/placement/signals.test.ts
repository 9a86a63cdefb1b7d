// Health signals of attempts: which outcomes make an endpoint suspect, for all workers at once (docs/design.md 4).
// Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UpstreamPicker } from '../../../../balancers/upstream-picker.ts';
import { type Failure, failureOf, type Signal, SIGNALS } from '../../../../core/failure.ts';
import { failuresIn } from '../../../../core/memory/failure-count.ts';
import { E_CONSECUTIVE, E_GENERATION, E_SUSPECT, UPSTREAM as UPSTREAM_WORDS } from '../../../../core/memory/layout.ts';
import { seededRandom } from '../../../../core/random.ts';
import { testRequest } from '../../../support/balancing.ts';
import { ForwardingBench } from '../../../support/forwarding.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

const NO_RETRY = { ...upstreamSnapshot().retry, attempts: 0 };
const UPSTREAM = upstreamSnapshot({ balance: { kind: 'first' }, retry: NO_RETRY });

function benchWith(upstream = UPSTREAM): ForwardingBench {
  return new ForwardingBench(snapshot({ upstreams: [upstream] }));
}

const isSuspect = (bench: ForwardingBench, slot = 0): boolean =>
  bench.region.words[bench.region.endpointWord(slot) + E_SUSPECT] === 1;

let clients = 0;

/** Plays outcomes of attempts at slot 0, each for a request of another client. */
function play(bench: ForwardingBench, ...ends: readonly (number | Failure)[]): void {
  for (const end of ends) {
    bench.request({}, { peerAddress: `10.${clients & 255}.${clients++ >> 8}.1` });
    if (typeof end === 'number') bench.last.answer(end);
    else {
      bench.last.events.onLease(false);
      bench.last.events.onFailure(end);
    }
  }
}

test('a stale connection makes no endpoint suspect: an idle timeout explains it', () => {
  const bench = benchWith();
  play(bench, failureOf('stale-connection', true));
  assert.equal(isSuspect(bench), false);
});

describe('an endpoint is suspect', () => {
  const rows: readonly (readonly [what: string, failure: Failure])[] = [
    ['refuses a connection', failureOf('connect-refused', false)],
    ['lets a connection time out', failureOf('connect-timeout', false)],
    ['resets before a byte of the response', failureOf('reset', true)],
    ['does not answer in time', failureOf('response-timeout', true)],
    ['answers what is no HTTP', failureOf('malformed-response', true)],
    ['breaks off in its response', failureOf('truncated', true)],
  ];
  for (const [what, failure] of rows) {
    test(`that ${what}, by its first failure`, () => {
      const bench = benchWith();
      play(bench, failure);
      assert.equal(isSuspect(bench), true);
      assert.deepEqual(
        bench.messages.map(({ kind }) => kind),
        ['suspect'],
      );
    });
  }

  for (const status of [502, 503, 504]) {
    test(`that answers ${status} after it had been answering well`, () => {
      const bench = benchWith();
      play(bench, 200, status);
      assert.equal(isSuspect(bench), true);
    });
  }

  test('again after a further 503 shortly after a good response, not after one of many', () => {
    const bench = benchWith();
    const clear = (): void => void Atomics.store(bench.region.words, bench.region.endpointWord(0) + E_SUSPECT, 0);
    play(bench, 200, 503);
    clear();
    bench.advance(5_000);
    play(bench, 503);
    assert.equal(isSuspect(bench), true);
    clear();
    bench.advance(10_000);
    play(bench, 503);
    assert.equal(isSuspect(bench), false);
    assert.equal(failuresIn(bench.region.words[bench.region.endpointWord(0) + E_CONSECUTIVE]!), 3);
  });
});

describe('an endpoint is not suspect', () => {
  test('after a 503 if it has never answered well: ejection covers that', () => {
    const bench = benchWith();
    play(bench, ...Array.from({ length: 10 }, () => 503));
    assert.equal(isSuspect(bench), false);
    assert.deepEqual(
      bench.messages.map(({ kind }) => kind),
      ['threshold'],
    );
  });

  test('after a 500, 429 or 404, nor after an abort by the client', () => {
    const bench = benchWith();
    play(bench, 200, 500, 429, 404);
    bench.request().events!.onClientGone('closed');
    assert.equal(isSuspect(bench), false);
  });

  test('after a 503 with Retry-After: it is overloaded', () => {
    const bench = benchWith();
    play(bench, 200);
    bench.request();
    bench.last.answer(503, '', ['Retry-After', '1']);
    assert.equal(isSuspect(bench), false);
  });
});

test('a suspicion applies to all workers at once', () => {
  const bench = benchWith();
  const elsewhere = new UpstreamPicker(UPSTREAM, { region: bench.region, worker: 1, random: seededRandom(1) });
  const post = { ...testRequest(), mayRetry: false };
  assert.equal(elsewhere.pick(post), 0);
  play(bench, failureOf('connect-refused', false));
  assert.equal(elsewhere.pick(post), 1);
});

test('suspects receive no unrepeatable requests, a trickle of repeatable ones, and all requests if all are suspect', () => {
  const bench = benchWith(upstreamSnapshot({ balance: { kind: 'first' }, retry: { ...NO_RETRY, attempts: 1 } }));
  play(bench, failureOf('connect-refused', false));
  bench.last.answer();
  const slotsOf = (method: string): number[] =>
    Array.from({ length: 50 }, () => {
      bench.advance(10);
      bench.request({ method });
      bench.last.answer();
      return bench.last.slot;
    });
  // A good answer of a canary clears nothing by itself: that is for the heartbeat.
  assert.equal(slotsOf('POST').filter((slot) => slot === 0).length, 0);
  const canaries = slotsOf('GET').filter((slot) => slot === 0).length;
  assert.ok(canaries >= 4 && canaries <= 6, `${canaries} in half a second`);
  for (const slot of [1, 2]) Atomics.store(bench.region.words, bench.region.endpointWord(slot) + E_SUSPECT, 1);
  Atomics.add(bench.region.words, bench.region.upstreamWord(0) + UPSTREAM_WORDS.suspects.index, 1);
  assert.ok(slotsOf('POST').every((slot) => slot === 0));
});

test('every signal that makes an endpoint suspect has a test', () => {
  const suspected = (Object.keys(SIGNALS) as Signal[]).filter((signal) => SIGNALS[signal].marksSuspect);
  // `slow` has tests of its own: test/regress/slow-url-makes-suspect.test.ts and its neighbour.
  const rows = ['connect', 'gateway', 'protocol', 'resetBefore', 'resetBody', 'slow', 'timeout'];
  assert.deepEqual(suspected.toSorted(), rows);
});

test('signals for a slot with another owner are ignored', () => {
  const bench = benchWith(upstreamSnapshot({ endpoints: [endpointSnapshot(0, { generation: 2 })], retry: NO_RETRY }));
  Atomics.store(bench.region.words, bench.region.endpointWord(0) + E_GENERATION, 3);
  play(bench, failureOf('connect-refused', false));
  assert.equal(isSuspect(bench), false);
  assert.deepEqual(bench.messages, []);
});
