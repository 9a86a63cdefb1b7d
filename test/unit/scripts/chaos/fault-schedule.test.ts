// Properties of every fault schedule. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultSchedule } from '../../../../scripts/chaos/fault-schedule.ts';
import { type Fault, faultsAt } from '../../../../scripts/chaos/plan.ts';

const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1);
const DURATION_MS = 60_000;
const scheduleOf = (seed: number): readonly Fault[] => faultSchedule({ seed, durationMs: DURATION_MS, endpoints: 3 });

test('the same seed gives the same faults, another seed others', () => {
  assert.deepEqual(scheduleOf(7), scheduleOf(7));
  assert.notDeepEqual(scheduleOf(7), scheduleOf(8));
});

test('at most two of three endpoints are faulted at a time, and none twice at once', () => {
  for (const seed of SEEDS) {
    const faults = scheduleOf(seed);
    for (const { startMs } of faults) {
      const faulted = faultsAt(faults, startMs).map(({ endpoint }) => endpoint);
      assert.ok(faulted.length <= 2, `seed ${seed}: ${faulted.length} at ${startMs} ms`);
      assert.equal(new Set(faulted).size, faulted.length, `seed ${seed}: twice at ${startMs} ms`);
    }
  }
});

test('one endpoint alone, and two at a time, are faulted for a good part of every run', () => {
  for (const seed of SEEDS) {
    const faults = scheduleOf(seed);
    const counts = [0, 0, 0];
    for (let atMs = 0; atMs < DURATION_MS; atMs += 100) counts[faultsAt(faults, atMs).length]!++;
    assert.ok(counts[1]! > 120 && counts[2]! > 60, `seed ${seed}: ${counts.join(', ')} of 600 moments`);
  }
});

test('an endpoint has a second without a fault after each fault', () => {
  for (const seed of SEEDS) {
    const ofOne = Object.values(Object.groupBy(scheduleOf(seed), ({ endpoint }) => endpoint));
    for (const faults of ofOne) {
      faults!.slice(1).forEach((fault, index) => assert.ok(fault.startMs >= faults![index]!.endMs + 1000));
    }
  }
});

test('faults last from one to four seconds, a killed process is absent for at most three, and all end before the run', () => {
  for (const fault of SEEDS.flatMap(scheduleOf)) {
    const spanMs = fault.endMs - fault.startMs;
    assert.ok(spanMs >= 1000 && spanMs <= (fault.kind === 'kill' ? 3000 : 4000));
    assert.ok(fault.startMs >= 2000 && fault.endMs <= DURATION_MS - 1500);
  }
});

test('all kinds are drawn, and all endpoints', () => {
  const faults = SEEDS.flatMap(scheduleOf);
  const kinds = Object.groupBy(faults, ({ kind }) => kind);
  assert.deepEqual(Object.keys(kinds).sort(), ['kill', 'late', 'reset', 'stop', 'unavailable']);
  for (const ofKind of Object.values(kinds)) assert.ok(ofKind.length > faults.length / 6);
  for (const endpoint of [0, 1, 2]) {
    assert.ok(faults.filter((fault) => fault.endpoint === endpoint).length > faults.length / 4);
  }
});

test('of two endpoints one is faulted at a time', () => {
  const faults = faultSchedule({ seed: 1, durationMs: DURATION_MS, endpoints: 2 });
  assert.ok(faults.length > 5);
  for (const { startMs } of faults) assert.equal(faultsAt(faults, startMs).length, 1);
});
