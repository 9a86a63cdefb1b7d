// A slot that another endpoint gets has nothing of the one before: every word of its record in shared memory, every field of
// its lanes, and what workers have learned. The latency average of peak-ewma, and each worker's latency baseline, Retry-After
// and sources of failures once survived. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SlotReclaimer } from '../../control/slot-reclaimer.ts';
import {
  ENDPOINT_BLOCK,
  ENDPOINT_FIELDS,
  ENDPOINT_LEVELS,
  type EndpointField,
  LISTENER_FIELDS,
  LISTENER_LEVELS,
} from '../../core/memory/lane-fields.ts';
import { AVAILABILITY } from '../../core/availability.ts';
import { ENDPOINT, FULL_FACTOR, type Word } from '../../core/memory/layout.ts';
import { Region } from '../../core/memory/region.ts';
import { Publisher } from '../../health/state/publisher.ts';
import { FailureSources } from '../../proxy/placement/failure-sources.ts';
import { LatencyBaselines } from '../../proxy/placement/latency-baseline.ts';
import { SlotOwners } from '../../proxy/placement/slot-owners.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { endpointSnapshot } from '../support/snapshots.ts';

const SLOT = 3;
const newRegion = (): Region => Region.allocate({ endpoints: 8, upstreams: 2, workers: 2, listeners: 2 }, 0);

/** Words of a new owner. `ours` is 0 when a slot is given away, because it isn't while it counts anything. */
const INITIAL: Readonly<Record<keyof typeof ENDPOINT, number | 'ours'>> = {
  inflight: 'ours',
  queued: 'ours',
  availability: AVAILABILITY.up,
  consecutiveFailures: 0,
  limit: 9,
  suspect: 0,
  halfOpenToken: 0,
  weight: 5,
  ewmaCostMs: 0,
  ewmaStampMs: 0,
  lastSuccessMs: 0,
  generation: 2,
  factor: FULL_FACTOR,
  warmStartMs: 0,
};

function write(region: Region, { type, index }: Word, value: number): void {
  const at = region.endpointWord(SLOT) + index;
  if (type === 'f64') region.doubles[at / 2] = value;
  else region.words[at] = value;
}

function read(region: Region, { type, index }: Word): number {
  const at = region.endpointWord(SLOT) + index;
  return type === 'f64' ? region.doubles[at / 2]! : region.words[at]!;
}

/** A reclaimer with one retired slot. */
function reclaimerOf(region: Region) {
  const clock = new FakeClock();
  const reclaimed: number[] = [];
  const none = { retire: () => [], reclaim: () => false };
  const endpoints = {
    retire: () => (reclaimed.length === 0 ? [SLOT] : []),
    reclaim: (slot: number) => reclaimed.push(slot) > 0,
  };
  const reclaimer = new SlotReclaimer({ endpoints, upstreams: none, listeners: none }, region, clock, () => true);
  reclaimer.apply({ revision: 2, membership: 0 });
  return { clock, reclaimed };
}

describe('a slot with a new owner', () => {
  for (const [name, word] of Object.entries(ENDPOINT) as [keyof typeof ENDPOINT, Word][]) {
    test(`has a new ${name}`, () => {
      const region = newRegion();
      const expected = INITIAL[name];
      write(region, word, 77);
      if (expected === 'ours') {
        const { clock, reclaimed } = reclaimerOf(region);
        clock.advance(2_000);
        assert.deepEqual(reclaimed, [], 'it is not given away');
        write(region, word, 0);
        clock.advance(2_000);
        assert.deepEqual(reclaimed, [SLOT]);
        return;
      }
      new Publisher(region).adopt(0, endpointSnapshot(SLOT, { generation: 2, weight: 5 }), 9);
      assert.equal(read(region, word), expected);
    });
  }

  test('has no counters of the one before; levels are those of connections that still close', () => {
    const region = newRegion();
    for (const worker of [0, 1])
      region.doubles.fill(6, region.endpointLane(worker, SLOT), region.endpointLane(worker, SLOT) + ENDPOINT_BLOCK);
    reclaimerOf(region).clock.advance(2_000);
    const levels: readonly EndpointField[] = ENDPOINT_LEVELS;
    for (const worker of [0, 1]) {
      const lane = region.endpointLane(worker, SLOT);
      const left = Array.from({ length: ENDPOINT_BLOCK }, (_, field) => field).filter(
        (field) => region.doubles[lane + field] !== 0,
      );
      assert.deepEqual(
        left.map((field) => ENDPOINT_FIELDS[field]),
        levels,
      );
    }
  });

  test('has levels for everything that is counted down', () => {
    const isLevel = (field: string): boolean => /(?:Open|Idle|http2Connections|http2Streams)$/.test(field);
    assert.deepEqual(ENDPOINT_FIELDS.filter(isLevel), [...ENDPOINT_LEVELS]);
    assert.deepEqual(LISTENER_FIELDS.filter(isLevel), [...LISTENER_LEVELS]);
  });

  test('is noticed by workers, once, and never at its first owner', () => {
    const seen: number[] = [];
    const owners = new SlotOwners(8, [{ forgetSlot: (slot) => void seen.push(slot) }]);
    const of = (generation: number) => [endpointSnapshot(SLOT, { generation }), endpointSnapshot(4)];
    owners.apply(of(1));
    owners.apply(of(1));
    assert.deepEqual(seen, []);
    owners.apply(of(2));
    owners.apply(of(2));
    assert.deepEqual(seen, [SLOT]);
  });

  test('has no latency baseline in workers', () => {
    const fresh = new LatencyBaselines(8);
    const used = new LatencyBaselines(8);
    for (let turn = 0; turn < 9; turn++) {
      used.answered(SLOT, 50, 1_000 * turn);
      used.responded(SLOT, 1_000 * turn);
    }
    used.answered(SLOT, 900, 9_000);
    for (let turn = 0; turn < 5; turn++) used.lostHedge(SLOT);
    used.judgeOverdue(SLOT, false);
    used.mayReportSilence(SLOT, 9_500);
    used.forget(SLOT);
    assert.deepEqual(behaviour(used), behaviour(fresh));
  });

  test('has no failures of clients in workers', () => {
    const sources = new FailureSources();
    const request = { clientAddress: '192.0.2.1', routeName: 'r', head: { target: '/' } } as never;
    sources.failed(0, SLOT, request, 1_000);
    assert.equal(sources.failed(0, SLOT, request, 1_001).isRepeated, true);
    sources.forget(SLOT);
    assert.equal(sources.failed(0, SLOT, request, 1_002).isRepeated, false);
  });
});

/** Everything that a baseline answers about the slot. */
function behaviour(baselines: LatencyBaselines): unknown[] {
  const nowMs = 9_550;
  return [
    baselines.overdueMs(SLOT, 100, nowMs),
    baselines.hasRespondedSince(SLOT, -1),
    baselines.mayReportSilence(SLOT, nowMs),
    baselines.judgeOverdue(SLOT, false),
    baselines.lostHedge(SLOT),
    (baselines.answered(SLOT, 10, nowMs), baselines.overdueMs(SLOT, 1, nowMs)),
  ];
}
