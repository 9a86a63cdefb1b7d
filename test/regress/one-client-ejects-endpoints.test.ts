// One client must not eject healthy endpoints: twelve connections with unfinished bodies, or with requests for one
// crashing or slow URL, ejected up to two of three. Failures count once for each client and route, unless the same
// request succeeds elsewhere. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf } from '../../core/failure.ts';
import { E_SUSPECT, SUSPICION, UPSTREAM } from '../../core/memory/layout.ts';
import { seededRandom } from '../../core/random.ts';
import { ForwardingBench, type PlayedAttempt } from '../support/forwarding.ts';
import { snapshot, upstreamSnapshot } from '../support/snapshots.ts';

const NO_RETRY = { ...upstreamSnapshot().retry, attempts: 0 };
const BAD_CLIENT = { peerAddress: '198.51.100.7' };
const RESET = failureOf('reset', true);

function benchWith(retry = NO_RETRY): ForwardingBench {
  return new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot({ retry })] }));
}

const count = (bench: ForwardingBench, kind: string): number =>
  bench.messages.filter((one) => one.kind === kind).length;

/** Fails an attempt after its connection was leased. The heartbeat that follows a suspicion passes. */
function fail(bench: ForwardingBench, attempt: PlayedAttempt): void {
  attempt.events.onLease(true);
  attempt.events.onFailure(RESET);
  clearSuspicion(bench, attempt.slot);
}

function clearSuspicion({ region }: ForwardingBench, slot: number): void {
  Atomics.store(region.words, region.endpointWord(slot) + E_SUSPECT, SUSPICION.none);
  Atomics.add(region.words, region.upstreamWord(0) + UPSTREAM.suspects.index, 1);
}

/** A good request of a client among many, to one of ten URLs. */
function answered(bench: ForwardingBench, random: () => number): void {
  const peerAddress = `10.0.0.${Math.floor(random() * 250)}`;
  bench.request({ target: `/page/${Math.floor(random() * 10)}` }, { peerAddress });
  bench.last.answer();
}

describe('one client', () => {
  test('ejects nobody by a URL that crashes its request everywhere, with or without good traffic', () => {
    for (const goodShare of [0, 0.02, 0.2]) {
      const bench = benchWith();
      const generator = seededRandom(4);
      const random = (): number => generator.next();
      for (let sent = 0; sent < 2_000; sent++) {
        if (random() < goodShare) answered(bench, random);
        bench.request({ target: `/crash?n=${sent}` }, BAD_CLIENT);
        fail(bench, bench.last);
        bench.advance(10);
      }
      assert.equal(count(bench, 'threshold'), 0, `share ${goodShare}`);
      // At each endpoint one suspicion in ten seconds at most, which its heartbeat clears.
      assert.ok(count(bench, 'suspect') <= 9, `${count(bench, 'suspect')} suspicions`);
    }
  });

  test('ejects nobody though its requests are retried at every endpoint', () => {
    const bench = benchWith({ ...upstreamSnapshot().retry, attempts: 2 });
    for (let sent = 0; sent < 300; sent++) {
      bench.request({ target: '/crash' }, BAD_CLIENT);
      for (let begun = bench.attempts.length - 1; begun < bench.attempts.length; begun++) {
        fail(bench, bench.attempts[begun]!);
        bench.advance(300);
      }
    }
    assert.equal(count(bench, 'threshold'), 0);
  });

  test('ejects nobody by bodies that it never finishes, though endpoints end them', () => {
    const bench = benchWith();
    for (let sent = 0; sent < 60; sent++) {
      const client = bench.request({ method: 'POST', bodyLength: 1000 }, BAD_CLIENT);
      bench.last.events.onLease(true);
      client.events!.onBodyData(Buffer.from('begun'));
      bench.advance(1_000);
      if (sent % 2 === 0) bench.last.events.onFailure(RESET);
      else bench.last.answer(503);
    }
    assert.deepEqual(bench.messages, []);
  });

  test('ejects nobody by a URL that exceeds the response timeout while others are answered', () => {
    const bench = benchWith();
    const generator = seededRandom(9);
    for (let sent = 0; sent < 30; sent++) {
      const attempts = Array.from({ length: 3 }, () => {
        bench.request({ target: '/slow' }, BAD_CLIENT);
        return bench.last;
      });
      for (const attempt of attempts) attempt.events.onLease(true);
      for (let step = 0; step < 70; step++) {
        bench.advance(1_000);
        for (let each = 0; each < 3; each++) answered(bench, () => generator.next());
      }
    }
    assert.equal(count(bench, 'threshold'), 0);
    assert.equal(count(bench, 'suspect'), 0);
  });
});

describe('an endpoint that is broken is still ejected', () => {
  test('by five clients', () => {
    const bench = benchWith();
    const broken = 0;
    for (let sent = 0; sent < 60; sent++) {
      bench.request({ target: '/' }, { peerAddress: `10.0.${sent}.1` });
      if (bench.last.slot === broken) fail(bench, bench.last);
      else bench.last.answer();
    }
    assert.equal(count(bench, 'threshold'), 1);
  });

  test('by one client whose requests succeed elsewhere, as behind another proxy', () => {
    const bench = benchWith();
    for (let sent = 0; sent < 30; sent++) {
      bench.request({ target: '/' }, BAD_CLIENT);
      if (bench.last.slot === 0) fail(bench, bench.last);
      else bench.last.answer();
    }
    assert.equal(count(bench, 'threshold'), 1);
  });

  test('by one client, where it refuses connections', () => {
    const bench = benchWith();
    for (let sent = 0; sent < 30; sent++) {
      bench.request({ target: `/${sent}` }, BAD_CLIENT);
      if (bench.last.slot !== 0) bench.last.answer();
      else bench.last.events.onFailure(failureOf('connect-refused', false));
      clearSuspicion(bench, 0);
    }
    assert.equal(count(bench, 'threshold'), 1);
  });
});
