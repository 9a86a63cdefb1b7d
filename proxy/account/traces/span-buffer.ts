// Spans and exemplars of one worker until they are sent to main, once a second while there are any. Thread: worker.

import { latencyBucketOf } from '../../../core/memory/lane-fields.ts';
import type { Exemplar, SpanBatch } from '../../../core/request-tracer.ts';

/** Size of the spans of one report, in characters: main queues them, and must not receive more than it can send. */
const LARGEST_REPORT = 4 * 1024 * 1024;

export class SpanBuffer {
  readonly #send: (batch: SpanBatch) => void;
  #spans: string[] = [];
  #size = 0;
  #dropped = 0;
  /** By upstream and bucket of its latencies: the newest. */
  readonly #exemplars = new Map<string, Exemplar>();

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

  addExemplar(exemplar: Exemplar): void {
    this.#exemplars.set(`${latencyBucketOf(exemplar.ms)} ${exemplar.upstream}`, exemplar);
  }

  /** Sends what was added since the last report. */
  report(): void {
    if (this.#spans.length === 0 && this.#dropped === 0) return;
    const bytes = new TextEncoder().encode(this.#spans.join(','));
    const exemplars = [...this.#exemplars.values()];
    this.#send({ bytes, spans: this.#spans.length, dropped: this.#dropped, exemplars });
    this.#exemplars.clear();
    this.#spans = [];
    this.#size = 0;
    this.#dropped = 0;
  }
}
