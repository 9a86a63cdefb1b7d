// An endpoint that was down and is well again must not stand idle for seconds while the others fail. Heartbeats of
// endpoints that are down kept an interval of 5 s, so that clients got 503 beside a healthy endpoint. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { E_INFLIGHT } from '../../core/memory/layout.ts';
import { seededRandom } from '../../core/random.ts';
import { HealthBench, REFUSED } from '../support/health-bench.ts';

const RISE = 2;
const INTERVAL_MS = 2_000;
const FAST_INTERVAL_MS = 500;
const JITTER = 1.1;
const STEP_MS = 10;

/** Starts and stops endpoints; live traffic marks one that refuses as soon as it is tried. */
class Faults {
  readonly bench: HealthBench;
  readonly #dead = new Set<number>();

  constructor(bench: HealthBench) {
    this.bench = bench;
  }

  kill(slot: number): void {
    this.#dead.add(slot);
    this.bench.checker.results.set(slot, REFUSED);
  }

  start(slot: number): void {
    this.#dead.delete(slot);
    this.bench.checker.results.delete(slot);
  }

  isWell(slot: number): boolean {
    return !this.#dead.has(slot);
  }

  /** Passes time under load. Returns for how long clients were refused though an endpoint was well. */
  advance(ms: number): number {
    const { bench } = this;
    const slots = bench.upstream.endpoints.map(({ slot }) => slot);
    let idleMs = 0;
    for (let at = 0; at < ms; at += STEP_MS) {
      bench.clock.advance(STEP_MS);
      for (const slot of slots) {
        const isUp = bench.published(slot) === 'up';
        bench.setWord(slot, E_INFLIGHT, isUp ? 2 : 0);
        if (isUp && !this.isWell(slot)) bench.suspect(slot);
        else if (isUp) bench.succeed(slot);
      }
      const isServed = slots.some((slot) => this.isWell(slot) && bench.published(slot) === 'up');
      if (!isServed && slots.some((slot) => this.isWell(slot))) idleMs += STEP_MS;
    }
    return idleMs;
  }
}

/** Ms from the recovery of an endpoint to the moment at which it is up. */
function recoveryMs(faults: Faults, slot: number, mostMs = 60_000): number {
  const startMs = faults.bench.clock.nowMs();
  while (faults.bench.published(slot) !== 'up') {
    faults.advance(STEP_MS);
    assert.ok(faults.bench.clock.nowMs() - startMs < mostMs, 'it never came back');
  }
  return faults.bench.clock.nowMs() - startMs;
}

describe('an endpoint that is well again', () => {
  test('is found at the interval, and confirmed at the fast one, while the others suffice', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const faults = new Faults(new HealthBench({ endpoints: 4, seed }).begin());
      faults.kill(0);
      faults.advance(20_000);
      faults.start(0);
      assert.ok(recoveryMs(faults, 0) <= (INTERVAL_MS + (RISE - 1) * FAST_INTERVAL_MS) * JITTER + STEP_MS);
    }
  });

  test('is found at the fast interval while half of the endpoints are down under load', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const faults = new Faults(new HealthBench({ endpoints: 2, seed }).begin());
      faults.kill(0);
      faults.advance(20_000);
      faults.start(0);
      assert.ok(recoveryMs(faults, 0) <= RISE * FAST_INTERVAL_MS * JITTER + STEP_MS);
    }
  });

  test('is found at the slow interval only after two minutes', () => {
    const bench = new HealthBench({ endpoints: 4, heartbeat: { downIntervalMs: 10_000 } }).begin();
    const faults = new Faults(bench);
    faults.kill(0);
    const startMs = bench.clock.nowMs();
    faults.advance(180_000);
    const starts = bench.checker.startsOf(0).filter((ms) => ms > startMs + 5_000);
    const gaps = starts.slice(1).map((ms, index) => ({ ms: ms - starts[index]!, at: starts[index]! - startMs }));
    const early = gaps.filter(({ at }) => at < 115_000);
    const late = gaps.filter(({ at }) => at > 125_000);
    assert.ok(early.every(({ ms }) => ms <= INTERVAL_MS * JITTER));
    assert.ok(late.length > 3 && late.every(({ ms }) => ms >= 9_000));
  });

  test('is up after one heartbeat if it has answered a live request, even while an earlier heartbeat hangs', () => {
    const bench = new HealthBench({ endpoints: 4 }).begin();
    const faults = new Faults(bench);
    faults.kill(0);
    faults.advance(20_000);
    bench.checker.results.set(0, null);
    faults.advance(2_500);
    faults.start(0);
    bench.health.onWorkerMessage({ kind: 'alive', slot: 0, generation: bench.endpoint(0).generation });
    assert.equal(bench.published(0), 'up');
    assert.match(bench.lines.at(-1)!.text, /\(enough, because live traffic succeeds or no other endpoint is usable\)/);
  });

  test('stays down if it has answered a live request and its heartbeat fails', () => {
    const bench = new HealthBench({ endpoints: 4 }).begin();
    const faults = new Faults(bench);
    faults.kill(0);
    faults.advance(20_000);
    bench.health.onWorkerMessage({ kind: 'alive', slot: 0, generation: bench.endpoint(0).generation });
    assert.equal(bench.published(0), 'down');
    faults.start(0);
    const checks = bench.checker.startsOf(0).length;
    while (bench.checker.startsOf(0).length === checks) faults.advance(STEP_MS);
    assert.equal(bench.published(0), 'down', 'the earlier answer says nothing about a later heartbeat');
  });

  test('is up after one heartbeat where no other endpoint is up and free of suspicion', () => {
    const bench = new HealthBench({ endpoints: 2 }).begin();
    const faults = new Faults(bench);
    faults.kill(0);
    faults.kill(1);
    faults.advance(20_000);
    const checks = bench.checker.startsOf(0).length;
    faults.start(0);
    while (bench.checker.startsOf(0).length === checks) faults.advance(STEP_MS);
    assert.equal(bench.published(0), 'up');
  });

  test('takes over within a second where the others die just after its recovery', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const faults = new Faults(new HealthBench({ endpoints: 3, seed }).begin());
      faults.kill(0);
      faults.advance(1_000);
      faults.start(0);
      faults.advance(500);
      faults.kill(1);
      faults.kill(2);
      const idleMs = faults.advance(3_000);
      faults.start(1);
      faults.start(2);
      const idleAfterMs = faults.advance(5_000);
      assert.ok(idleMs + idleAfterMs <= 1_200, `${idleMs} ms and ${idleAfterMs} ms idle with seed ${seed}`);
    }
  });
});

test('under random faults on up to two of three endpoints healthy ones stand idle for less than 1 % of the time', () => {
  let idleMs = 0;
  let totalMs = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const random = seededRandom(seed);
    const faults = new Faults(new HealthBench({ endpoints: 3, seed }).begin());
    for (let fault = 0; fault < 20; fault++) {
      const slots = [0, 1, 2].filter(() => random.next() < 0.6).slice(0, 2);
      for (const slot of slots) faults.kill(slot);
      const downMs = 500 + Math.floor(random.next() * 4_000);
      const pauseMs = 200 + Math.floor(random.next() * 3_000);
      idleMs += faults.advance(downMs);
      for (const slot of slots) faults.start(slot);
      idleMs += faults.advance(pauseMs);
      totalMs += downMs + pauseMs;
    }
  }
  const share = idleMs / totalMs;
  assert.ok(share < 0.01, `${(100 * share).toFixed(2)} % of ${totalMs} ms`);
});
