// Bytes of a response that wait for a window or for room, in buffers of the worker's pool. Thread: worker.

import type { FrameMemory } from '../../http2/frame-writer.ts';

const NO_BUFFER = Buffer.alloc(0);

export class PendingBytes {
  bytes: Buffer = NO_BUFFER;
  start = 0;
  end = 0;
  readonly #memory: FrameMemory;

  constructor(memory: FrameMemory) {
    this.#memory = memory;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Adds a copy of `chunk` from `from` on. */
  add(chunk: Uint8Array, from: number): void {
    const size = chunk.byteLength - from;
    if (this.end + size > this.bytes.length) this.#move(this.length + size);
    this.bytes.set(from === 0 ? chunk : chunk.subarray(from), this.end);
    this.end += size;
  }

  /** Drops the bytes before `offset`. */
  consumeTo(offset: number): void {
    this.start = offset;
    if (offset === this.end) this.clear();
  }

  clear(): void {
    if (this.bytes.length > 0) this.#memory.give(this.bytes);
    this.bytes = NO_BUFFER;
    this.start = 0;
    this.end = 0;
  }

  #move(sizeBytes: number): void {
    const { bytes, start, end } = this;
    const larger = this.#memory.take(sizeBytes);
    larger.set(bytes.subarray(start, end));
    this.clear();
    this.bytes = larger;
    this.end = end - start;
  }
}
