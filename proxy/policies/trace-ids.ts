// Ids of traces and spans (https://www.w3.org/TR/trace-context/ section 3.2.2), drawn for many requests at once: a request
// that isn't recorded costs two pieces of a text. Thread: both.

import { randomFillSync } from 'node:crypto';

const TRACE_ID_DIGITS = 32;
const SPAN_ID_DIGITS = 16;
const DIGITS = TRACE_ID_DIGITS + SPAN_ID_DIGITS;
const BYTES = DIGITS / 2;
/**
 * First of the 56 bits of a trace id that samplers compare
 * (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/).
 */
const RANDOM_AT = 9;
/** Random bytes are drawn for this many requests at once. */
const IDS_PER_DRAW = 128;
const RANDOM_RANGE = 2 ** 32;

export class TraceIds {
  readonly #bytes = Buffer.allocUnsafeSlow(BYTES * IDS_PER_DRAW);
  #text = '';
  #drawn = IDS_PER_DRAW;

  /** Draws the next pair of ids. */
  draw(): void {
    this.#drawn += 1;
    if (this.#drawn < IDS_PER_DRAW) return;
    randomFillSync(this.#bytes);
    this.#text = this.#bytes.toString('hex');
    this.#drawn = 0;
  }

  get traceId(): string {
    const at = this.#drawn * DIGITS;
    return this.#text.slice(at, at + TRACE_ID_DIGITS);
  }

  get spanId(): string {
    const at = this.#drawn * DIGITS + TRACE_ID_DIGITS;
    return this.#text.slice(at, at + SPAN_ID_DIGITS);
  }

  /** Whether the drawn trace is in a sample: the same traces as those of other samplers by trace id. @param ratio 0 to 1 */
  isInSample(ratio: number): boolean {
    return this.#bytes.readUInt32BE(this.#drawn * BYTES + RANDOM_AT) >= (1 - ratio) * RANDOM_RANGE;
  }
}
