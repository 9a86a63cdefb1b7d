// The clocks that everything else is given. Thread: both.

/** Time as the program sees it. Injected, so that tests can move it by hand. */
export interface Clock {
  /** Monotonic milliseconds with a fraction; comparable only within one process. */
  nowMs(): number;
  /** Wall-clock milliseconds since 1970 (UTC), for logs and HTTP dates. May step. */
  wallMs(): number;
}

/** The real clock. The origin of `nowMs` differs between threads by the time at which each began. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/**
 * The real clock with a zero that all threads share: `nowMs` counts from `originWallMs`, monotonically in each thread.
 * Stamps in shared memory are taken from it.
 */
export function clockSince(originWallMs: number): Clock {
  const offsetMs = performance.timeOrigin - originWallMs;
  return { nowMs: () => performance.now() + offsetMs, wallMs: () => Date.now() };
}
