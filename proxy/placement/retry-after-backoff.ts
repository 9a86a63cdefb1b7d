// Endpoints that have asked to be left alone: a 429 or 503 with Retry-After (RFC 9110 section 10.2.3). What this worker's
// retries keep to; first tries are the balancer's. Thread: worker.

import type { ResponseHead } from '../../core/head.ts';

/** No endpoint is left alone for longer, whatever it asks for: an hour of it would be an ejection without a judge. */
const LONGEST_MS = 10_000;

/** By slot. Worker-local, as the retries are that it holds back. */
export class RetryAfterBackoff {
  readonly #untilMs: Float64Array;

  constructor(slots: number) {
    this.#untilMs = new Float64Array(slots);
  }

  /** Takes an answer: what it asks for, if it is one that does. */
  heard(slot: number, head: ResponseHead, nowMs: number, wallMs: number): void {
    if (head.status !== 429 && head.status !== 503) return;
    const askedMs = readRetryAfter(head.field('retry-after'), wallMs);
    if (askedMs > 0) this.#untilMs[slot] = nowMs + Math.min(LONGEST_MS, askedMs);
  }

  /** Ms until the endpoint may be asked again; 0 where it may be now. */
  leftMs(slot: number, nowMs: number): number {
    return Math.max(0, this.#untilMs[slot]! - nowMs);
  }
}

/**
 * The ms that a Retry-After asks for: seconds or an HTTP date; 0 where there is none, or it can't be read.
 * @param wallMs ms since 1970
 */
export function readRetryAfter(value: string | undefined, wallMs: number): number {
  if (value === undefined) return 0;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const atMs = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - wallMs);
}
