// The part of a request's body that is kept so that a later attempt can send it again (DESIGN section 5b).
// Thread: worker.

/** Keeps body chunks up to a limit; beyond it the body can't be sent again and nothing is kept. */
export class ReplayBuffer {
  readonly #limitBytes: number;
  #chunks: Uint8Array[] = [];
  #sizeBytes = 0;
  #isComplete = true;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
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
    this.#sizeBytes += chunk.byteLength;
    if (this.#sizeBytes <= this.#limitBytes) this.#chunks.push(chunk);
    else this.discard();
  }

  /** Gives the memory back: no attempt can follow any more. */
  discard(): void {
    this.#isComplete = false;
    this.#chunks = [];
  }
}
