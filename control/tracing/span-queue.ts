// Spans that wait for the receiver, bounded in bytes: beyond the bound the oldest are lost. Thread: main.

import type { SpanBatch } from '../../core/request-tracer.ts';

/** Spans of one request to the receiver, in bytes: collectors refuse requests of several megabytes. */
const LARGEST_REQUEST = 1024 * 1024;

export class SpanQueue {
  #batches: SpanBatch[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns the number of spans that were lost */
  add(batch: SpanBatch, limitBytes: number): number {
    this.#batches.push(batch);
    this.#bytes += batch.bytes.length;
    return this.#trim(limitBytes);
  }

  /** The oldest batches, as many as fit a request; at least one. They stay until `drop`. */
  oldest(): readonly SpanBatch[] {
    let bytes = 0;
    const end = this.#batches.findIndex((batch) => (bytes += batch.bytes.length) > LARGEST_REQUEST);
    return this.#batches.slice(0, end < 0 ? this.#batches.length : Math.max(1, end));
  }

  /** @returns the number of spans that were lost */
  clear(): number {
    return this.#trim(0);
  }

  /** Removes batches, those that are still here. */
  drop(batches: readonly SpanBatch[]): void {
    const gone = new Set(batches);
    this.#batches = this.#batches.filter((batch) => !gone.has(batch));
    this.#bytes = this.#batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  #trim(limitBytes: number): number {
    let lost = 0;
    while (this.#bytes > limitBytes && this.#batches.length > 0) {
      const oldest = this.#batches.shift()!;
      this.#bytes -= oldest.bytes.length;
      lost += oldest.spans;
    }
    return lost;
  }
}
