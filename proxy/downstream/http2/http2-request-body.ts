// Request body of one HTTP/2 stream: held, flowing to the exchange, or discarded; its length is checked against
// Content-Length. Thread: worker.

import type { ClientEvents } from '../../../core/exchange-contract.ts';
import type { FieldList } from '../../../core/head.ts';
import { HeldBytes } from '../../wire/held-bytes.ts';
import { type ReceiveBudget, UploadWindow } from './receive-budget.ts';

/** HELD: not read. DISCARDED: read and dropped. ENDED: emitted to its end, or there never was a body. */
const State = { ENDED: 0, HELD: 1, FLOWING: 2, PAUSED: 3, DISCARDED: 4 } as const;

export class Http2RequestBody {
  readonly window: UploadWindow;
  /** Bytes received, without padding. */
  receivedBytes = 0;
  /** The client has ended its side of the stream. */
  isComplete = true;
  #state: number = State.ENDED;
  /** Of Content-Length; -1 if there is none. */
  #declaredBytes = -1;
  readonly #held = new HeldBytes();
  #trailers: FieldList | null = null;

  constructor(budget: ReceiveBudget) {
    this.window = new UploadWindow(budget);
  }

  /** Begins the body of another request. @param isComplete whether END_STREAM came with the head */
  begin(declaredBytes: number, hasBody: boolean, isComplete: boolean, nowMs: number): void {
    this.receivedBytes = 0;
    this.isComplete = isComplete;
    this.#declaredBytes = declaredBytes;
    this.#state = hasBody ? State.HELD : State.ENDED;
    this.#trailers = null;
    this.window.begin(nowMs);
  }

  /** Whether the exchange may still take body bytes. */
  get isOpen(): boolean {
    return this.#state === State.HELD || this.#state === State.FLOWING || this.#state === State.PAUSED;
  }

  /** Whether received bytes go to the exchange at once. */
  get isFlowing(): boolean {
    return this.#state === State.FLOWING;
  }

  get hasBegun(): boolean {
    return this.receivedBytes > 0 || this.isComplete;
  }

  pause(): void {
    if (this.#state === State.FLOWING) this.#state = State.PAUSED;
  }

  /** Drops what is held, and everything that follows. */
  discard(): void {
    if (this.isOpen) this.#state = State.DISCARDED;
    this.#held.clear();
  }

  /** Frees the memory of a body that has ended or was discarded. */
  release(): void {
    this.#state = State.ENDED;
    this.#held.clear();
    this.window.end();
  }

  /** @returns false where the body is longer than declared */
  count(sizeBytes: number): boolean {
    this.receivedBytes += sizeBytes;
    return this.#declaredBytes < 0 || this.receivedBytes <= this.#declaredBytes;
  }

  /** Takes received bytes. @returns how many of them the exchange has taken, or were dropped */
  add(bytes: Uint8Array, start: number, end: number, events: ClientEvents): number {
    switch (this.#state) {
      case State.FLOWING:
        events.onBodyData(bytes.subarray(start, end));
        return end - start;
      case State.HELD:
      case State.PAUSED:
        this.#held.addCopy(bytes as Buffer, start, end);
        return 0;
      default:
        return end - start;
    }
  }

  /**
   * The client has ended the body.
   * @returns false where it is shorter than declared
   */
  complete(trailers: FieldList | null, events: ClientEvents): boolean {
    this.isComplete = true;
    if (this.#declaredBytes >= 0 && this.receivedBytes !== this.#declaredBytes) return false;
    this.#trailers = trailers;
    if (this.#state === State.FLOWING) this.#finish(events);
    else if (this.#state === State.DISCARDED) this.#state = State.ENDED;
    return true;
  }

  /** Emits what is held, and everything that follows until `pause`. @returns how many bytes the exchange has taken */
  resume(events: ClientEvents): number {
    if (!this.isOpen) return 0;
    this.#state = State.FLOWING;
    const held = this.#held;
    const { bytes, start, end } = held;
    held.clear();
    if (end > start) events.onBodyData(bytes.subarray(start, end));
    if (this.isComplete && this.isFlowing) this.#finish(events);
    return end - start;
  }

  #finish(events: ClientEvents): void {
    this.#state = State.ENDED;
    events.onBodyEnd(this.#trailers);
  }
}
