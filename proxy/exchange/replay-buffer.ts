// Replay buffer: the part of a request body that is kept for later attempts (docs/design.md 5b).
// Thread: worker.

/** The memory that all replay buffers of a worker share: many large uploads must not exhaust it. */
export class ReplayBudget {
  readonly #limitBytes: () => number;
  #usedBytes = 0;

  /** @param limitBytes called each time: a reload may change it */
  constructor(limitBytes: () => number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  hasRoomFor(sizeBytes: number): boolean {
    return this.#usedBytes + sizeBytes <= this.#limitBytes();
  }

  /** Takes bytes; gives them back if `sizeBytes` is negative. */
  add(sizeBytes: number): void {
    this.#usedBytes += sizeBytes;
  }
}

/** Keeps body chunks up to a limit. A larger body can't be sent again, and none of it is kept. */
export class ReplayBuffer {
  readonly #limitBytes: number;
  readonly #budget: ReplayBudget;
  #chunks: Uint8Array[] = [];
  #sizeBytes = 0;
  #isComplete = true;
  /** Bytes from which an upload that is held is full; 0 where none is held. */
  #holdBytes = 0;
  #isFilling = false;

  constructor(limitBytes: number, budget: ReplayBudget) {
    this.#limitBytes = limitBytes;
    this.#budget = budget;
  }

  /** Whether all chunks so far are still kept. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  /** Keeps every chunk until `endHold`, whatever the limit is. The sender stops when `isFull`. */
  hold(limitBytes: number): void {
    this.#holdBytes = limitBytes;
    this.#isFilling = true;
  }

  /** Whether the upload is held and not released. */
  get isFilling(): boolean {
    return this.#isFilling;
  }

  /** Whether the upload that is held has reached its limit, or the limit of the process. */
  get isFull(): boolean {
    return this.#isFilling && (this.#sizeBytes >= this.#holdBytes || !this.#budget.hasRoomFor(1));
  }

  /** The upload is about to be placed. Chunks that are on their way are kept, too. */
  release(): void {
    this.#isFilling = false;
  }

  /** The kept chunks have been sent: from now on the limit applies. */
  endHold(): void {
    this.#holdBytes = 0;
  }

  /** Adds a chunk. Keeps a reference: downstream adaptors don't reuse chunks. */
  add(chunk: Uint8Array): void {
    if (!this.#isComplete) return;
    const { byteLength } = chunk;
    const isOver = this.#sizeBytes + byteLength > this.#limitBytes || !this.#budget.hasRoomFor(byteLength);
    if (isOver && this.#holdBytes === 0) return this.discard();
    this.#sizeBytes += byteLength;
    this.#budget.add(byteLength);
    this.#chunks.push(chunk);
  }

  /** Releases the memory: no attempt can follow. */
  discard(): void {
    this.#isComplete = false;
    this.#chunks = [];
    this.#budget.add(-this.#sizeBytes);
    this.#sizeBytes = 0;
  }
}
