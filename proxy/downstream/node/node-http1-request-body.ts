// The body of an HTTP/1.1 request: held, let through, or discarded once nobody wants it. Thread: worker.

import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../core/clock.ts';
import type { ClientEvents } from '../../../core/exchange-contract.ts';
import { UNKNOWN_LENGTH } from '../../../core/head.ts';
import type { ClientLimits } from '../../../core/snapshot/listener.ts';
import { passableTrailers } from './field-list.ts';

/** What is read of an unwanted body so that the connection can be used again: a round trip's worth at most. */
export const MAX_DISCARD_BYTES = 65_536;

/** Held: not read at all. Discarded: read and dropped. Ended: its end has come, or there never was a body. */
type BodyState = 'held' | 'flowing' | 'paused' | 'discarded' | 'ended';

/** What a body works with. */
export interface BodyContext {
  readonly limits: ClientLimits;
  readonly clock: Clock;
  events(): ClientEvents;
  /** The end of a discarded body has come, or more than is worth reading. */
  discarded(): void;
}

export class NodeHttp1RequestBody {
  /** Whether 100 was sent. */
  wasContinued = false;
  readonly #request: IncomingMessage;
  readonly #declaredBytes: number;
  readonly #context: BodyContext;
  #state: BodyState;
  #isListening = false;
  #receivedBytes = 0;
  #discardedBytes = 0;
  /** Monotonic ms of the last byte, or of the last resume. */
  #activeMs = 0;

  /** @param declaredBytes as RequestHead.bodyLength */
  constructor(request: IncomingMessage, declaredBytes: number, context: BodyContext) {
    this.#request = request;
    this.#declaredBytes = declaredBytes;
    this.#context = context;
    this.#state = declaredBytes === 0 ? 'ended' : 'held';
    // A request that its connection takes along: the connection's 'close' tells.
    request.on('error', () => undefined);
  }

  /** Whether body bytes may still be wanted. */
  get isOpen(): boolean {
    return this.#state === 'held' || this.#state === 'flowing' || this.#state === 'paused';
  }

  /** Whether its rest is being read and dropped. */
  get isDiscarding(): boolean {
    return this.#state === 'discarded';
  }

  /** Whether surely more is due than would be discarded. */
  get isRestTooLong(): boolean {
    if (!this.isOpen || this.#declaredBytes === UNKNOWN_LENGTH) return false;
    return this.#declaredBytes - this.#receivedBytes > MAX_DISCARD_BYTES;
  }

  /** Whether more was discarded than is worth it. */
  get isDiscardOver(): boolean {
    return this.#discardedBytes > MAX_DISCARD_BYTES;
  }

  resume(): void {
    if (!this.isOpen) return;
    this.#state = 'flowing';
    this.#activeMs = this.#context.clock.nowMs();
    this.#listen();
    this.#request.resume();
  }

  pause(): void {
    if (this.#state !== 'flowing') return;
    this.#state = 'paused';
    this.#request.pause();
  }

  /** Drops what is still to come. */
  discard(): void {
    if (!this.isOpen) return;
    this.#state = 'discarded';
    this.#listen();
    this.#request.resume();
  }

  /** Whether the client is let send and has sent nothing for so long (a slowloris of the body). */
  isStalled(nowMs: number, limitMs: number): boolean {
    return this.#state === 'flowing' && nowMs - this.#activeMs > limitMs;
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#request.on('data', (chunk: Buffer) => this.#data(chunk));
    this.#request.on('end', () => this.#end());
  }

  #data(chunk: Buffer): void {
    if (this.#state === 'discarded') {
      this.#dropped(chunk.byteLength);
      return;
    }
    this.#receivedBytes += chunk.byteLength;
    this.#activeMs = this.#context.clock.nowMs();
    this.#context.events().onBodyData(chunk);
  }

  #dropped(sizeBytes: number): void {
    this.#discardedBytes += sizeBytes;
    if (!this.isDiscardOver) return;
    this.#request.pause();
    this.#context.discarded();
  }

  #end(): void {
    const wasDiscarded = this.#state === 'discarded';
    this.#state = 'ended';
    if (wasDiscarded) this.#context.discarded();
    else this.#context.events().onBodyEnd(passableTrailers(this.#request.rawTrailers, this.#context.limits.headFields));
  }
}
