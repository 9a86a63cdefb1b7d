// Reclaims the records of removed endpoints, upstreams and listeners: once every worker has installed the revision, and
// nothing is in flight or queued there (docs/design.md 1.6). Their counters start at zero for the next owner.
// Thread: main.

import {
  ENDPOINT_BLOCK,
  ENDPOINT_FIELD,
  ENDPOINT_LEVELS,
  LISTENER_BLOCK,
  LISTENER_FIELD,
  LISTENER_LEVELS,
  UPSTREAM_BLOCK,
} from '../core/memory/lane-fields.ts';
import { ENDPOINT, UPSTREAM } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import type { SnapshotConsumer } from './snapshot-owner.ts';

const RECLAIM_INTERVAL_MS = 500;

/** Owner table of slots: config's SlotTable. */
export interface SlotOwners {
  retire(revision: number): readonly number[];
  reclaim(slot: number, revision: number): boolean;
}

/** The tables of one region. */
export interface OwnedTables {
  readonly endpoints: SlotOwners;
  readonly upstreams: SlotOwners;
  readonly listeners: SlotOwners;
}

/** A kind of record: when it is busy, and where its counters are. */
interface RecordKind {
  readonly owners: SlotOwners;
  readonly isBusy: (slot: number) => boolean;
  readonly lane: (worker: number, slot: number) => number;
  /** Runs of fields that are no levels. Levels are not cleared: open connections decrement them later. */
  readonly counters: readonly FieldRun[];
}

/** Neighbouring fields of a lane. */
interface FieldRun {
  readonly begin: number;
  readonly end: number;
}

/** A consumer that comes after the workers. Changes of endpoints wait until every worker has installed them. */
export class SlotReclaimer implements SnapshotConsumer {
  readonly #kinds: readonly RecordKind[];
  readonly #region: Region;
  readonly #timers: Timers;
  readonly #isInstalled: (membership: number) => boolean;
  #timer: TimerHandle | null = null;
  #newest: Numbers = { revision: 0, membership: 0 };

  /** @param isInstalled whether every worker that runs has installed a change of endpoints */
  constructor(tables: OwnedTables, region: Region, timers: Timers, isInstalled: (membership: number) => boolean) {
    this.#kinds = kindsOf(tables, region);
    this.#isInstalled = isInstalled;
    this.#region = region;
    this.#timers = timers;
  }

  /** Reclaims after a pause, in which exchanges on earlier Runtimes make their last counts, until nothing is left. */
  apply({ revision, membership }: Numbers): void {
    this.#newest = { revision, membership };
    this.#timer?.cancel();
    this.#plan();
  }

  /** A steady flow of changes must not put the reclaim off for ever: the timer goes on, for what was removed before it began. */
  amend({ revision, membership }: Numbers): void {
    this.#newest = { revision, membership };
    if (this.#timer === null) this.#plan();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #plan(): void {
    const { revision } = this.#newest;
    const due = this.#kinds.map(({ owners }) => owners.retire(revision));
    this.#timer = this.#timers.after(RECLAIM_INTERVAL_MS, () => this.#reclaim(due));
  }

  /** @param due of each kind: slots that had lost their owners when the pause began */
  #reclaim(due: readonly (readonly number[])[]): void {
    this.#timer = null;
    const { revision, membership } = this.#newest;
    if (this.#isInstalled(membership)) {
      for (const [at, kind] of this.#kinds.entries()) reclaim(kind, due[at]!, revision, this.#region);
    }
    if (this.#kinds.some(({ owners }) => owners.retire(revision).length > 0)) this.#plan();
  }
}

type Numbers = Pick<Snapshot, 'revision' | 'membership'>;

/** Reclaims those that are not busy. */
function reclaim(kind: RecordKind, slots: readonly number[], revision: number, region: Region): void {
  for (const slot of slots) {
    if (!kind.isBusy(slot) && kind.owners.reclaim(slot, revision)) clearCounters(kind, slot, region);
  }
}

function clearCounters(kind: RecordKind, slot: number, region: Region): void {
  for (let worker = 0; worker < region.capacity.workers; worker++) {
    const base = kind.lane(worker, slot);
    for (const { begin, end } of kind.counters) region.doubles.fill(0, base + begin, base + end);
  }
}

function countersOf(blockLength: number, levels: readonly number[]): readonly FieldRun[] {
  const bounds = [-1, ...levels.toSorted((a, b) => a - b), blockLength];
  const runs = bounds.slice(1).map((end, at) => ({ begin: bounds[at]! + 1, end }));
  return runs.filter(({ begin, end }) => begin < end);
}

function kindsOf(tables: OwnedTables, region: Region): readonly RecordKind[] {
  const levelOfAnyWorker = (slot: number): boolean => {
    for (let worker = 0; worker < region.capacity.workers; worker++) {
      if (region.doubles[region.listenerLane(worker, slot) + LISTENER_FIELD.connectionsOpen]! > 0) return true;
    }
    return false;
  };
  return [
    {
      owners: tables.endpoints,
      isBusy: (slot) =>
        [ENDPOINT.inflight, ENDPOINT.queued].some(({ index }) => region.words[region.endpointWord(slot) + index]! > 0),
      lane: (worker, slot) => region.endpointLane(worker, slot),
      counters: countersOf(
        ENDPOINT_BLOCK,
        ENDPOINT_LEVELS.map((field) => ENDPOINT_FIELD[field]),
      ),
    },
    {
      owners: tables.upstreams,
      isBusy: (index) => region.words[region.upstreamWord(index) + UPSTREAM.queued.index]! > 0,
      lane: (worker, index) => region.upstreamLane(worker, index),
      counters: countersOf(UPSTREAM_BLOCK, []),
    },
    {
      owners: tables.listeners,
      isBusy: levelOfAnyWorker,
      lane: (worker, index) => region.listenerLane(worker, index),
      counters: countersOf(
        LISTENER_BLOCK,
        LISTENER_LEVELS.map((field) => LISTENER_FIELD[field]),
      ),
    },
  ];
}
