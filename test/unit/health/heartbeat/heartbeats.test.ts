// The scheduler of heartbeats under a fake clock. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../../core/random.ts';
import type { HeartbeatSnapshot } from '../../../../core/snapshot/health.ts';
import type { HeartbeatRecord, HeartbeatTarget } from '../../../../health/checkers/checker.ts';
import { firstDelayMs, type IntervalChoice } from '../../../../health/heartbeat/heartbeat-timing.ts';
import { Heartbeats, MAX_CONCURRENT } from '../../../../health/heartbeat/heartbeats.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { HEARTBEAT, PlayedChecker, REFUSED } from '../../../support/health-bench.ts';
import { endpointSnapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

function targetOf(slot: number, heartbeat: Partial<HeartbeatSnapshot> = {}): HeartbeatTarget {
  return {
    endpoint: endpointSnapshot(slot),
    upstream: upstreamSnapshot(),
    heartbeat: { ...HEARTBEAT, ...heartbeat },
  };
}

class Bench {
  readonly clock = new FakeClock();
  readonly checker = new PlayedChecker(this.clock);
  readonly records: (HeartbeatRecord & { slot: number })[] = [];
  choice: IntervalChoice = 'normal';
  onResult: (slot: number) => void = () => {};
  readonly heartbeats = new Heartbeats({
    clock: this.clock,
    timers: this.clock,
    random: seededRandom(3),
    runCheck: this.checker.check,
    intervalOf: () => this.choice,
    onResult: (slot, record) => {
      this.records.push({ slot, ...record });
      this.onResult(slot);
    },
  });

  gapsOf(slot: number): number[] {
    const starts = this.checker.startsOf(slot);
    return starts.slice(1).map((start, index) => start - starts[index]!);
  }

  get causes(): string[] {
    return this.records.map(({ kind, cause }) => `${kind}: ${cause}`);
  }
}

describe('when heartbeats come', () => {
  test('the first after the delay by name, the others an interval from start to start, with jitter', () => {
    const bench = new Bench();
    bench.checker.latencyMs = 300;
    bench.heartbeats.set(targetOf(0));
    bench.clock.advance(100_000);
    assert.equal(bench.checker.startsOf(0)[0], firstDelayMs('api/127.0.0.1:3000', HEARTBEAT));
    const gaps = bench.gapsOf(0);
    assert.ok(gaps.length >= 45);
    assert.ok(gaps.every((ms) => ms >= 1_800 && ms <= 2_200));
    assert.ok(new Set(gaps).size > 40);
  });

  for (const [choice, intervalMs] of [
    ['normal', 2_000],
    ['fast', 500],
    ['backedOff', 5_000],
  ] as const) {
    test(`at the interval ${choice}, every ${intervalMs} ms`, () => {
      const bench = new Bench();
      bench.choice = choice;
      bench.heartbeats.set(targetOf(0));
      bench.clock.advance(60_000);
      const gaps = bench.gapsOf(0);
      assert.ok(gaps.length > 5 && gaps.every((ms) => Math.abs(ms - intervalMs) <= intervalMs * 0.1));
    });
  }

  test('never in maintenance, and at once after it', () => {
    const bench = new Bench();
    bench.choice = 'none';
    bench.heartbeats.set(targetOf(0));
    bench.clock.advance(60_000);
    assert.equal(bench.checker.began.length, 0);
    assert.equal(bench.clock.pendingCount, 0);
    assert.equal(bench.heartbeats.checkNow(0), false);
    bench.choice = 'normal';
    bench.heartbeats.reschedule(0);
    assert.deepEqual(bench.checker.startsOf(0), [60_000]);
  });

  test('a shorter interval brings the next one forward, measured from the last start', () => {
    const bench = new Bench();
    bench.heartbeats.set(targetOf(0));
    bench.clock.advance(2_000);
    const last = bench.checker.startsOf(0).at(-1)!;
    bench.choice = 'fast';
    bench.heartbeats.reschedule(0);
    const next = bench.heartbeats.nextMs(0)!;
    assert.ok(next === bench.clock.nowMs() || (next >= last + 450 && next <= last + 550));
  });

  test('one that takes longer than the interval is followed at once, and never overlapped', () => {
    const bench = new Bench();
    bench.checker.latencyMs = 900;
    bench.choice = 'fast';
    bench.heartbeats.set(targetOf(0));
    bench.clock.advance(20_000);
    assert.equal(bench.checker.mostRunning, 1);
    assert.ok(bench.gapsOf(0).every((ms) => ms === 900));
  });
});

describe('checkNow', () => {
  test('begins one at once and plans the next from it', () => {
    const bench = new Bench();
    bench.heartbeats.set(targetOf(0));
    bench.clock.advance(5_000);
    const before = bench.checker.began.length;
    assert.ok(bench.heartbeats.checkNow(0));
    assert.equal(bench.checker.began.length, before + 1);
    const nextMs = bench.heartbeats.nextMs(0)!;
    assert.ok(nextMs >= 6_800 && nextMs <= 7_200);
  });

  test('while one is running begins another right after it, once', () => {
    const bench = new Bench();
    bench.checker.latencyMs = 200;
    bench.heartbeats.set(targetOf(0, { intervalMs: 1 }));
    bench.clock.advance(0);
    bench.heartbeats.checkNow(0);
    bench.heartbeats.checkNow(0);
    assert.equal(bench.checker.began.length, 1);
    bench.clock.advance(200);
    assert.deepEqual(bench.checker.startsOf(0), [0, 200]);
    assert.equal(bench.checker.mostRunning, 1);
  });

  test('from within a result begins another one', () => {
    const bench = new Bench();
    bench.checker.latencyMs = 10;
    bench.heartbeats.set(targetOf(0, { intervalMs: 1 }));
    bench.onResult = (slot) => {
      if (bench.records.length === 1) bench.heartbeats.checkNow(slot);
    };
    bench.clock.advance(20);
    assert.deepEqual(bench.checker.startsOf(0).slice(0, 2), [0, 10]);
  });

  test('of an endpoint without heartbeat is refused', () => {
    assert.equal(new Bench().heartbeats.checkNow(5), false);
  });
});

describe('many at once', () => {
  test(`no more than ${MAX_CONCURRENT} run, the others wait their turn, an urgent one goes first`, () => {
    const bench = new Bench();
    for (let slot = 0; slot < 100; slot++) bench.checker.results.set(slot, null);
    for (let slot = 0; slot < 100; slot++) bench.heartbeats.set(targetOf(slot, { intervalMs: 1 }));
    bench.clock.advance(0);
    assert.equal(bench.checker.began.length, MAX_CONCURRENT);
    bench.heartbeats.checkNow(99);
    assert.equal(bench.checker.began.length, MAX_CONCURRENT);
    bench.clock.advance(1_000);
    assert.equal(bench.checker.mostRunning, MAX_CONCURRENT);
    assert.equal(bench.checker.began[MAX_CONCURRENT]?.slot, 99);
    assert.equal(new Set(bench.checker.began.slice(0, 100).map(({ slot }) => slot)).size, 100);
  });

  test('waiting for a turn is not lag: results count', () => {
    const bench = new Bench();
    bench.checker.latencyMs = 400;
    for (let slot = 0; slot < 1_000; slot++) {
      bench.checker.results.set(slot, REFUSED);
      bench.heartbeats.set(targetOf(slot, { intervalMs: 1, fastIntervalMs: 1 }));
    }
    bench.clock.advance(10_000);
    assert.ok(bench.records.length >= 1_000);
    assert.ok(bench.records.every(({ kind }) => kind === 'fail'));
  });
});

describe('the timeout', () => {
  test('cancels a heartbeat that hangs, names its phase, and schedules from its start', () => {
    const bench = new Bench();
    bench.checker.results.set(0, null);
    bench.heartbeats.set(targetOf(0, { intervalMs: 1 }));
    bench.clock.advance(1_000);
    assert.deepEqual(bench.causes, ['fail: no answer within 1 s (waiting for the response)']);
    assert.ok(bench.checker.began[0]!.isCancelled);
    assert.equal(bench.records[0]!.durationMs, 1_000);
  });
});

describe('the end of heartbeats', () => {
  test('a removed endpoint: its running one is cancelled and its result dropped', () => {
    const bench = new Bench();
    bench.checker.latencyMs = 100;
    bench.heartbeats.set(targetOf(0, { intervalMs: 1 }));
    bench.clock.advance(50);
    bench.heartbeats.remove(0);
    bench.clock.advance(60_000);
    assert.ok(bench.checker.began[0]!.isCancelled);
    assert.equal(bench.records.length, 0);
    assert.equal(bench.clock.pendingCount, 0);
  });

  test('a result that takes the endpoint out of service is followed by nothing', () => {
    const bench = new Bench();
    bench.heartbeats.set(targetOf(0));
    bench.onResult = (slot) => {
      bench.choice = 'none';
      bench.heartbeats.reschedule(slot);
    };
    bench.clock.advance(60_000);
    assert.equal(bench.records.length, 1);
    assert.equal(bench.clock.pendingCount, 0);
  });

  test('stop: nothing is left', () => {
    const bench = new Bench();
    bench.checker.latencyMs = 100;
    for (let slot = 0; slot < 100; slot++) bench.heartbeats.set(targetOf(slot));
    bench.clock.advance(1_000);
    bench.heartbeats.stop();
    bench.clock.advance(200);
    assert.equal(bench.clock.pendingCount, 0);
  });
});

describe('a reload', () => {
  test('that changes nothing keeps the rhythm', () => {
    const bench = new Bench();
    bench.heartbeats.set(targetOf(0));
    bench.clock.advance(3_000);
    const before = bench.heartbeats.nextMs(0)!;
    bench.heartbeats.set(targetOf(0));
    assert.ok(bench.heartbeats.nextMs(0)! <= before);
    assert.equal(bench.checker.began.length, bench.records.length);
  });

  test('that changes the check cancels the running one and starts another at once', () => {
    const bench = new Bench();
    bench.checker.latencyMs = 100;
    bench.heartbeats.set(targetOf(0, { intervalMs: 1 }));
    bench.clock.advance(50);
    bench.heartbeats.set(targetOf(0, { intervalMs: 1, path: '/other' }));
    assert.deepEqual(bench.checker.startsOf(0), [0, 50]);
    assert.ok(bench.checker.began[0]!.isCancelled);
  });
});

describe('the own-lag guard', () => {
  test('a failure that came while our loop was stalled for more than half the timeout counts for nothing', () => {
    const bench = new Bench();
    bench.checker.results.set(0, null);
    bench.heartbeats.set(targetOf(0, { intervalMs: 1 }));
    bench.clock.advance(400);
    bench.clock.stall(620);
    assert.equal(bench.records.length, 1);
    assert.match(bench.causes[0]!, /^unknown: own event loop was late by 6\d\d ms, else: no answer within 1 s/);
  });

  test('a shorter stall changes nothing', () => {
    const bench = new Bench();
    bench.checker.results.set(0, null);
    bench.heartbeats.set(targetOf(0, { intervalMs: 1 }));
    bench.clock.advance(600);
    bench.clock.stall(450);
    assert.match(bench.causes[0]!, /^fail: no answer within 1 s/);
  });

  test('a stall in the middle counts though the timeout itself is on time', () => {
    const bench = new Bench();
    bench.checker.results.set(0, null);
    bench.heartbeats.set(targetOf(0, { intervalMs: 1 }));
    bench.clock.advance(100);
    bench.clock.stall(600);
    bench.clock.advance(300);
    assert.match(bench.causes[0]!, /^unknown: /);
  });

  test('a pass stays a pass: the endpoint did answer', () => {
    const bench = new Bench();
    bench.checker.latencyMs = 200;
    bench.heartbeats.set(targetOf(0, { intervalMs: 1 }));
    bench.clock.advance(100);
    bench.clock.stall(700);
    assert.equal(bench.records[0]!.kind, 'ok');
  });

  test('a failure of one that began late by more than its interval counts for nothing, the next one counts', () => {
    const bench = new Bench();
    bench.heartbeats.set(targetOf(0));
    bench.clock.advance(2_500);
    bench.checker.results.set(0, REFUSED);
    const from = bench.records.length;
    bench.clock.stall(5_000);
    bench.clock.advance(2_200);
    const kinds = bench.records.slice(from).map(({ kind }) => kind);
    assert.deepEqual(kinds.slice(0, 2), ['unknown', 'fail']);
  });
});
