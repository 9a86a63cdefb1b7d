// Request body on a node:http connection: held, flowing to the exchange, or discarded. Thread: worker.

import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../core/clock.ts';
import type { ClientEvents } from '../../../core/exchange-contract.ts';
import { UNKNOWN_LENGTH } from '../../../core/head.ts';
import type { ClientLimits } from '../../../core/snapshot/listener.ts';
import { MAX_DISCARD_BYTES } from '../accept/lingering-close.ts';
import { passableTrailers } from './field-list.ts';

/** held: not read. discarded: read and dropped. ended: received to its end, or there never was a body. */
type BodyState = 'held' | 'flowing' | 'paused' | 'discarded' | 'ended';

/** Dependencies of a body. */
export interface BodyContext {
  readonly limits: ClientLimits;
  readonly clock: Clock;
  events(): ClientEvents;
  /** A discarded body has ended, or exceeds the limit. */
  discarded(): void;
}

export class NodeHttp1RequestBody {
  /** Whether 100 has been sent. */
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
    // The connection has closed: its 'close' reports it.
    request.on('error', () => undefined);
  }

  /** Whether the exchange may still take body bytes. */
  get isOpen(): boolean {
    return this.#state === 'held' || this.#state === 'flowing' || this.#state === 'paused';
  }

  /** Whether the rest is being read and dropped. */
  get isDiscarding(): boolean {
    return this.#state === 'discarded';
  }

  /** Whether more than the discard limit is certainly still to be received. */
  get isRestTooLong(): boolean {
    if (!this.isOpen || this.#declaredBytes === UNKNOWN_LENGTH) return false;
    return this.#declaredBytes - this.#receivedBytes > MAX_DISCARD_BYTES;
  }

  /** Whether more than the limit has been discarded. */
  get isDiscardOver(): boolean {
    return this.#discardedBytes > MAX_DISCARD_BYTES;
  }

  /** Whether a byte of it has been received. */
  get hasBegun(): boolean {
    return this.#receivedBytes > 0;
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

  /** Drops all further bytes. */
  discard(): void {
    if (!this.isOpen) return;
    this.#state = 'discarded';
    this.#listen();
    this.#request.resume();
  }

  /** Whether the body is flowing and nothing has been received for `limitMs` (slow body attack). */
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

  /** Beyond the limit the connection lingers, and goes on reading: not paused, but reported once. */
  #dropped(sizeBytes: number): void {
    const wasOver = this.isDiscardOver;
    this.#discardedBytes += sizeBytes;
    if (this.isDiscardOver && !wasOver) this.#context.discarded();
  }

  #end(): void {
    const wasDiscarded = this.#state === 'discarded';
    this.#state = 'ended';
    if (wasDiscarded) this.#context.discarded();
    else this.#context.events().onBodyEnd(passableTrailers(this.#request.rawTrailers, this.#context.limits.headFields));
  }
}
