// How late main's event loop runs: what heartbeats and the admin API suffer from. Thread: main.

import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Between two looks, in ms. Node's histogram includes it, so it is taken off again. */
const RESOLUTION_MS = 10;
const QUANTILES = [0.5, 0.99, 1];

export class EventLoopLag {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  start(): void {
    this.#histogram.enable();
  }

  stop(): void {
    this.#histogram.disable();
  }

  /** Quantiles in seconds of the lag since the last call. */
  takeQuantiles(): { quantile: number; seconds: number }[] {
    const quantiles = QUANTILES.map((quantile) => {
      const delayNs = this.#histogram.count === 0 ? 0 : this.#histogram.percentile(quantile * 100);
      return { quantile, seconds: Math.max(0, delayNs / 1e9 - RESOLUTION_MS / 1000) };
    });
    this.#histogram.reset();
    return quantiles;
  }
}
