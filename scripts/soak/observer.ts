// Observes Fairlead during a soak: memory and descriptors from /proc, heap and counts from its metrics. Thread: main.

import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { FairleadProcess } from '../peers/fairlead-process.ts';

const SETTLE_MS = 20_000;

/** One sample, in bytes and counts. */
export interface Sample {
  readonly residentBytes: number;
  /** For each worker: collections happen at different times, so a sum would never show its floor. */
  readonly heapBytes: readonly number[];
  readonly descriptors: number;
}

/** Metrics, summed over their labels, that must be 0 when all clients have left. */
const LEVELS = [
  'fairlead_worker_exchanges',
  'fairlead_worker_connections',
  'fairlead_worker_upgraded',
  'fairlead_listener_connections',
  'fairlead_upstream_in_flight',
  'fairlead_upstream_queue_length',
  'fairlead_upstream_active_retries',
  'fairlead_endpoint_in_flight',
  'fairlead_endpoint_queue_length',
  'fairlead_endpoint_connections',
] as const;

export class Observer {
  readonly #fairlead: FairleadProcess;
  readonly samples: Sample[] = [];

  constructor(fairlead: FairleadProcess) {
    this.#fairlead = fairlead;
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.#fairlead.child.pid}/fd`).length;
  }

  async sample(): Promise<void> {
    const metrics = await this.#metrics();
    this.samples.push({
      residentBytes: await this.#fairlead.residentBytes(),
      heapBytes: valuesOf(metrics, 'fairlead_worker_heap_used_bytes'),
      descriptors: this.descriptors(),
    });
  }

  /**
   * Waits until nothing is open, including connections to endpoints, and descriptors are back at their initial number.
   * @returns what remains after twenty seconds, as text; empty means nothing
   */
  async leftovers(descriptorsBefore: number): Promise<string[]> {
    const deadlineMs = performance.now() + SETTLE_MS;
    for (;;) {
      const metrics = await this.#metrics();
      const left = LEVELS.filter((name) => sumOf(metrics, name) !== 0).map((name) => `${name} ${sumOf(metrics, name)}`);
      const descriptors = this.descriptors();
      if (descriptors > descriptorsBefore) left.push(`${descriptors} descriptors, ${descriptorsBefore} before`);
      if (left.length === 0 || performance.now() > deadlineMs) return left;
      await pause(100);
    }
  }

  /** Sum of a counter over its labels. */
  async total(name: string): Promise<number> {
    return sumOf(await this.#metrics(), name);
  }

  async #metrics(): Promise<string> {
    return (await fetch(`${this.#fairlead.adminUrl}/metrics`)).text();
  }
}

function sumOf(metrics: string, name: string): number {
  return valuesOf(metrics, name).reduce((sum, value) => sum + value, 0);
}

/** Values of a metric, one per set of labels. */
function valuesOf(metrics: string, name: string): number[] {
  const lines = metrics.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  if (lines.length === 0) throw new Error(`no metric ${name}`);
  return lines.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
}
