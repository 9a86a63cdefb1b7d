// Judges the closes of idle connections by an endpoint: an idle timeout explains most of them; several that come
// together and too early suggest that its process has died. Thread: worker.

import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSettings } from '../../core/snapshot/upstream.ts';

/** Closes within this time count as one group. */
const TOGETHER_MS = 100;
/** Early closes in one group that are a sign. A single one never is: connections fail by themselves. */
const SIGN_COUNT = 2;
/** Until an endpoint's idle timeout is known: servers in use have idle timeouts of more than a second. */
const UNKNOWN_TIMEOUT_MS = 1000;
/**
 * While the timeout is unknown, equal idle times may be a short one, or a server that closes after each response: they
 * must differ by more than this factor and time.
 */
const SPREAD_FACTOR = 2;
const SPREAD_MS = 20;
/** An endpoint may close this much earlier than its timeout: clocks, rounding, and the time of the response itself. */
const TOLERANCE = 0.1;
const MIN_TOLERANCE_MS = 500;
/** Share of the difference by which the learned timeout follows a longer observation. */
const LEARN_RATE = 0.25;

/** Called for an endpoint whose idle connections died. */
export type OnIdleDeath = (upstream: UpstreamSettings, endpoint: EndpointSnapshot) => void;

/** One idle connection that the endpoint, not we, has closed. */
export interface IdleClose {
  /** How long it had been idle. */
  readonly idleMs: number;
  /** The timeout that its last response announced in Keep-Alive; -1 if none. */
  readonly announcedMs: number;
}

/** Serves one endpoint in one worker. */
export class IdleDeaths {
  readonly #onDeath: () => void;
  /** The endpoint's idle timeout as observed; 0 while unknown. */
  #learnedMs = 0;
  #groupStartMs = Number.NEGATIVE_INFINITY;
  #groupCount = 0;
  #shortestMs = 0;
  #longestMs = 0;
  #wasReported = false;

  /** @param onDeath called once per group of early closes */
  constructor(onDeath: () => void) {
    this.#onDeath = onDeath;
  }

  closed({ idleMs, announcedMs }: IdleClose, nowMs: number): void {
    const timeoutMs = announcedMs >= 0 ? announcedMs : this.#learnedMs;
    if (isEarly(idleMs, timeoutMs)) this.#addEarly(idleMs, timeoutMs > 0, nowMs);
    else if (announcedMs < 0) this.#learn(idleMs);
  }

  #addEarly(idleMs: number, isTimeoutKnown: boolean, nowMs: number): void {
    if (nowMs - this.#groupStartMs >= TOGETHER_MS) {
      this.#groupStartMs = nowMs;
      this.#groupCount = 0;
      this.#shortestMs = idleMs;
      this.#longestMs = idleMs;
      this.#wasReported = false;
    }
    this.#groupCount += 1;
    this.#shortestMs = Math.min(this.#shortestMs, idleMs);
    this.#longestMs = Math.max(this.#longestMs, idleMs);
    const isSpread = this.#longestMs > this.#shortestMs * SPREAD_FACTOR + SPREAD_MS;
    if (this.#wasReported || this.#groupCount < SIGN_COUNT || !(isTimeoutKnown || isSpread)) return;
    this.#wasReported = true;
    this.#onDeath();
  }

  /** Follows shorter times at once and longer ones slowly, as a busy endpoint closes late. */
  #learn(idleMs: number): void {
    const known = this.#learnedMs;
    this.#learnedMs = known === 0 || idleMs < known ? idleMs : known + (idleMs - known) * LEARN_RATE;
  }
}

function isEarly(idleMs: number, timeoutMs: number): boolean {
  if (timeoutMs === 0) return idleMs < UNKNOWN_TIMEOUT_MS;
  return idleMs < timeoutMs - Math.max(MIN_TOLERANCE_MS, timeoutMs * TOLERANCE);
}
