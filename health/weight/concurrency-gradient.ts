// The adaptive limit of one endpoint: how many requests it may have in flight before its answers slow down
// (docs/algorithms.md 6.2, after the gradient controllers of Netflix and Envoy, on medians). Pure. Thread: main.
//
// The baseline is what an answer takes while the endpoint is not crowded. Where the median is near it the limit grows,
// where the median is far above it the limit shrinks, down to half in one step. An endpoint that is crowded all the time
// shows no baseline, so now and then the limit is halved for a moment: if answers are as slow as before, crowding isn't
// what makes them slow.

import type { Random } from '../../core/random.ts';

/** Never fewer: below it chance alone would make the median. */
const LEAST_LIMIT = 4;
/** Upper bound, unless configured. */
export const MOST_LIMIT = 10_000;
const FIRST_LIMIT = 20;
/** By this factor a median may exceed the baseline without any consequence. */
const BUFFER = 1.25;
const LEAST_GRADIENT = 0.5;
const MOST_GRADIENT = 2;
/** Weight of a new window in the baseline. */
const GAIN = 0.2;
/** By how much a baseline that can't be seen grows, per ms: 1 % a minute. */
const AGEING_PER_MS = 0.01 / 60_000;

/** From one look for the baseline of a crowded endpoint to the next: the span doubles while nothing changes. */
const FIRST_PROBE_MS = 1_000;
const LONGEST_PROBE_MS = 60_000;
/** Medians at the limit and at half of it that are nearer to each other than this don't depend on crowding. */
const DEPENDS_ON_CROWDING = 1.2;
/** A baseline that moved by less is the same. */
const MOVED = 1.1;

/** Successful responses of an endpoint in one window. */
export interface ConcurrencyWindow {
  readonly p50Ms: number;
  /** Most requests in flight. */
  readonly peak: number;
  readonly nowMs: number;
  readonly lengthMs: number;
}

/** `draining`: the limit was halved, and answers of the time before are still coming. */
type Phase = 'following' | 'draining' | 'probing';

export class ConcurrencyGradient {
  readonly #random: Random;
  #most: number;
  /** With its fraction, so that slow growth is growth. */
  #limit: number;
  #baselineMs = 0;
  /** Median of the crowded windows, smoothed. */
  #crowdedMs = 0;
  #p50Ms = 0;
  #phase: Phase = 'following';
  #phaseUntilMs = 0;
  /** 0: not crowded. */
  #nextProbeMs = 0;
  #probeEveryMs = FIRST_PROBE_MS;

  /** @param most the largest limit; 0 is MOST_LIMIT. */
  constructor(most: number, random: Random) {
    this.#random = random;
    this.#most = most || MOST_LIMIT;
    this.#limit = Math.min(FIRST_LIMIT, this.#most);
  }

  /** The limit that holds now. */
  get limit(): number {
    const limit = this.#phase === 'following' ? this.#limit : this.#limit / 2;
    return Math.min(this.#most, Math.max(Math.min(LEAST_LIMIT, this.#most), Math.floor(limit)));
  }

  /** Median of an answer in ms while the endpoint is not crowded; 0 while unknown. */
  get baselineMs(): number {
    return this.#baselineMs;
  }

  /** Median of the newest window in ms; 0 before the first. */
  get p50Ms(): number {
    return this.#p50Ms;
  }

  /** Whether to skip the window after a change of phase: its responses belong to the phase before. */
  isDraining(nowMs: number): boolean {
    return this.#phase === 'draining' && nowMs < this.#phaseUntilMs;
  }

  /** Whether a look for the baseline is under way: it wants more samples than other windows. */
  get isProbing(): boolean {
    return this.#phase === 'probing';
  }

  /** Takes a changed bound over. */
  retune(most: number): void {
    this.#most = most || MOST_LIMIT;
    this.#limit = Math.min(this.#limit, this.#most);
  }

  take(window: ConcurrencyWindow): void {
    this.#p50Ms = window.p50Ms;
    if (this.#phase === 'draining') {
      this.#phase = 'probing';
      return;
    }
    const isCrowded = window.peak >= this.limit / 2;
    if (!isCrowded) this.#takeUncrowded(window);
    else if (this.#phase === 'probing') this.#takeProbe(window);
    else this.#follow(window);
  }

  /** The limit is not what holds requests back, so it stays; but this is what answers take. */
  #takeUncrowded({ p50Ms }: ConcurrencyWindow): void {
    this.#baselineMs = this.#baselineMs === 0 ? p50Ms : this.#baselineMs + GAIN * (p50Ms - this.#baselineMs);
    this.#phase = 'following';
    this.#nextProbeMs = 0;
    this.#probeEveryMs = FIRST_PROBE_MS;
  }

  #follow({ p50Ms, nowMs, lengthMs }: ConcurrencyWindow): void {
    if (this.#baselineMs === 0) this.#baselineMs = p50Ms;
    this.#baselineMs *= 1 + AGEING_PER_MS * lengthMs;
    const wasCrowded = this.#nextProbeMs > 0;
    this.#crowdedMs = wasCrowded ? this.#crowdedMs + GAIN * 2 * (p50Ms - this.#crowdedMs) : p50Ms;
    const gradient = Math.min(MOST_GRADIENT, Math.max(LEAST_GRADIENT, (BUFFER * this.#baselineMs) / p50Ms));
    const next = gradient * this.#limit + Math.sqrt(this.#limit);
    this.#limit = Math.min(this.#most, Math.max(Math.min(LEAST_LIMIT, this.#most), next));
    if (!wasCrowded) this.#planProbe(nowMs);
    else if (nowMs >= this.#nextProbeMs) this.#beginProbe(nowMs);
  }

  /** Responses at the full limit have finished after twice their latency. */
  #beginProbe(nowMs: number): void {
    this.#phase = 'draining';
    this.#phaseUntilMs = nowMs + 2 * this.#crowdedMs;
  }

  #takeProbe({ p50Ms, nowMs }: ConcurrencyWindow): void {
    const before = this.#baselineMs;
    const isForCrowding = this.#crowdedMs > DEPENDS_ON_CROWDING * p50Ms;
    this.#baselineMs = isForCrowding ? Math.min(before, p50Ms) : p50Ms;
    const hasMoved = this.#baselineMs > MOVED * before || before > MOVED * this.#baselineMs;
    this.#probeEveryMs = hasMoved ? FIRST_PROBE_MS : Math.min(LONGEST_PROBE_MS, 2 * this.#probeEveryMs);
    this.#phase = 'following';
    this.#planProbe(nowMs);
  }

  /** With 10 % of jitter, so that the endpoints of an upstream aren't halved at the same moment. */
  #planProbe(nowMs: number): void {
    this.#nextProbeMs = nowMs + this.#probeEveryMs * (0.9 + 0.2 * this.#random.next());
  }
}
