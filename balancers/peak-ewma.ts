// Balancer `peak-ewma`: in-flight times a moving average of the time to the response head, which rises at once and decays
// slowly (Finagle's rule, docs/algorithms.md 1.3), with a penalty for errors. Thread: both.

import type { Candidate, OutcomeObserver } from '../core/balancer.ts';
import { E_EWMA_COST, E_EWMA_STAMP, E_FACTOR, E_INFLIGHT } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import { leastLoaded } from './best-of-three.ts';
import type { CandidateTable } from './candidate-table.ts';
import { defineBalancer, type LoadMeasure } from './descriptor.ts';

interface PeakEwmaSettings {
  /** Time constant of the average, in ms. */
  readonly decayMs: number;
  /** Least latency that an error counts as, in ms. */
  readonly errorPenaltyMs: number;
}

/** Cost of an endpoint in ms while no endpoint has history: Linkerd's default. */
const SEED_MS = 30;
/**
 * Least cost in ms. Costs decay while idle; without a floor an endpoint that idled a minute longer than another would
 * look hundreds of times cheaper and take a whole burst before its first answer.
 */
const FLOOR_MS = 1;
/** Upper bound of the cost that a Retry-After adds, in ms. */
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

  /** Present cost in ms: the seed without history; decay stops at the floor. */
  #costAt(place: number, nowMs: number): number {
    const cost = this.#doubles[place + E_EWMA_COST]!;
    if (cost === 0) return this.#seedMs;
    const steps = (nowMs - this.#doubles[place + E_EWMA_STAMP]!) * this.#stepsPerMs;
    if (steps <= 0) return cost;
    const decayed = steps < DECAYS.length ? cost * DECAYS[Math.floor(steps)]! : 0;
    return decayed > FLOOR_MS ? decayed : Math.min(cost, FLOOR_MS);
  }
}

/** The load measure for candidates of which `usable` can be picked. */
function measureFor(settings: PeakEwmaSettings, usable: readonly Candidate[], region: Region) {
  const seed = seedMs(usable, region);
  return (table: CandidateTable): LoadMeasure => new PeakEwmaLoad(table, region, settings.decayMs, seed);
}

/** Cost of an endpoint without history: the undecayed median of the others. */
function seedMs(usable: readonly Candidate[], region: Region): number {
  const costs = usable
    .map((candidate) => region.doubles[region.endpointWord(candidate.slot) / 2 + E_EWMA_COST]!)
    .filter((cost) => cost > 0)
    .sort((a, b) => a - b);
  return costs[costs.length >> 1] ?? SEED_MS;
}

/** Keeps each endpoint's average latency in shared memory, for the pickers of all workers. */
class LatencyAverages implements OutcomeObserver {
  readonly #region: Region;
  readonly #settings: PeakEwmaSettings;

  constructor(region: Region, settings: PeakEwmaSettings) {
    this.#region = region;
    this.#settings = settings;
  }

  /**
   * Plain stores: when two workers store at the same moment one sample is lost, which costs less than a contended
   * compare-and-swap for each response. The time to the head counts, not to the end of the body: a long download
   * would make its endpoint look slow.
   * @param nowMs milliseconds since the region's origin: all workers read the stamps
   */
  answered(slot: number, ms: number, nowMs: number): void {
    const { doubles } = this.#region;
    const place = this.#region.endpointWord(slot) / 2;
    const cost = doubles[place + E_EWMA_COST]!;
    const stamp = doubles[place + E_EWMA_STAMP]!;
    const kept = Math.exp(-Math.max(0, nowMs - stamp) / this.#settings.decayMs);
    const next = ms > cost ? ms : cost * kept + ms * (1 - kept);
    // Zero means no history.
    doubles[place + E_EWMA_COST] = Math.max(next, Number.MIN_VALUE);
    doubles[place + E_EWMA_STAMP] = Math.max(stamp, nowMs);
  }

  /** Without the penalty an endpoint that fails fast looks best and takes nearly all of the traffic. */
  failed(slot: number, ms: number, nowMs: number): void {
    this.answered(slot, Math.max(ms, this.#settings.errorPenaltyMs), nowMs);
  }

  overloaded(slot: number, ms: number, retryAfterMs: number, nowMs: number): void {
    if (retryAfterMs <= 0) return this.failed(slot, ms, nowMs);
    this.answered(slot, Math.max(ms, Math.min(retryAfterMs, RETRY_AFTER_MAX_MS)), nowMs);
  }
}

export const peakEwma = defineBalancer({
  name: 'peak-ewma',
  options: ({ duration }) => ({
    decay: duration()
      .prefault('10s')
      .describe('With `peak-ewma`: time in which an old latency loses most of its weight.'),
    errorPenalty: duration()
      .prefault('1s')
      .describe('With `peak-ewma`: latency that an error counts as, so that failing fast attracts nothing.'),
  }),
  compile: ({ decay, errorPenalty }): PeakEwmaSettings => ({ decayMs: decay, errorPenaltyMs: errorPenalty }),
  build: (settings, candidates, context) =>
    leastLoaded(candidates.usable, context, measureFor(settings, candidates.usable, context.region)),
  load: measureFor,
  observe: (settings, region) => new LatencyAverages(region, settings),
  because: () => 'least time to a response expected, for its weight',
});
