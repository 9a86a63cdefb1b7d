// The bytes of the last head on one connection, to recognise a repeated head. Thread: worker.

const NO_VIEW: DataView = new DataView(new ArrayBuffer(0));
const LF = 0x0a;
const CR = 0x0d;

/** Larger heads are rarely repeated. */
const MAX_KEPT_BYTES = 1024;
/** After this many different heads in a row only every 32nd is kept: comparing costs more than it saves. */
const MAX_MISSES = 8;
const KEEP_EVERY = 32;

export class LastHead {
  #bytes: Buffer | null = null;
  #view = NO_VIEW;
  #length = 0;
  #misses = 0;
  /** The buffer compared last, and a view of it: mostly the one buffer that all reads go into. */
  #compared: Buffer | null = null;
  #comparedView = NO_VIEW;

  /** Whether the bytes at `at` are the kept head, of `length` bytes. */
  isAt(bytes: Buffer, at: number, end: number): boolean {
    const length = this.#length;
    const next = at + length;
    if (length === 0 || next > end) return false;
    // The end first: a head with another body length or cookie mostly ends elsewhere.
    if (bytes[next - 1] !== LF || bytes[next - 2] !== CR || bytes[next - 3] !== LF) return false;
    if (!this.#isEqual(bytes, at, length)) return false;
    this.#misses = 0;
    return true;
  }

  /** Four bytes at a time: a call of Buffer.compare takes longer than a typical head. */
  #isEqual(bytes: Buffer, at: number, length: number): boolean {
    if (bytes !== this.#compared) {
      this.#compared = bytes;
      this.#comparedView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    const view = this.#view;
    const compared = this.#comparedView;
    let index = 0;
    for (; index + 4 <= length; index += 4) {
      if (view.getInt32(index, true) !== compared.getInt32(at + index, true)) return false;
    }
    for (; index < length; index += 1) if (view.getInt8(index) !== compared.getInt8(at + index)) return false;
    return true;
  }

  get length(): number {
    return this.#length;
  }

  forget(): void {
    this.#length = 0;
  }

  /** Keeps a copy of a head that differs from the last one. */
  keep(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    this.#length = 0;
    this.#misses += 1;
    if (length > MAX_KEPT_BYTES || (this.#misses > MAX_MISSES && this.#misses % KEEP_EVERY !== 0)) return;
    if (this.#bytes === null || this.#bytes.length < length) {
      this.#bytes = Buffer.allocUnsafeSlow(length + 64);
      this.#view = new DataView(this.#bytes.buffer);
    }
    bytes.copy(this.#bytes, 0, start, end);
    this.#length = length;
  }
}
