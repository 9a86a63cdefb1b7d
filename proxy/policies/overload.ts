// Overload monitor of a worker: decides which new requests are refused before memory runs out, too many requests run at
// once, or the event loop falls behind (docs/algorithms.md 6.2). Open exchanges continue. Thread: worker.
//
// Each worker measures itself and writes its memory to the shared region, so that the limit covers the whole process.

import { WORKER } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import type { Priority } from '../../core/snapshot/route.ts';
import type { OverloadSnapshot } from '../../core/snapshot/snapshot.ts';
import type { MemoryReading } from './memory-reading.ts';

/** Share of each limit up to which requests of a priority are accepted. */
const SHARES: Readonly<Record<Priority, number>> = { critical: 1, default: 0.95, sheddable: 0.8 };

/** Usable share of V8's heap limit: shortly below the limit V8 collects garbage all the time, and at it ends the thread. */
const HEAP_SHARE = 0.85;
const MEASURE_MS = 50;
/** The event loop is late if it was late throughout this time: a single garbage collection doesn't count. */
const STANDING_MS = 100;
/** Memory that stays above its limit for this long may be garbage that V8 has not collected. */
const COLLECT_AFTER_MS = 1_000;
const COLLECT_EVERY_MS = 5_000;
/** The log reports the end of an overload after this time without a refused request. */
const CALM_MS = 5_000;

/** The limit that an overload has reached. */
export type OverloadCause = 'memory' | 'heap' | 'requests' | 'eventLoop';

/** Causes in words, for the log. */
export const OVERLOAD_REASONS: Readonly<Record<OverloadCause, string>> = {
  memory: 'the memory of all workers is near overload.memory',
  heap: 'the heap of this worker is near what V8 gives it',
  requests: 'as many requests are in progress as overload.requests allows',
  eventLoop: 'the event loop of this worker is as late as overload.eventLoopLag allows',
};

export interface OverloadParts {
  readonly region: Region;
  readonly worker: number;
  readonly settings: () => OverloadSnapshot;
  readonly readMemory: () => MemoryReading;
  readonly collectGarbage: () => void;
  /** Receives the begin and the end of shedding. @param cause null at the end */
  readonly onChange: (cause: OverloadCause | null, pressure: number) => void;
}

export class Overload {
  readonly #parts: OverloadParts;
  readonly #memoryWord: number;
  readonly #pressureWord: number;
  #memory = 0;
  #heap = 0;
  #lag = 0;
  #measuredMs = -Infinity;
  #overSinceMs = Infinity;
  #collectedMs = -Infinity;
  #leastLateMs = Infinity;
  #lateSinceMs = -Infinity;
  #isShedding = false;
  #shedMs = -Infinity;
  #nowMs = 0;

  constructor(parts: OverloadParts) {
    this.#parts = parts;
    const word = parts.region.workerWord(parts.worker);
    this.#memoryWord = word + WORKER.memory.index;
    this.#pressureWord = word + WORKER.pressure.index;
  }

  /**
   * Advances the monitor; the worker calls it at every tick.
   * @param lateMs delay of the tick beyond its plan
   */
  tick(nowMs: number, lateMs: number): void {
    this.#nowMs = nowMs;
    this.#noteLateness(nowMs, lateMs);
    if (nowMs - this.#measuredMs < MEASURE_MS) return;
    this.#measuredMs = nowMs;
    this.#measure(nowMs);
    if (this.#isShedding && nowMs - this.#shedMs > CALM_MS) this.#change(null, 0);
  }

  /** Whether a request of this priority is refused now. */
  mustRefuse(priority: Priority): boolean {
    const share = SHARES[priority];
    const cause = this.#causeAbove(share);
    if (cause === null) return false;
    this.#shedMs = this.#nowMs;
    if (!this.#isShedding) this.#change(cause, this.pressure);
    return true;
  }

  /** Use of the fullest limit; 1 is full. */
  get pressure(): number {
    return Math.max(this.#memory, this.#heap, this.#lag, this.#requestPressure());
  }

  #causeAbove(share: number): OverloadCause | null {
    if (this.#memory >= share) return 'memory';
    if (this.#heap >= share) return 'heap';
    if (this.#lag >= share) return 'eventLoop';
    return this.#requestPressure() > share ? 'requests' : null;
  }

  /** Open requests of all workers, this one included; each worker may exceed the limit by one. */
  #requestPressure(): number {
    const { region, settings } = this.#parts;
    const most = settings().requests;
    if (most === 0) return 0;
    let open = 0;
    for (let worker = 0; worker < region.capacity.workers; worker++) {
      open += region.words[region.workerWord(worker) + WORKER.openExchanges.index]!;
    }
    return open / most;
  }

  #measure(nowMs: number): void {
    const { region, settings, readMemory } = this.#parts;
    const { heapBytes, heapLimitBytes, externalBytes } = readMemory();
    region.words[this.#memoryWord] = (heapBytes + externalBytes) / 1024;
    this.#heap = heapBytes / (HEAP_SHARE * heapLimitBytes);
    const most = settings().memoryBytes;
    this.#memory = most === 0 ? 0 : this.#usedBytes() / most;
    region.words[this.#pressureWord] = Math.min(1_000_000, this.pressure * 1000);
    this.#collectIfStuck(nowMs);
  }

  #usedBytes(): number {
    const { region } = this.#parts;
    let sumKiB = 0;
    for (let worker = 0; worker < region.capacity.workers; worker++) {
      sumKiB += region.words[region.workerWord(worker) + WORKER.memory.index]!;
    }
    return sumKiB * 1024;
  }

  /** Collects garbage by itself: a worker that refuses all requests allocates so little that V8 never would. */
  #collectIfStuck(nowMs: number): void {
    if (Math.max(this.#memory, this.#heap) < SHARES.sheddable) this.#overSinceMs = Infinity;
    else if (this.#overSinceMs === Infinity) this.#overSinceMs = nowMs;
    if (nowMs - this.#overSinceMs < COLLECT_AFTER_MS || nowMs - this.#collectedMs < COLLECT_EVERY_MS) return;
    this.#collectedMs = nowMs;
    this.#parts.collectGarbage();
  }

  #noteLateness(nowMs: number, lateMs: number): void {
    this.#leastLateMs = Math.min(this.#leastLateMs, lateMs);
    if (nowMs - this.#lateSinceMs < STANDING_MS) return;
    const most = this.#parts.settings().eventLoopLagMs;
    this.#lag = most === 0 ? 0 : this.#leastLateMs / most;
    this.#leastLateMs = Infinity;
    this.#lateSinceMs = nowMs;
  }

  #change(cause: OverloadCause | null, pressure: number): void {
    this.#isShedding = cause !== null;
    this.#parts.onChange(cause, pressure);
  }
}
