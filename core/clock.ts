// Clock contract and the system clocks. Clocks are injected. Thread: both.

/** A source of time. Injected, so that tests can advance it. */
export interface Clock {
  /** Monotonic fractional milliseconds; comparable only within one process. */
  nowMs(): number;
  /** Wall-clock milliseconds since 1970 (UTC), for logs and HTTP dates. May step. */
  wallMs(): number;
}

/** The system clock. The origin of `nowMs` is the start of the calling thread, so it differs between threads. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/**
 * The system clock with an origin that all threads share: `nowMs` counts from `originWallMs`, monotonically in each
 * thread. Timestamps in shared memory use it.
 */
export function clockSince(originWallMs: number): Clock {
  const offsetMs = performance.timeOrigin - originWallMs;
  return { nowMs: () => performance.now() + offsetMs, wallMs: () => Date.now() };
}
