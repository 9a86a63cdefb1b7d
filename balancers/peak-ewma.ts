// Balancer `peak-ewma`: in-flight times a moving average of the time to a response's head that jumps up at once and
// comes down slowly (Finagle's rule, docs/algorithms.md 1.3), with a penalty for errors. Thread: both.

import type { Balancer, Candidate } from '../core/balancer.ts';
import { E_EWMA_COST, E_EWMA_STAMP, E_FACTOR, E_INFLIGHT } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import { leastLoaded } from './best-of-three.ts';
import type { CandidateTable } from './candidate-table.ts';
import type { Candidates } from './candidates.ts';
import type { BalanceContext, SettingsOf } from './factory.ts';
import type { LoadMeasure } from './load-measure.ts';

export type PeakEwmaSettings = SettingsOf<'peak-ewma'>;

/** Cost of an endpoint without history where none has one, in ms: Linkerd's default. */
const SEED_MS = 30;
/**
 * Least cost in ms. Costs decay while idle; without a floor an endpoint that idled a minute longer than another would
 * look hundreds of times cheaper and take a whole burst before its first answer.
 */
const FLOOR_MS = 1;
/** Longest time that an endpoint's Retry-After keeps counting against it, in ms. */
const RETRY_AFTER_MAX_MS = 10_000;

/** e^-x for x from 0 to 8 in steps of 1/128: a load may be 0.8 % too high, and costs a third of Math.exp. */
const DECAY_STEPS = 128;
const DECAYS = Float64Array.from({ length: 8 * DECAY_STEPS + 1 }, (_, step) => Math.exp(-step / DECAY_STEPS));

/** (in-flight + 1) * decayed cost / (weight * factor). */
class PeakEwmaLoad implements LoadMeasure {
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #places: Int32Array;
  readonly #weights: Float64Array;
  readonly #stepsPerMs: number;
  readonly #seedMs: number;

  constructor(table: CandidateTable, region: Region, decayMs: number, seedMs: number) {
    this.#words = region.words;
    this.#doubles = region.doubles;
    this.#places = table.places;
    this.#weights = table.weights;
    this.#stepsPerMs = DECAY_STEPS / decayMs;
    this.#seedMs = seedMs;
  }

  of(index: number, nowMs: number): number {
    const place = this.#places[index]!;
    const cost = this.#costAt(place >> 1, nowMs);
    return ((this.#words[place + E_INFLIGHT]! + 1) * cost) / (this.#weights[index]! * this.#words[place + E_FACTOR]!);
  }

  fill(loads: Float64Array, nowMs: number): void {
    for (let index = 0; index < loads.length; index++) loads[index] = this.of(index, nowMs);
  }

  /** Cost now, in ms. Without history it is the seed; idleness lowers it to the floor at most. */
  #costAt(place: number, nowMs: number): number {
    const cost = this.#doubles[place + E_EWMA_COST]!;
    if (cost === 0) return this.#seedMs;
    const steps = (nowMs - this.#doubles[place + E_EWMA_STAMP]!) * this.#stepsPerMs;
    if (steps <= 0) return cost;
    const decayed = steps < DECAYS.length ? cost * DECAYS[Math.floor(steps)]! : 0;
    return decayed > FLOOR_MS ? decayed : Math.min(cost, FLOOR_MS);
  }
}

export function buildPeakEwma(settings: PeakEwmaSettings, candidates: Candidates, context: BalanceContext): Balancer {
  return leastLoaded(candidates.usable, context, peakEwmaMeasure(settings, candidates.usable, context.region));
}

/** The load that it compares, for candidates among which these are usable. */
export function peakEwmaMeasure(
  settings: PeakEwmaSettings,
  usable: readonly Candidate[],
  region: Region,
): (table: CandidateTable) => LoadMeasure {
  const seed = seedMs(usable, region);
  return (table) => new PeakEwmaLoad(table, region, settings.decayMs, seed);
}

/** What an endpoint without history is taken for: the median cost of the others, undecayed. */
function seedMs(usable: readonly Candidate[], region: Region): number {
  const costs = usable
    .map((candidate) => region.doubles[region.endpointWord(candidate.slot) / 2 + E_EWMA_COST]!)
    .filter((cost) => cost > 0)
    .sort((a, b) => a - b);
  return costs[costs.length >> 1] ?? SEED_MS;
}

/**
 * Takes in one answer. Plain stores: two workers at the same moment lose one sample, which is cheaper than a
 * contended compare-and-swap at every answer.
 * @param ms time from sending the request to the response's head. Not to the end of the body: long downloads would
 *   pass for a slow endpoint.
 * @param nowMs milliseconds since the region's origin: stamps are read by all workers.
 */
export function observe(region: Region, slot: number, ms: number, nowMs: number, settings: PeakEwmaSettings): void {
  const place = region.endpointWord(slot) / 2;
  const cost = region.doubles[place + E_EWMA_COST]!;
  const stamp = region.doubles[place + E_EWMA_STAMP]!;
  const kept = Math.exp(-Math.max(0, nowMs - stamp) / settings.decayMs);
  const next = ms > cost ? ms : cost * kept + ms * (1 - kept);
  // Zero means no history.
  region.doubles[place + E_EWMA_COST] = Math.max(next, Number.MIN_VALUE);
  region.doubles[place + E_EWMA_STAMP] = Math.max(stamp, nowMs);
}

/**
 * Takes in a failure (connect failure, reset, timeout, gateway-class status). Without the penalty an endpoint that
 * fails fast looks best and takes nearly all of the traffic.
 * @param ms how long the failure took; it counts as at least `errorPenaltyMs`.
 */
export function observeError(
  region: Region,
  slot: number,
  ms: number,
  nowMs: number,
  settings: PeakEwmaSettings,
): void {
  observe(region, slot, Math.max(ms, settings.errorPenaltyMs), nowMs, settings);
}

/** Takes in a refusal for overload (429, or 503) with a Retry-After of `retryAfterMs`; at most 10 s of it count. */
export function observeRetryAfter(
  region: Region,
  slot: number,
  retryAfterMs: number,
  nowMs: number,
  settings: PeakEwmaSettings,
): void {
  observe(region, slot, Math.min(retryAfterMs, RETRY_AFTER_MAX_MS), nowMs, settings);
}
