// Spans of one worker until they are sent to main, once a second while there are any. Thread: worker.

import type { SpanBatch } from '../../../core/request-tracer.ts';

/** Size of the spans of one report, in characters: main queues them, and must not receive more than it can send. */
const LARGEST_REPORT = 4 * 1024 * 1024;

export class SpanBuffer {
  readonly #send: (batch: SpanBatch) => void;
  #spans: string[] = [];
  #size = 0;
  #dropped = 0;

  constructor(send: (batch: SpanBatch) => void) {
    this.#send = send;
  }

  add(span: string): void {
    if (this.#size + span.length > LARGEST_REPORT) {
      this.#dropped += 1;
      return;
    }
    this.#spans.push(span);
    this.#size += span.length + 1;
  }

  /** Sends what was added since the last report. */
  report(): void {
    if (this.#spans.length === 0 && this.#dropped === 0) return;
    const bytes = new TextEncoder().encode(this.#spans.join(','));
    this.#send({ bytes, spans: this.#spans.length, dropped: this.#dropped });
    this.#spans = [];
    this.#size = 0;
    this.#dropped = 0;
  }
}
