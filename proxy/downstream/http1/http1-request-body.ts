// The body of a request on a fast connection: held, let through, or discarded once nobody wants it. Thread: worker.

import type { ClientEvents } from '../../../core/exchange-contract.ts';
import { ChunkedDecoder } from '../../http1/chunked-decoder.ts';
import { DecodeEvent } from '../../http1/decode-event.ts';
import { BodyKind, type Framing } from '../../http1/framing.ts';
import type { HeldBytes } from '../../wire/held-bytes.ts';
import { MAX_DISCARD_BYTES } from '../node/node-http1-request-body.ts';

/** Held: not read. Discarded: read and dropped. Ended: its end has come, or there never was a body. */
const State = { ENDED: 0, HELD: 1, FLOWING: 2, PAUSED: 3, DISCARDED: 4 } as const;

/** What a step came to. */
export const BodyStep = {
  /** Bytes were used up; there may be more to do. */
  MOVED: 0,
  /** The body is held, or has ended. */
  STOPPED: 1,
  /** It isn't framed as announced. */
  MALFORMED: 2,
} as const;
export type BodyStep = (typeof BodyStep)[keyof typeof BodyStep];

export class Http1RequestBody {
  #state: number = State.ENDED;
  #isChunked = false;
  /** Of a body of known length. */
  #remainingBytes = 0;
  #discardedBytes = 0;
  #chunked: ChunkedDecoder | null = null;

  /** A request begins. */
  begin(framing: Framing): void {
    this.#state = framing.body === BodyKind.NONE ? State.ENDED : State.HELD;
    this.#isChunked = framing.body === BodyKind.CHUNKED;
    this.#remainingBytes = framing.lengthBytes;
    this.#discardedBytes = 0;
    if (!this.#isChunked) return;
    this.#chunked ??= new ChunkedDecoder();
    this.#chunked.reset();
  }

  /** Whether body bytes may still be wanted. */
  get isOpen(): boolean {
    return this.#state === State.HELD || this.#state === State.FLOWING || this.#state === State.PAUSED;
  }

  /** Whether the client is let send. */
  get isFlowing(): boolean {
    return this.#state === State.FLOWING;
  }

  get isDiscarding(): boolean {
    return this.#state === State.DISCARDED;
  }

  /** Whether surely more is due than would be discarded. */
  get isRestTooLong(): boolean {
    return this.isOpen && !this.#isChunked && this.#remainingBytes > MAX_DISCARD_BYTES;
  }

  /** Whether more was discarded than is worth it. */
  get isDiscardOver(): boolean {
    return this.#discardedBytes > MAX_DISCARD_BYTES;
  }

  resume(): void {
    if (this.isOpen) this.#state = State.FLOWING;
  }

  pause(): void {
    if (this.#state === State.FLOWING) this.#state = State.PAUSED;
  }

  /** Drops what is still to come. */
  discard(): void {
    if (this.isOpen) this.#state = State.DISCARDED;
  }

  /** Uses up bytes of `input`, which isn't empty, and tells of them unless they are discarded. */
  step(input: HeldBytes, events: ClientEvents): BodyStep {
    if (this.#state !== State.FLOWING && this.#state !== State.DISCARDED) return BodyStep.STOPPED;
    return this.#isChunked ? this.#stepChunked(input, events) : this.#stepLength(input, events);
  }

  #stepLength(input: HeldBytes, events: ClientEvents): BodyStep {
    const { bytes, start } = input;
    const end = Math.min(input.end, start + this.#remainingBytes);
    this.#remainingBytes -= end - start;
    input.consumeTo(end);
    this.#take(bytes, start, end, events);
    if (this.#remainingBytes === 0) this.#finish(events);
    return BodyStep.MOVED;
  }

  #stepChunked(input: HeldBytes, events: ClientEvents): BodyStep {
    const decoder = this.#chunked!;
    const { bytes } = input;
    const event = decoder.next(bytes, input.start, input.end);
    if (event > 0) return BodyStep.MALFORMED;
    input.consumeTo(decoder.position);
    if (event === DecodeEvent.DATA) this.#take(bytes, decoder.dataStart, decoder.dataEnd, events);
    else if (event === DecodeEvent.DONE) this.#finish(events);
    return BodyStep.MOVED;
  }

  #take(bytes: Buffer, start: number, end: number, events: ClientEvents): void {
    if (this.#state === State.DISCARDED) this.#discardedBytes += end - start;
    else events.onBodyData(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  }

  #finish(events: ClientEvents): void {
    const wasWanted = this.#state !== State.DISCARDED;
    this.#state = State.ENDED;
    if (wasWanted) events.onBodyEnd(this.#isChunked ? this.#chunked!.trailers : null);
  }
}
