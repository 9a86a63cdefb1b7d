// The retry budget of an upstream, shared by all workers (docs/algorithms.md 4.2): every request deposits a share of a
// retry, every retry withdraws a whole one, main adds a floor each second. Thread: both.

import { UPSTREAM } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import type { RetrySnapshot } from '../../core/snapshot/upstream.ts';

/** The balance counts thousandths of a retry. */
const ONE_RETRY = 1000;
/** Seconds of deposits that a balance may hold. */
const HELD_SECONDS = 10;

/** Worker: a request was admitted. */
export function depositForRequest(region: Region, upstream: number, settings: RetrySnapshot): void {
  const deposit = Math.round(settings.budgetRatio * ONE_RETRY);
  if (deposit > 0) Atomics.add(region.words, balanceWord(region, upstream), deposit);
}

/** Worker: withdraws one retry from the budget. Returns false where it is used up. */
export function withdrawForRetry(region: Region, upstream: number): boolean {
  const word = balanceWord(region, upstream);
  let seen = Atomics.load(region.words, word);
  while (seen >= ONE_RETRY) {
    const before = Atomics.compareExchange(region.words, word, seen, seen - ONE_RETRY);
    if (before === seen) return true;
    seen = before;
  }
  return false;
}

/** Worker: a retry was sent. The own row comes first here and last in `retryEnded`: see core/memory/reservation.ts. */
export function retryBegan(region: Region, worker: number, upstream: number): void {
  region.words[region.retryingWord(worker, upstream)]!++;
  Atomics.add(region.words, activeWord(region, upstream), 1);
}

/** Worker: a retry has ended, however it went. */
export function retryEnded(region: Region, worker: number, upstream: number): void {
  Atomics.sub(region.words, activeWord(region, upstream), 1);
  region.words[region.retryingWord(worker, upstream)]!--;
}

/** Main: fills a new upstream's budget with its floor. */
export function openBudget(region: Region, upstream: number, settings: RetrySnapshot): void {
  Atomics.store(region.words, balanceWord(region, upstream), floorOf(settings) * HELD_SECONDS);
}

/**
 * Main, once a second: adds the floor and clamps to what ten seconds may hold.
 * @param requestsPerSecond requests of the last second, over all workers
 */
export function topUpBudget(
  region: Region,
  upstream: number,
  settings: RetrySnapshot,
  requestsPerSecond: number,
): void {
  const word = balanceWord(region, upstream);
  const most = HELD_SECONDS * Math.max(floorOf(settings), requestsPerSecond * settings.budgetRatio * ONE_RETRY);
  const surplus = Atomics.add(region.words, word, floorOf(settings)) + floorOf(settings) - Math.round(most);
  if (surplus > 0) Atomics.sub(region.words, word, surplus);
}

function floorOf(settings: RetrySnapshot): number {
  return settings.budgetMin * ONE_RETRY;
}

function activeWord(region: Region, upstream: number): number {
  return region.upstreamWord(upstream) + UPSTREAM.activeRetries.index;
}

function balanceWord(region: Region, upstream: number): number {
  return region.upstreamWord(upstream) + UPSTREAM.retryBalance.index;
}
