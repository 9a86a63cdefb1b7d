// Assembles HTTP/2 frames (RFC 9113 sections 4.1 and 6) in one buffer, so that many frames leave in one write: no I/O.
// Thread: both.

import type { ErrorCode } from './error-code.ts';
import { DEFAULT_MAX_FRAME_BYTES, Flag, FRAME_HEADER_BYTES, FrameType, writeUint32 } from './frame-format.ts';

/** Enough for the responses to a page's small requests in one turn. */
const SMALL_BYTES = 8192;
/** Four DATA frames of 16 KiB, and some more frames. */
const LARGE_BYTES = 65_536 + 4096;
/** Sixteen DATA frames, and some more. */
const HUGE_BYTES = 262_144 + 16_384;
/** Buffers kept for reuse, of each size: at most 8.9 MiB per worker. */
const MAX_SPARE = 64;
const MAX_SPARE_HUGE = 16;
/** Fewer bytes are copied by a loop: a call of TypedArray.set costs more. */
const LOOP_BYTES = 48;
const SETTING_BYTES = 6;
const FLAGS_OFFSET = 4;

/** The output buffers of a worker. A buffer may be given back once its bytes have been handed to the system. */
export class FrameMemory {
  readonly #small: Buffer[] = [];
  readonly #large: Buffer[] = [];
  readonly #huge: Buffer[] = [];

