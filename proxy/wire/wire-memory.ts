// The buffers that a worker's connections read into and write from, reused unless they are kept: no allocation per read
// or write. Thread: worker.

/** Size of the shared read buffer; also the largest part of a response in one write. */
const SHARED_BYTES = 65_536;
/** Size of the read buffer for a large body. */
const BODY_BYTES = 65_536;
/** Size of the buffer in which one write is assembled: a full shared read and a head. */
const SCRATCH_BYTES = SHARED_BYTES + 32_768;
/** Body buffers kept for reuse: at most 4 MiB per worker. */
const MAX_SPARE = 64;

/**
 * One per worker. All endpoint connections read into `shared` while a head is awaited: the next read on any of them
 * overwrites it, so bytes that outlive the callback must be copied. Large bodies are read into buffers from `takeBody`,
 * which belong to one connection and may be handed on without copying.
 */
export class WireMemory {
  readonly shared: Buffer = Buffer.allocUnsafeSlow(SHARED_BYTES);
  #scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  readonly #spare: Buffer[] = [];
  /** The memory of the last buffer that a socket could not write at once. */
  #kept: ArrayBufferLike | null = null;

  /** Whether the next read overwrites a chunk's memory. */
  isShared(chunk: Uint8Array): boolean {
    return chunk.buffer === this.shared.buffer;
  }

  takeBody(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BODY_BYTES);
  }

  /** Returns a body buffer that nothing references. */
  giveBody(buffer: Buffer): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(buffer);
  }

  /** Marks a chunk that a socket holds until it is sent: its memory may not be overwritten. */
  keep(chunk: Uint8Array): void {
    this.#kept = chunk.buffer;
    if (chunk.buffer === this.#scratch.buffer) this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }

  /** Whether this buffer was the last one marked by `keep`. To be called once, right after it was handed on. */
  wasKept(buffer: Buffer): boolean {
    if (this.#kept !== buffer.buffer) return false;
    this.#kept = null;
    return true;
  }

  /**
   * Joins text (latin1), bytes and text in memory that is valid until the next call.
   * @returns null if they don't fit
   */
  assemble(head: string, chunk: Uint8Array, suffix: string): Buffer | null {
    const total = head.length + chunk.byteLength + suffix.length;
    const scratch = this.#scratch;
    if (total > scratch.length) return null;
    if (head !== '') scratch.write(head, 0, 'latin1');
    scratch.set(chunk, head.length);
    if (suffix !== '') scratch.write(suffix, head.length + chunk.byteLength, 'latin1');
    return scratch.subarray(0, total);
  }
}
