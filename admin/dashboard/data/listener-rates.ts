// Requests per second of each listener, from the counts of successive statuses. Pure. Runs in the browser.

import type { Live } from '../types.ts';

/** Time in ms that a rate covers, as those of upstreams. */
const WINDOW_MS = 10_000;

interface Reading {
  readonly atMs: number;
  readonly requests: ReadonlyMap<string, number>;
}

export class ListenerRates {
  #readings: Reading[] = [];

  add({ at, listeners }: Pick<Live, 'at' | 'listeners'>): void {
    const atMs = Date.parse(at);
    const reading = { atMs, requests: new Map(listeners.map(({ name, requests }) => [name, requests])) };
    this.#readings = [...this.#readings.filter((one) => atMs - one.atMs <= WINDOW_MS), reading];
  }

  /** Null where it is not known yet. */
  of(listener: string): number | null {
    const [first, last] = [this.#readings[0], this.#readings.at(-1)];
    const [before, after] = [first?.requests.get(listener), last?.requests.get(listener)];
    if (first === undefined || last === undefined || before === undefined || after === undefined) return null;
    const seconds = (last.atMs - first.atMs) / 1000;
    return seconds > 0 ? Math.max(0, after - before) / seconds : null;
  }
}