  /** @returns memory for at least `sizeBytes` */
  take(sizeBytes: number): Buffer {
    if (sizeBytes <= SMALL_BYTES) return this.#small.pop() ?? Buffer.allocUnsafeSlow(SMALL_BYTES);
    if (sizeBytes <= LARGE_BYTES) return this.#large.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES);
    if (sizeBytes <= HUGE_BYTES) return this.#huge.pop() ?? Buffer.allocUnsafeSlow(HUGE_BYTES);
    return Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(sizeBytes)));
  }

  /** @param buffer a whole buffer of `take` that nothing references */
  give(buffer: Buffer): void {
    if (buffer.length === SMALL_BYTES) keep(this.#small, buffer, MAX_SPARE);
    else if (buffer.length === LARGE_BYTES) keep(this.#large, buffer, MAX_SPARE);
    else if (buffer.length === HUGE_BYTES) keep(this.#huge, buffer, MAX_SPARE_HUGE);
  }
}

function keep(spare: Buffer[], buffer: Buffer, most: number): void {
  if (spare.length < most) spare.push(buffer);
}

const NO_BUFFER = Buffer.alloc(0);

/** One per connection. Frames are added in order; `take` hands over what has been added since the last `take`. */
export class FrameWriter {
  /** The peer's SETTINGS_MAX_FRAME_SIZE: longer header blocks continue in CONTINUATION frames. */
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;
  /** Bytes that have been added and not taken. */
  length = 0;
  readonly #memory: FrameMemory;
  #out: Buffer = NO_BUFFER;
  /** The stream of the last HEADERS or DATA frame, and where that frame begins; 0: none, or it has been taken. */
  #lastStream = 0;
  #lastAt = 0;

  constructor(memory: FrameMemory) {
    this.#memory = memory;
  }

  /**
   * The buffer whose first `length` bytes are the frames; `length` is 0 afterwards. The caller gives the buffer back to the
   * memory once it has been written.
   */
  take(): Buffer {
    const out = this.#out;
    this.#out = NO_BUFFER;
    this.length = 0;
    this.#lastStream = 0;
    return out;
  }

  /** Discards the frames: the connection is lost. */
  drop(): void {
    const out = this.take();
    if (out.length > 0) this.#memory.give(out);
  }

  /** Adds bytes as they are: the connection preface. */
  addBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#copy(bytes, 0, bytes.length);
  }

  /** Adds a header block: HEADERS, and CONTINUATION where it exceeds a frame. @param start,end its range in `bytes` */
  addHeaders(stream: number, isEndStream: boolean, bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    let type: number = FrameType.HEADERS;
    let flags: number = isEndStream ? Flag.END_STREAM : 0;
    this.#lastStream = stream;
    this.#lastAt = this.length;
    do {
      const size = Math.min(end - at, this.maxFrameBytes);
      if (at + size === end) flags |= Flag.END_HEADERS;
      this.#addHeader(size, type, flags, stream);
      this.#copy(bytes, at, at + size);
      at += size;
      type = FrameType.CONTINUATION;
      flags = 0;
    } while (at < end);
  }

  /**
   * Adds a copy of body bytes, in frames of at most 16 KiB, which every peer accepts; an empty range with `isEndStream` is
   * one empty frame. The caller has spent the flow-control windows.
   */
  addData(stream: number, isEndStream: boolean, bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    do {
      const size = Math.min(end - at, DEFAULT_MAX_FRAME_BYTES);
      const isLast = at + size === end;
      this.#lastStream = stream;
      this.#lastAt = this.length;
      this.#addHeader(size, FrameType.DATA, isLast && isEndStream ? Flag.END_STREAM : 0, stream);
      this.#copy(bytes, at, at + size);
      at += size;
    } while (at < end);
  }

  /** Ends a stream: by the last frame, where that is the stream's and has not been taken, else by an empty DATA frame. */
  endStream(stream: number): void {
    if (this.#lastStream === stream) this.#out[this.#lastAt + FLAGS_OFFSET]! |= Flag.END_STREAM;
    else this.addData(stream, true, NO_BUFFER, 0, 0);
  }

  /** @param settings identifiers and values in turn */
  addSettings(settings: readonly number[]): void {
    this.#addHeader((settings.length / 2) * SETTING_BYTES, FrameType.SETTINGS, 0, 0);
    for (let at = 0; at < settings.length; at += 2) {
      this.#out[this.length] = settings[at]! >>> 8;
      this.#out[this.length + 1] = settings[at]!;
      this.length = writeUint32(settings[at + 1]!, this.#out, this.length + 2);
    }
  }

  addSettingsAck(): void {
    this.#addHeader(0, FrameType.SETTINGS, Flag.ACK, 0);
  }

  /** @param start of eight opaque bytes */
  addPing(isAck: boolean, bytes: Uint8Array, start: number): void {
    this.#addHeader(8, FrameType.PING, isAck ? Flag.ACK : 0, 0);
    this.#copy(bytes, start, start + 8);
  }

  /** @param lastStream the last stream that may have been processed @param reason debug data, ASCII */
  addGoaway(lastStream: number, code: ErrorCode, reason = ''): void {
    this.#addHeader(8 + reason.length, FrameType.GOAWAY, 0, 0);
    this.length = writeUint32(code, this.#out, writeUint32(lastStream, this.#out, this.length));
    for (let at = 0; at < reason.length; at += 1) this.#out[this.length++] = reason.charCodeAt(at);
  }

  addReset(stream: number, code: ErrorCode): void {
    this.#addHeader(4, FrameType.RST_STREAM, 0, stream);
    this.length = writeUint32(code, this.#out, this.length);
  }

  /** @param stream 0 is the connection @param increment at least 1 */
  addWindowUpdate(stream: number, increment: number): void {
    this.#addHeader(4, FrameType.WINDOW_UPDATE, 0, stream);
    this.length = writeUint32(increment, this.#out, this.length);
  }

  /** Adds a frame header, and reserves memory for the payload. */
  #addHeader(length: number, type: number, flags: number, stream: number): void {
    this.#reserve(FRAME_HEADER_BYTES + length);
    const out = this.#out;
    const at = this.length;
    out[at] = length >>> 16;
    out[at + 1] = length >>> 8;
    out[at + 2] = length;
    out[at + 3] = type;
    out[at + 4] = flags;
    this.length = writeUint32(stream, out, at + 5);
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const out = this.#out;
    let { length } = this;
    if (end - start > LOOP_BYTES) {
      out.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), length);
      length += end - start;
    } else for (let at = start; at < end; at += 1) out[length++] = bytes[at]!;
    this.length = length;
  }

  #reserve(sizeBytes: number): void {
    const needed = this.length + sizeBytes;
    if (needed <= this.#out.length) return;
    const before = this.#out;
    this.#out = this.#memory.take(needed);
    if (before.length === 0) return;
    this.#out.set(before.subarray(0, this.length));
    this.#memory.give(before);
  }
}
