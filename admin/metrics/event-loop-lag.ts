// Delay of the main thread's event loop, which delays heartbeats and the admin API. Thread: main.

import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Sampling interval in ms. Node's histogram includes it, so it is subtracted. */
const RESOLUTION_MS = 10;
/** Statistics and their percentiles. */
const STATISTICS = [
  ['p50', 50],
  ['p99', 99],
  ['max', 100],
] as const;

export class EventLoopLag {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  start(): void {
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram.disable();
  }

  /** Statistics in seconds of the lag since the last call. */
  take(): { statistic: string; seconds: number }[] {
    const taken = STATISTICS.map(([statistic, percentile]) => {
      const delayNs = this.#histogram.count === 0 ? 0 : this.#histogram.percentile(percentile);
      return { statistic, seconds: Math.max(0, delayNs / 1e9 - RESOLUTION_MS / 1000) };
    });
    this.#histogram.reset();
    return taken;
  }
}
