// The bytes of the last head on one connection, to tell whether the next one is the same. Thread: worker.

const LF = 0x0a;
const CR = 0x0d;

/** Larger heads are rarely repeated, and are not kept. */
const MAX_KEPT_BYTES = 1024;
/** After so many heads that were others, only one of many is kept: looking costs more than it saves. */
const PATIENCE = 8;
const LOOK_EVERY = 32;

export class LastHead {
  #bytes: Buffer | null = null;
  #length = 0;
  #misses = 0;

  /** Whether the bytes at `at` are the head that was kept. Its length is then `length`. */
  isAt(bytes: Buffer, at: number, end: number): boolean {
    const length = this.#length;
    const next = at + length;
    if (length === 0 || next > end) return false;
    // The end first: a head with another length of its body or another cookie mostly ends elsewhere.
    if (bytes[next - 1] !== LF || bytes[next - 2] !== CR || bytes[next - 3] !== LF) return false;
    if (this.#bytes!.compare(bytes, at, next, 0, length) !== 0) return false;
    this.#misses = 0;
    return true;
  }

  get length(): number {
    return this.#length;
  }

  forget(): void {
    this.#length = 0;
  }

  /** Keeps a copy of a head that was not the one before. */
  keep(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#length = 0;
    this.#misses += 1;
    if (length > MAX_KEPT_BYTES || (this.#misses > PATIENCE && this.#misses % LOOK_EVERY !== 0)) return;
    if (this.#bytes === null || this.#bytes.length < length) this.#bytes = Buffer.allocUnsafeSlow(length + 64);
    bytes.copy(this.#bytes, 0, start, end);
    this.#length = length;
  }
}
