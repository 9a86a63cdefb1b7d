// The body of a request that is mirrored once it is complete, to one upstream or several. Thread: both.

import type { MirrorDrop, MirrorService } from '../../core/policy/mirror-service.ts';

export class BodyCopy {
  readonly chunks: Uint8Array[] = [];
  readonly #service: MirrorService;
  readonly #limitBytes: number;
  #sizeBytes = 0;
  #holders = 1;

  constructor(service: MirrorService, limitBytes: number) {
    this.#service = service;
    this.#limitBytes = limitBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Keeps a chunk. Returns why it can't: the copy is to be released then. */
  add(chunk: Uint8Array): MirrorDrop | null {
    const { byteLength } = chunk;
    if (this.#sizeBytes + byteLength > this.#limitBytes) return 'body-too-large';
    if (!this.#service.reserve(byteLength)) return 'no-memory';
    this.#sizeBytes += byteLength;
    this.chunks.push(chunk);
    return null;
  }

  /** One more holder calls `release`. */
  hold(): void {
    this.#holders++;
  }

  /** Frees the memory with the last holder. */
  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#service.release(this.#sizeBytes);
  }
}
