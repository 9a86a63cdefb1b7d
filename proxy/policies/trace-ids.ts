// Ids of traces and spans (https://www.w3.org/TR/trace-context/ section 3.2.2), drawn for many requests at once: a request
// that isn't recorded costs one piece of a text. Ids are unique, and are no secrets: the system gives a seed alone.
// Thread: both.

import { randomFillSync } from 'node:crypto';
import { latin1Text } from '../http1/latin1.ts';

const TRACE_ID_DIGITS = 32;
const SPAN_ID_DIGITS = 16;
const TRACE_ID_BYTES = TRACE_ID_DIGITS / 2;
const BYTES = TRACE_ID_BYTES + SPAN_ID_DIGITS / 2;
/** Positions in a `traceparent`: version, trace id, span id and flags, with hyphens between them. */
const TRACE_ID_AT = 3;
const SPAN_ID_AT = TRACE_ID_AT + TRACE_ID_DIGITS + 1;
const UNRECORDED = `00-${'0'.repeat(TRACE_ID_DIGITS)}-${'0'.repeat(SPAN_ID_DIGITS)}-00`;
const LENGTH = UNRECORDED.length;
/**
 * First of the 56 bits of a trace id that samplers compare
 * (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/).
 */
const RANDOM_AT = 9;
/** Ids are drawn for this many requests at once. */
const IDS_PER_DRAW = 128;
const RANDOM_RANGE = 2 ** 32;
const DIGITS = Buffer.from('0123456789abcdef');

export class TraceIds {
  readonly #random = randomFillSync(new Uint32Array(4));
  readonly #words = new Uint32Array((BYTES / 4) * IDS_PER_DRAW);
  readonly #bytes = Buffer.from(this.#words.buffer);
  readonly #written = Buffer.alloc(LENGTH * IDS_PER_DRAW, UNRECORDED);
  /** Of all drawn pairs, each in a `traceparent` without the flag "sampled". */
  #text = '';
  #drawn = IDS_PER_DRAW;

  /** Draws the next pair of ids. */
  draw(): void {
    this.#drawn += 1;
    if (this.#drawn < IDS_PER_DRAW) return;
    for (let at = 0; at < this.#words.length; at += 1) this.#words[at] = nextWord(this.#random);
    for (let index = 0; index < IDS_PER_DRAW; index += 1) {
      this.#write(index * BYTES, TRACE_ID_BYTES, index * LENGTH + TRACE_ID_AT);
      this.#write(index * BYTES + TRACE_ID_BYTES, BYTES - TRACE_ID_BYTES, index * LENGTH + SPAN_ID_AT);
    }
    this.#text = latin1Text(this.#written, 0, this.#written.length);
    this.#drawn = 0;
  }

  /** Writes random bytes in hexadecimal digits. */
  #write(from: number, count: number, to: number): void {
    for (let index = 0; index < count; index += 1) {
      const byte = this.#bytes[from + index]!;
      this.#written[to + index * 2] = DIGITS[byte >>> 4]!;
      this.#written[to + index * 2 + 1] = DIGITS[byte & 0xf]!;
    }
  }

  get traceId(): string {
    return this.#part(TRACE_ID_AT, TRACE_ID_DIGITS);
  }

  get spanId(): string {
    return this.#part(SPAN_ID_AT, SPAN_ID_DIGITS);
  }

  /** `traceparent` of a request that isn't recorded. */
  get unrecorded(): string {
    return this.#part(0, LENGTH);
  }

  #part(from: number, length: number): string {
    const at = this.#drawn * LENGTH + from;
    return this.#text.slice(at, at + length);
  }

  /** Whether the drawn trace is in a sample: the same traces as those of other samplers by trace id. @param ratio 0 to 1 */
  isInSample(ratio: number): boolean {
    return this.#bytes.readUInt32BE(this.#drawn * BYTES + RANDOM_AT) >= (1 - ratio) * RANDOM_RANGE;
  }
}

/** 32 bits of xoshiro128** (David Blackman and Sebastiano Vigna). */
function nextWord(state: Uint32Array): number {
  // Not destructured: that goes through an iterator.
  const a = state[0]!;
  const b = state[1]!;
  const c = state[2]!;
  const d = state[3]!;
  const product = Math.imul(b, 5);
  state[2] = c ^ a;
  state[3] = d ^ b;
  state[1] = b ^ c ^ a;
  state[0] = a ^ d ^ b;
  state[2] ^= b << 9;
  state[3] = (state[3]! << 11) | (state[3]! >>> 21);
  return Math.imul((product << 7) | (product >>> 25), 9);
}
