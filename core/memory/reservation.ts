// Reserving and releasing a place at an endpoint: the exact in-flight count and its crash repair. Thread: both.
// docs/algorithms.md 7.2. Order: the own row first when adding, last when taking away, so that a crash between the two
// leaves at most one count in the own row, never one that nobody owns.

import { E_INFLIGHT, E_LIMIT, UPSTREAM } from './layout.ts';
import type { Region } from './region.ts';

/** Reserves one place for `worker` at `slot`. Returns false when the endpoint is at its limit. */
export function reserve(region: Region, worker: number, slot: number): boolean {
  const words = region.words;
  const word = region.endpointWord(slot);
  const own = region.ownWord(worker, slot);
  const limit = words[word + E_LIMIT]!;
  words[own]!++;
  if (limit === 0) {
    Atomics.add(words, word + E_INFLIGHT, 1);
    return true;
  }
  let seen = Atomics.load(words, word + E_INFLIGHT);
  while (seen < limit) {
    const before = Atomics.compareExchange(words, word + E_INFLIGHT, seen, seen + 1);
    if (before === seen) return true;
    seen = before;
  }
  words[own]!--;
  return false;
}

/** Gives back a place that `reserve` granted. */
export function release(region: Region, worker: number, slot: number): void {
  const words = region.words;
  Atomics.sub(words, region.endpointWord(slot) + E_INFLIGHT, 1);
  words[region.ownWord(worker, slot)]!--;
}

/**
 * Main only, after `worker` has exited: takes back all that it had in flight.
 * Returns how many requests that was.
 */
export function repairAfterCrash(region: Region, worker: number): number {
  let repaired = 0;
  for (let slot = 0; slot < region.capacity.endpoints; slot++) {
    const owned = Atomics.exchange(region.words, region.ownWord(worker, slot), 0);
    if (owned === 0) continue;
    Atomics.sub(region.words, region.endpointWord(slot) + E_INFLIGHT, owned);
    clampAtZero(region, slot);
    repaired += owned;
  }
  repairQueues(region, worker);
  return repaired;
}

/** Nobody waits in a worker that is dead: its waiters leave the counts, and their tickets are done. */
function repairQueues(region: Region, worker: number): void {
  for (let upstream = 0; upstream < region.capacity.upstreams; upstream++) {
    const waiting = Atomics.exchange(region.words, region.waitingWord(worker, upstream), 0);
    if (waiting === 0) continue;
    const word = region.upstreamWord(upstream);
    Atomics.sub(region.words, word + UPSTREAM.queued.index, waiting);
    Atomics.add(region.words, word + UPSTREAM.ticketServed.index, waiting);
  }
}

/** A worker that died between its two writes may leave one count too few: never below zero. */
function clampAtZero(region: Region, slot: number): void {
  const word = region.endpointWord(slot) + E_INFLIGHT;
  for (let seen = Atomics.load(region.words, word); seen < 0; ) {
    const before = Atomics.compareExchange(region.words, word, seen, 0);
    if (before === seen) return;
    seen = before;
  }
}
