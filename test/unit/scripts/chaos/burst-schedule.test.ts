// Properties of every burst schedule. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_DOWN_MS, burstSchedule, LEAST_OVERLAP_MS, RECOVERY_MS } from '../../../../scripts/chaos/burst-schedule.ts';
import { type Fault, faultsAt } from '../../../../scripts/chaos/plan.ts';

const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1);
const DURATION_MS = 60_000;
const scheduleOf = (seed: number): readonly Fault[] => burstSchedule({ seed, durationMs: DURATION_MS, endpoints: 3 });

const lastEnd = (faults: readonly Fault[]): number => Math.max(...faults.map(({ endMs }) => endMs));

/** Splits a schedule where no fault is active. */
function burstsOf(faults: readonly Fault[]): readonly (readonly Fault[])[] {
  const bursts: Fault[][] = [];
  for (const fault of faults) {
    const current = bursts.at(-1);
    if (current === undefined || fault.startMs >= lastEnd(current)) bursts.push([fault]);
    else current.push(fault);
  }
  return bursts;
}

test('the same seed gives the same bursts, another seed others', () => {
  assert.deepEqual(scheduleOf(7), scheduleOf(7));
  assert.notDeepEqual(scheduleOf(7), scheduleOf(8));
});

test('faults are in order of start, and within the quiet times at both ends of the run', () => {
  for (const seed of SEEDS) {
    const faults = scheduleOf(seed);
    assert.equal(faults[0]!.startMs >= 2000 && faults[0]!.startMs <= 2500, true, `seed ${seed}`);
    faults.slice(1).forEach(({ startMs }, index) => assert.ok(startMs >= faults[index]!.startMs, `seed ${seed}`));
    for (const { startMs, endMs } of faults)
      assert.ok(startMs >= 2000 && endMs > startMs && endMs <= DURATION_MS - 1500);
  }
});

test('a minute has ten to sixteen bursts of two or three endpoints, two to four of them of all endpoints', () => {
  for (const seed of SEEDS) {
    const bursts = burstsOf(scheduleOf(seed));
    const ofAll = bursts.filter(({ length }) => length === 3).length;
    assert.ok(bursts.length >= 10 && bursts.length <= 16, `seed ${seed}: ${bursts.length} bursts`);
    assert.ok(ofAll >= 2 && ofAll <= 4, `seed ${seed}: ${ofAll} bursts of all`);
    assert.ok(
      bursts.every(({ length }) => length === 2 || length === 3),
      `seed ${seed}`,
    );
  }
});

test('no endpoint has two faults at once', () => {
  for (const faults of SEEDS.map(scheduleOf)) {
    for (const { startMs } of faults) {
      const faulted = faultsAt(faults, startMs).map(({ endpoint }) => endpoint);
      assert.equal(new Set(faulted).size, faulted.length);
    }
  }
});

test('in a burst of two, different endpoints are faulted together for at least half a second', () => {
  for (const burst of SEEDS.flatMap((seed) => burstsOf(scheduleOf(seed))).filter(({ length }) => length === 2)) {
    const [first, second] = burst as [Fault, Fault];
    assert.notEqual(first.endpoint, second.endpoint);
    assert.ok(Math.min(first.endMs, second.endMs) - second.startMs >= LEAST_OVERLAP_MS);
  }
});

test('in a burst of all, every process is killed, and all are down together for exactly two seconds', () => {
  for (const burst of SEEDS.flatMap((seed) => burstsOf(scheduleOf(seed))).filter(({ length }) => length === 3)) {
    assert.ok(burst.every(({ kind }) => kind === 'kill'));
    const allDownMs = Math.max(...burst.map(({ startMs }) => startMs));
    assert.equal(Math.min(...burst.map(({ endMs }) => endMs)) - allDownMs, ALL_DOWN_MS);
  }
});

test('all endpoints recover for a second between bursts, a little longer before one that kills all', () => {
  for (const seed of SEEDS) {
    const bursts = burstsOf(scheduleOf(seed));
    bursts.slice(1).forEach((burst, index) => {
      const recoveryMs = burst[0]!.startMs - lastEnd(bursts[index]!);
      if (burst.length === 2) assert.equal(recoveryMs, RECOVERY_MS, `seed ${seed}`);
      else assert.ok(recoveryMs >= RECOVERY_MS && recoveryMs <= RECOVERY_MS + 500, `seed ${seed}`);
    });
  }
});

test('the endpoint that survived a burst of two is the first to fail in the next one', () => {
  for (const seed of SEEDS) {
    const bursts = burstsOf(scheduleOf(seed));
    bursts.slice(1).forEach((burst, index) => {
      const before = bursts[index]!;
      if (burst.length === 3 || before.length === 3) return;
      assert.ok(
        before.every(({ endpoint }) => endpoint !== burst[0]!.endpoint),
        `seed ${seed}`,
      );
    });
  }
});

test('all kinds and all endpoints are drawn', () => {
  const faults = SEEDS.flatMap((seed) => burstsOf(scheduleOf(seed)))
    .filter(({ length }) => length === 2)
    .flat();
  const kinds = Object.groupBy(faults, ({ kind }) => kind);
  assert.deepEqual(Object.keys(kinds).sort(), ['kill', 'reset', 'stop', 'unavailable']);
  for (const ofKind of Object.values(kinds)) assert.ok(ofKind.length > faults.length / 5);
  for (const endpoint of [0, 1, 2]) {
    assert.ok(faults.filter((fault) => fault.endpoint === endpoint).length > faults.length / 4);
  }
});

test('a run that is too short for a burst has none, and fewer than three endpoints are refused', () => {
  assert.deepEqual(burstSchedule({ seed: 1, durationMs: 4000, endpoints: 3 }), []);
  assert.throws(() => burstSchedule({ seed: 1, durationMs: DURATION_MS, endpoints: 2 }), RangeError);
});
