// The body of a request between its client and the endpoint of the running attempt. Thread: worker.

import type { AttemptHandle } from '../../core/exchange-contract.ts';
import type { FieldList } from '../../core/head.ts';
import { type ReplayBudget, ReplayBuffer } from './replay-buffer.ts';

export class RequestBody {
  bytesReceived = 0;
  /** Whether the client has sent all of it. */
  isEnded = false;
  trailers: FieldList | null = null;
  /** Whether chunks go to the running attempt. */
  isFlowing = false;
  /** Whether the endpoint takes no more for now. */
  isHeld = false;
  replay: ReplayBuffer | null = null;

  /** @param bodyLength as in RequestHead */
  begin(bodyLength: number): void {
    this.bytesReceived = 0;
    this.isEnded = bodyLength === 0;
    this.trailers = null;
    this.isFlowing = false;
    this.isHeld = false;
    this.replay = null;
  }

  /** Whether everything received so far can be sent again. */
  get isReplayable(): boolean {
    return this.replay === null || this.replay.isComplete;
  }

  /** Keeps the body for later attempts, up to `limitBytes`. */
  keepForReplay(limitBytes: number, budget: ReplayBudget): void {
    if (!this.isEnded) this.replay = new ReplayBuffer(limitBytes, budget);
  }

  /** Whether the request is placed once its body was received, or a part of it. */
  get isFilling(): boolean {
    return this.replay !== null && this.replay.isFilling;
  }

  /** Discards what was kept: no attempt can follow. */
  discardReplay(): void {
    this.replay?.discard();
  }

  received(bytes: number): void {
    this.bytesReceived += bytes;
  }

  ended(trailers: FieldList | null): void {
    this.isEnded = true;
    this.trailers = trailers;
  }

  /** Sends an attempt the part that was kept, and its end if it is whole. Returns whether the client may send more. */
  startFlow(handle: AttemptHandle): boolean {
    let hasRoom = true;
    for (const chunk of this.replay?.chunks ?? []) hasRoom = handle.sendBody(chunk);
    this.replay?.endHold();
    this.isFlowing = true;
    this.isHeld = !hasRoom;
    if (this.isEnded) handle.endBody(this.trailers);
    return hasRoom && !this.isEnded;
  }

  /** Keeps a chunk and passes it on. Returns whether the client may send more. */
  pass(chunk: Uint8Array, handle: AttemptHandle | null): boolean {
    this.replay?.add(chunk);
    if (!this.isFlowing) return this.replay?.isFull !== true;
    this.isHeld = handle?.sendBody(chunk) === false;
    return !this.isHeld;
  }

  /** The endpoint takes chunks again. */
  drained(): void {
    this.isHeld = false;
  }

  /** The attempt is over: chunks are kept, and go nowhere until the next one starts. */
  stopFlow(): void {
    this.isFlowing = false;
  }
}
