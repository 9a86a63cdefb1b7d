// Received bytes that can't be used yet: an incomplete head, pipelined requests, data for a slow peer. Thread: worker.

const EMPTY = Buffer.alloc(0);
const FIRST_BYTES = 1024;

/**
 * Grows by doubling, so that a peer that sends byte by byte costs no more than another. Memory that was handed out
 * (`bytes` from `start` on) is never overwritten: its receiver may keep it.
 */
export class HeldBytes {
  bytes: Buffer = EMPTY;
  start = 0;
  end = 0;
  #isOwn = false;

  get length(): number {
    return this.end - this.start;
  }

  /** Adds bytes that will not change. Copies only if bytes are held already. */
  add(chunk: Buffer): void {
    if (this.start === this.end) {
      this.bytes = chunk;
      this.start = 0;
      this.end = chunk.length;
      this.#isOwn = false;
    } else this.addCopy(chunk, 0, chunk.length);
  }

  /** Adds a copy of `chunk` from `from` to `to`. */
  addCopy(chunk: Buffer, from: number, to: number): void {
    const needed = this.end + to - from;
    if (!this.#isOwn || needed > this.bytes.length) this.#move(this.length + to - from);
    chunk.copy(this.bytes, this.end, from, to);
    this.end += to - from;
  }

  /** Drops the bytes before `offset`. */
  consumeTo(offset: number): void {
    this.start = offset;
    if (offset === this.end) this.clear();
  }

  clear(): void {
    this.bytes = EMPTY;
    this.start = 0;
    this.end = 0;
    this.#isOwn = false;
  }

  #move(needed: number): void {
    const size = Math.max(FIRST_BYTES, 2 ** Math.ceil(Math.log2(needed)));
    const larger = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(larger, 0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
    this.bytes = larger;
    this.#isOwn = true;
  }
}
