// The bytes of the last head on one connection, to tell whether the next one is the same. Thread: worker.

const NO_VIEW: DataView = new DataView(new ArrayBuffer(0));
const LF = 0x0a;
const CR = 0x0d;

/** Larger heads are rarely repeated, and are not kept. */
const MAX_KEPT_BYTES = 1024;
/** After so many heads that were others, only one of many is kept: looking costs more than it saves. */
const PATIENCE = 8;
const LOOK_EVERY = 32;

export class LastHead {
  #bytes: Buffer | null = null;
  #view = NO_VIEW;
  #length = 0;
  #misses = 0;
  /** What was looked at last, and a view of it: mostly the one buffer that all reads go into. */
  #looked: Buffer | null = null;
  #lookedView = NO_VIEW;

  /** Whether the bytes at `at` are the head that was kept. Its length is then `length`. */
  isAt(bytes: Buffer, at: number, end: number): boolean {
    const length = this.#length;
    const next = at + length;
    if (length === 0 || next > end) return false;
    // The end first: a head with another length of its body or another cookie mostly ends elsewhere.
    if (bytes[next - 1] !== LF || bytes[next - 2] !== CR || bytes[next - 3] !== LF) return false;
    if (!this.#isEqual(bytes, at, length)) return false;
    this.#misses = 0;
    return true;
  }

  /** Four bytes at once: a call of Buffer.compare takes longer than a head. */
  #isEqual(bytes: Buffer, at: number, length: number): boolean {
    if (bytes !== this.#looked) {
      this.#looked = bytes;
      this.#lookedView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    const view = this.#view;
    const looked = this.#lookedView;
    let index = 0;
    for (; index + 4 <= length; index += 4) {
      if (view.getInt32(index, true) !== looked.getInt32(at + index, true)) return false;
    }
    for (; index < length; index += 1) if (view.getInt8(index) !== looked.getInt8(at + index)) return false;
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
    if (this.#bytes === null || this.#bytes.length < length) {
      this.#bytes = Buffer.allocUnsafeSlow(length + 64);
      this.#view = new DataView(this.#bytes.buffer);
    }
    bytes.copy(this.#bytes, 0, start, end);
    this.#length = length;
  }
}
