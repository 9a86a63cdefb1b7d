// Spans and exemplars of one worker until they are sent to main, once a second while there are any. Spans are kept as bytes
// outside V8's heap: kept as texts, each collection would copy them. Thread: worker.

import { latencyBucketOf } from '../../../core/memory/lane-fields.ts';
import type { Exemplar, SpanBatch } from '../../../core/request-tracer.ts';

/** Largest size of the spans of one report, in bytes: main queues them, and must not receive more than it can send. */
const LARGEST_REPORT = 4 * 1024 * 1024;

/** A UTF-16 code unit has at most three bytes in UTF-8. */
const MOST_BYTES_PER_UNIT = 3;
const COMMA = 0x2c;

export class SpanBuffer {
  readonly #send: (batch: SpanBatch) => void;
  /** Separated by commas; used again for the next report. */
  #bytes: Buffer = Buffer.alloc(0);
  /** Of #bytes in use. */
  #size = 0;
  #spans = 0;
  #dropped = 0;
  /** By upstream and bucket of its latencies: the newest. */
  readonly #exemplars = new Map<string, Exemplar>();

  constructor(send: (batch: SpanBatch) => void) {
    this.#send = send;
  }

  add(span: string): void {
    const most = this.#size + 1 + span.length * MOST_BYTES_PER_UNIT;
    if (most > LARGEST_REPORT) {
      this.#dropped += 1;
      return;
    }
    if (most > this.#bytes.length) this.#grow(most);
    if (this.#spans > 0) this.#bytes[this.#size++] = COMMA;
    this.#size += this.#bytes.write(span, this.#size);
    this.#spans += 1;
  }

  #grow(least: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(least, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#size);
    this.#bytes = larger;
  }

  addExemplar(exemplar: Exemplar): void {
    this.#exemplars.set(`${latencyBucketOf(exemplar.ms)} ${exemplar.upstream}`, exemplar);
  }

  /** Sends what was added since the last report. */
  report(): void {
    if (this.#spans === 0 && this.#dropped === 0) return;
    // A copy, because a message carries the whole memory behind a view.
    const bytes = new Uint8Array(this.#bytes.subarray(0, this.#size));
    const exemplars = [...this.#exemplars.values()];
    this.#send({ bytes, spans: this.#spans, dropped: this.#dropped, exemplars });
    this.#exemplars.clear();
    this.#spans = 0;
    this.#size = 0;
    this.#dropped = 0;
  }
}
