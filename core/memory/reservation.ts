// Reservation and release of in-flight places at an endpoint, and repair after a crash. Thread: both.
// docs/algorithms.md 7.2. Order: the own row first on reserve, last on release, so that a crash between the two writes
// leaves at most one count in the own row, never a count without an owner.

import { E_INFLIGHT, E_LIMIT, E_QUEUED, UPSTREAM } from './layout.ts';
import type { Region } from './region.ts';

/** Reserves a place for `worker` at `slot`. Returns false if the endpoint is at its limit. */
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

/** Releases a place that `reserve` granted. */
export function release(region: Region, worker: number, slot: number): void {
  const words = region.words;
  Atomics.sub(words, region.endpointWord(slot) + E_INFLIGHT, 1);
  words[region.ownWord(worker, slot)]!--;
}

/**
 * Main only, after `worker` has exited: subtracts its in-flight requests from the totals.
 * Returns their number.
 */
export function repairAfterCrash(region: Region, worker: number): number {
  let repaired = 0;
  for (let slot = 0; slot < region.endpointsUsed; slot++) {
    const owned = Atomics.exchange(region.words, region.ownWord(worker, slot), 0);
    if (owned === 0) continue;
    subtract(region, region.endpointWord(slot) + E_INFLIGHT, owned);
    repaired += owned;
  }
  repairQueues(region, worker);
  repairRetries(region, worker);
  return repaired;
}

/** Removes the waiters of a dead worker from the queue counts and marks their tickets served. */
function repairQueues(region: Region, worker: number): void {
  for (let slot = 0; slot < region.endpointsUsed; slot++) {
    const waiting = Atomics.exchange(region.words, region.endpointWaitingWord(worker, slot), 0);
    if (waiting !== 0) subtract(region, region.endpointWord(slot) + E_QUEUED, waiting);
  }
  for (let upstream = 0; upstream < region.capacity.upstreams; upstream++) {
    const waiting = Atomics.exchange(region.words, region.waitingWord(worker, upstream), 0);
    if (waiting === 0) continue;
    const word = region.upstreamWord(upstream);
    Atomics.sub(region.words, word + UPSTREAM.queued.index, waiting);
    Atomics.add(region.words, word + UPSTREAM.ticketServed.index, waiting);
  }
}

/** Removes the retries of a dead worker from the counts. */
function repairRetries(region: Region, worker: number): void {
  for (let upstream = 0; upstream < region.capacity.upstreams; upstream++) {
    const retrying = Atomics.exchange(region.words, region.retryingWord(worker, upstream), 0);
    if (retrying !== 0) subtract(region, region.upstreamWord(upstream) + UPSTREAM.activeRetries.index, retrying);
  }
}

/** Subtracts, and clamps at zero: a worker that died between its two writes may leave a count one too low. */
function subtract(region: Region, word: number, count: number): void {
  Atomics.sub(region.words, word, count);
  for (let seen = Atomics.load(region.words, word); seen < 0; ) {
    const before = Atomics.compareExchange(region.words, word, seen, 0);
    if (before === seen) return;
    seen = before;
  }
}
