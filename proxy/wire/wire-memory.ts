// The buffers that a worker's fast connections read into and write from, reused as long as nobody keeps them: no
// allocation per read or write. Thread: worker.

/** What one read takes from an endpoint at most while its heads come; also the largest part of a response in one write. */
export const SHARED_BYTES = 65_536;
/** What one read takes of a large body. */
export const BODY_BYTES = 65_536;
/** What is put together for one write: a whole shared read and a head. */
const SCRATCH_BYTES = SHARED_BYTES + 32_768;
/** Body buffers that are kept for the next large body: 4 MiB a worker at most. */
const MAX_SPARE = 64;

/**
 * One a worker. All endpoint connections read into `shared` while a head is awaited: what is in it is gone with the
 * next read on any of them, so that who keeps bytes longer than the callback copies them. Large bodies are read into
 * buffers taken with `takeBody`, which one connection has for itself and may hand on without copying.
 */
export class WireMemory {
  readonly shared: Buffer = Buffer.allocUnsafeSlow(SHARED_BYTES);
  #scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  readonly #spare: Buffer[] = [];
  /** The memory of the last buffer that a socket could not take at once. */
  #kept: ArrayBufferLike | null = null;

  /** Whether a chunk lies in memory that the next read overwrites. */
  isShared(chunk: Uint8Array): boolean {
    return chunk.buffer === this.shared.buffer;
  }

  takeBody(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BODY_BYTES);
  }

  /** Gives a body buffer back that nobody keeps. */
  giveBody(buffer: Buffer): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(buffer);
  }

  /** A socket keeps this chunk until it has sent it: its memory may not be written to any more. */
  keep(chunk: Uint8Array): void {
    this.#kept = chunk.buffer;
    if (chunk.buffer === this.#scratch.buffer) this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }

  /** Whether this buffer is the one that was kept last; asked once, right after it was handed on. */
  wasKept(buffer: Buffer): boolean {
    if (this.#kept !== buffer.buffer) return false;
    this.#kept = null;
    return true;
  }

  /**
   * Puts text (latin1), bytes and text together in memory that lasts until the next call.
   * @returns null where it is too much for it
   */
  assemble(head: string, chunk: Uint8Array, behind: string): Buffer | null {
    const total = head.length + chunk.byteLength + behind.length;
    const scratch = this.#scratch;
    if (total > scratch.length) return null;
    if (head !== '') scratch.write(head, 0, 'latin1');
    scratch.set(chunk, head.length);
    if (behind !== '') scratch.write(behind, head.length + chunk.byteLength, 'latin1');
    return scratch.subarray(0, total);
  }
}
