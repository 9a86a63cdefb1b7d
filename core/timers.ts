// Timers as everything outside the hot path is given them. Thread: both.

/** A timer that was set; opaque. */
export interface TimerHandle {
  cancel(): void;
}

/** Sets timers. Injected, so that a test's fake clock fires them. */
export interface Timers {
  /** Calls `fire` once, at the earliest after `delayMs`. Does not keep the process alive. */
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
