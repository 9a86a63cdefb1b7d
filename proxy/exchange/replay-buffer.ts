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

  /** Adds a chunk. Keeps a reference: downstream adaptors don't reuse chunks. */
  add(chunk: Uint8Array): void {
    if (!this.#isComplete) return;
    const { byteLength } = chunk;
    if (this.#sizeBytes + byteLength > this.#limitBytes || !this.#budget.hasRoomFor(byteLength)) return this.discard();
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
