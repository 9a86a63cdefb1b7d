// Timer contract for code outside the hot path, and Node's timers. Timers are injected. Thread: both.

/** A pending timer. */
export interface TimerHandle {
  cancel(): void;
}

/** Sets timers. Injected, so that a test's fake clock fires them. */
export interface Timers {
  /** Calls `fire` once, after at least `delayMs`. Does not keep the process alive. */
  after(delayMs: number, fire: () => void): TimerHandle;
}

/** Node's timers. */
export const systemTimers: Timers = {
  after(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
