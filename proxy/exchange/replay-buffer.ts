// The part of a request's body that is kept so that a later attempt can send it again (docs/design.md 5b).
// Thread: worker.

/** What all replay buffers of a worker may keep together: many large uploads must not fill the memory. */
export class ReplayBudget {
  readonly #limitBytes: () => number;
  #usedBytes = 0;

  /** @param limitBytes asked each time: a reload may change it */
  constructor(limitBytes: () => number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  hasRoomFor(sizeBytes: number): boolean {
    return this.#usedBytes + sizeBytes <= this.#limitBytes();
  }

  /** Takes bytes out of it, or gives them back where negative. */
  add(sizeBytes: number): void {
    this.#usedBytes += sizeBytes;
  }
}

/** Keeps body chunks up to a limit; beyond it the body can't be sent again and nothing is kept. */
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

  /** Whether all that came so far is still here. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  /** Takes a chunk that is on its way to an endpoint. Keeps a reference: adaptors hand chunks over for good. */
  add(chunk: Uint8Array): void {
    if (!this.#isComplete) return;
    const { byteLength } = chunk;
    if (this.#sizeBytes + byteLength > this.#limitBytes || !this.#budget.hasRoomFor(byteLength)) return this.discard();
    this.#sizeBytes += byteLength;
    this.#budget.add(byteLength);
    this.#chunks.push(chunk);
  }

  /** Gives the memory back: no attempt can follow any more. */
  discard(): void {
    this.#isComplete = false;
    this.#chunks = [];
    this.#budget.add(-this.#sizeBytes);
    this.#sizeBytes = 0;
  }
}
