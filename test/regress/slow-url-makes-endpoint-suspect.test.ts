// A slow URL must not make its endpoint suspect: an endpoint that answers other requests meanwhile lives. Three requests
// of 300 ms every 0.7 s beside fast ones moved a quarter of the hashed keys off healthy endpoints. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { E_SUSPECT, SUSPICION, UPSTREAM } from '../../core/memory/layout.ts';
import { seededRandom } from '../../core/random.ts';
import { BALANCES } from '../support/balancing.ts';
import { ForwardingBench } from '../support/forwarding.ts';
import { HealthBench, PASSES, REFUSED } from '../support/health-bench.ts';
import { snapshot, upstreamSnapshot } from '../support/snapshots.ts';

const KEYS = 200;

/** Traffic over one worker: each request has a key and a latency; time passes in steps of 1 ms. */
class Traffic {
  readonly bench: ForwardingBench;
  readonly #due: { readonly atMs: number; readonly answer: () => void }[] = [];
  readonly homes = new Map<number, number>();
  moved = 0;
  readonly dead = new Set<number>();

  constructor(balance: keyof typeof BALANCES) {
    const retry = { ...upstreamSnapshot().retry, attempts: 0 };
    this.bench = new ForwardingBench(
      snapshot({ upstreams: [upstreamSnapshot({ balance: BALANCES[balance], retry })] }),
    );
  }

  request(key: number, latencyMs: number): void {
    this.bench.request({ target: `/users/${key}` });
    const attempt = this.bench.last;
    const home = this.homes.get(key);
    if (home === undefined) this.homes.set(key, attempt.slot);
    else if (home !== attempt.slot) this.moved++;
    attempt.events.onLease(true);
    if (this.dead.has(attempt.slot)) return;
    this.#due.push({ atMs: this.bench.nowMs + latencyMs, answer: () => attempt.answer() });
    this.#due.sort((a, b) => b.atMs - a.atMs);
  }

  advance(ms: number): void {
    for (let step = 0; step < ms; step++) {
      this.bench.nowMs += 1;
      while (this.#due.length > 0 && this.#due.at(-1)!.atMs <= this.bench.nowMs) this.#due.pop()!.answer();
      if (this.bench.nowMs % 10 === 0) this.bench.wheel.advance(this.bench.nowMs);
    }
  }

  get suspects(): number {
    return this.bench.messages.filter(({ kind }) => kind === 'suspect').length;
  }
}

describe('slow requests beside fast ones', () => {
  test('1 % of 300 ms, 0.1 % of 5 s and one of 35 s under consistent hash: no key moves, nobody is suspect', () => {
    const traffic = new Traffic('hash');
    const random = seededRandom(5);
    for (let sent = 0; sent < 12_000; sent++) {
      const draw = random.next();
      const slowMs = sent === 3_000 ? 35_000 : draw < 0.001 ? 5_000 : draw < 0.011 ? 300 : 0;
      traffic.request(Math.floor(random.next() * KEYS), slowMs || 1 + random.next() * 9);
      traffic.advance(5);
    }
    traffic.advance(36_000);
    assert.deepEqual([traffic.moved, traffic.suspects], [0, 0]);
  });

  test('three of 300 ms every 0.7 s among few fast ones, with every balancer', () => {
    for (const balance of ['hash', 'leastRequest', 'roundRobin', 'peakEwma'] as const) {
      const traffic = new Traffic(balance);
      const random = seededRandom(8);
      for (let step = 0; step < 2_000; step++) {
        if (step % 24 === 0) for (let slow = 0; slow < 3; slow++) traffic.request(900 + slow, 300);
        traffic.request(Math.floor(random.next() * KEYS), 1 + random.next() * 9);
        traffic.advance(30);
      }
      assert.ok(traffic.suspects <= 1, `${traffic.suspects} suspicions under ${balance}`);
      if (balance === 'hash') assert.equal(traffic.moved, 0);
    }
  });
});

test('a stopped process is still found by the second request that waits', () => {
  const traffic = new Traffic('roundRobin');
  const random = seededRandom(3);
  for (let sent = 0; sent < 300; sent++) {
    traffic.request(Math.floor(random.next() * KEYS), 1 + random.next() * 9);
    traffic.advance(10);
  }
  traffic.dead.add(1);
  const stoppedMs = traffic.bench.nowMs;
  while (traffic.suspects === 0 && traffic.bench.nowMs - stoppedMs < 5_000) {
    traffic.request(Math.floor(random.next() * KEYS), 1 + random.next() * 9);
    traffic.advance(10);
  }
  const foundMs = traffic.bench.nowMs - stoppedMs;
  assert.ok(foundMs <= 250, `found after ${foundMs} ms`);
  assert.equal(traffic.bench.region.words[traffic.bench.region.endpointWord(1) + E_SUSPECT], SUSPICION.slow);
});

test('a suspicion by time alone moves no hashed key, a failure does', () => {
  const traffic = new Traffic('hash');
  for (let key = 0; key < KEYS; key++) traffic.request(key, 1);
  traffic.advance(10);
  const { region } = traffic.bench;
  const mark = (value: number): void => {
    Atomics.store(region.words, region.endpointWord(0) + E_SUSPECT, value);
    Atomics.add(region.words, region.upstreamWord(0) + UPSTREAM.suspects.index, 1);
  };
  const moves = (): number => {
    traffic.moved = 0;
    for (let key = 0; key < KEYS; key++) traffic.request(key, 1);
    traffic.advance(10);
    return traffic.moved;
  };
  mark(SUSPICION.slow);
  assert.equal(moves(), 0);
  mark(SUSPICION.failure);
  assert.ok(moves() > KEYS / 6);
});

test('suspicions that repeat are one pair of events a minute, and all are counted', () => {
  const bench = new HealthBench().begin();
  for (let round = 0; round < 300; round++) {
    bench.suspect(0, 'slow');
    bench.clock.advance(600);
  }
  const events = bench.health.events.list().filter(({ axis }) => axis === 'outlier');
  assert.deepEqual(
    events.map(({ to }) => to),
    ['suspect', 'none', 'suspect', 'none', 'suspect', 'none'],
  );
  assert.match(events[2]!.cause, /slow: .*\(suspect 99 more times within a minute before\)/);
  assert.equal(bench.view(0).counters.suspicions, 300);
});

describe('a heartbeat decides about a stalled endpoint at once', () => {
  test('it clears the suspicion, however often that was raised before', () => {
    const bench = new HealthBench().begin();
    for (let round = 0; round < 20; round++) {
      bench.suspect(0, 'slow');
      assert.equal(bench.published(0), 'up');
      bench.clock.advance(300);
    }
  });

  test('it confirms it without waiting for further failures', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, REFUSED);
    bench.suspect(0, 'slow');
    assert.equal(bench.published(0), 'down');
  });

  test('it confirms what a single waiting request reports, and clears it else', () => {
    const bench = new HealthBench().begin();
    const report = (slot: number): void => bench.health.onWorkerMessage({ kind: 'silent', slot, generation: 1 });
    bench.checker.results.set(0, REFUSED);
    report(0);
    bench.checker.results.set(1, PASSES);
    report(1);
    assert.deepEqual(bench.allPublished(), ['down', 'up', 'up']);
    assert.equal(bench.health.events.list().filter(({ axis }) => axis === 'outlier').length, 0);
  });
});
