// Request body on a connection of the HTTP/1.1 engine: held, flowing to the exchange, or discarded. Thread: worker.

import type { ClientEvents } from '../../../core/exchange-contract.ts';
import { ChunkedDecoder } from '../../http1/chunked-decoder.ts';
import { DecodeEvent } from '../../http1/decode-event.ts';
import { BodyKind, type Framing } from '../../http1/framing.ts';
import type { HeldBytes } from '../../wire/held-bytes.ts';
import { MAX_DISCARD_BYTES } from '../accept/lingering-close.ts';

/** HELD: not read. DISCARDED: read and dropped. ENDED: received to its end, or there never was a body. */
const State = { ENDED: 0, HELD: 1, FLOWING: 2, PAUSED: 3, DISCARDED: 4 } as const;

/** Result of a step. */
export const BodyStep = {
  /** Bytes were consumed; another step may follow. */
  MOVED: 0,
  /** The body is held, paused or ended. */
  STOPPED: 1,
  /** The chunked coding is malformed. */
  MALFORMED: 2,
} as const;
export type BodyStep = (typeof BodyStep)[keyof typeof BodyStep];

export class Http1RequestBody {
  #state: number = State.ENDED;
  #isChunked = false;
  /** Bytes not received yet of a body of known length. */
  #remainingBytes = 0;
  #discardedBytes = 0;
  /** Whether a byte of it has been received. */
  hasBegun = false;
  #chunked: ChunkedDecoder | null = null;

  /** Begins the body of another request. */
  begin(framing: Framing): void {
    this.#state = framing.body === BodyKind.NONE ? State.ENDED : State.HELD;
    this.#isChunked = framing.body === BodyKind.CHUNKED;
    this.#remainingBytes = framing.lengthBytes;
    this.#discardedBytes = 0;
    this.hasBegun = false;
    if (!this.#isChunked) return;
    this.#chunked ??= new ChunkedDecoder();
    this.#chunked.reset();
  }

  /** Whether the exchange may still take body bytes. */
  get isOpen(): boolean {
    return this.#state === State.HELD || this.#state === State.FLOWING || this.#state === State.PAUSED;
  }

  /** Whether received bytes go to the exchange at once. */
  get isFlowing(): boolean {
    return this.#state === State.FLOWING;
  }

  get isDiscarding(): boolean {
    return this.#state === State.DISCARDED;
  }

  /** Whether more than the discard limit is certainly still to be received. */
  get isRestTooLong(): boolean {
    return this.isOpen && !this.#isChunked && this.#remainingBytes > MAX_DISCARD_BYTES;
  }

  /** Whether more than the limit has been discarded. */
  get isDiscardOver(): boolean {
    return this.#discardedBytes > MAX_DISCARD_BYTES;
  }

  resume(): void {
    if (this.isOpen) this.#state = State.FLOWING;
  }

  pause(): void {
    if (this.#state === State.FLOWING) this.#state = State.PAUSED;
  }

  /** Drops all further bytes. */
  discard(): void {
    if (this.isOpen) this.#state = State.DISCARDED;
  }

  /** Consumes bytes of `input`, which isn't empty, and emits them unless they are discarded. */
  step(input: HeldBytes, events: ClientEvents): BodyStep {
    if (this.#state !== State.FLOWING && this.#state !== State.DISCARDED) return BodyStep.STOPPED;
    this.hasBegun = true;
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
    const mustEmit = this.#state !== State.DISCARDED;
    this.#state = State.ENDED;
    if (mustEmit) events.onBodyEnd(this.#isChunked ? this.#chunked!.trailers : null);
  }
}
