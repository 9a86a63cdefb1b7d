// Decodes chunked bodies (RFC 9112 section 7.1): state and step, no I/O, every split of the bytes. Thread: both.

import { BLANK, CLASS, CR, HEX_DIGIT, LF } from './byte-class.ts';
import { ExtensionState, mayEndExtension, stepExtension } from './chunk-extension.ts';
import { CodecError } from './codec-error.ts';
import { DecodeEvent, type BodyDecoder, type DecodeResult } from './decode-event.ts';
import { readTrailerSection } from './trailer-section.ts';

/** Limits on everything but the payload. */
export interface ChunkLimits {
  /** Bytes of a chunk-size line after its digits, CRLF excluded. */
  readonly extensionBytes: number;
  /** Bytes of a trailer section. */
  readonly trailerBytes: number;
  /** Fields of a trailer section. */
  readonly trailerFields: number;
}

/**
 * 1 KiB of extensions per chunk: the longest in use are signatures of about 90 bytes, and ignored bytes are a way to
 * keep us busy. 8 KiB and 64 fields of trailers: they are held in memory until the body ends, and real messages have a
 * handful (gRPC status, digests, timings).
 */
const DEFAULT_CHUNK_LIMITS: ChunkLimits = { extensionBytes: 1024, trailerBytes: 8192, trailerFields: 64 };

/** Leading zeros are valid and say nothing, so that their number is bounded like that of the bytes of an extension. */
const MAX_SIZE_DIGITS = 1024;

const State = {
  SIZE_START: 0,
  SIZE: 1,
  EXTENSION: 2,
  SIZE_LF: 3,
  DATA: 4,
  DATA_CR: 5,
  DATA_LF: 6,
  TRAILER_START: 7,
  TRAILER_LINE: 8,
  TRAILER_LF: 9,
  FINAL_LF: 10,
  DONE: 11,
} as const;

/** Reused: call `reset` before each body. */
export class ChunkedDecoder implements BodyDecoder {
  position = 0;
  dataStart = 0;
  dataEnd = 0;
  payloadBytes = 0;
  /** The trailers that may be forwarded, as [name, value, ...], or null. Set at DONE. */
  trailers: readonly string[] | null = null;

  readonly #limits: ChunkLimits;
  #state: number = State.SIZE_START;
  #remainingBytes = 0;
  #sizeDigits = 0;
  #extensionState: number = ExtensionState.BEFORE_SEMICOLON;
  #extensionBytes = 0;
  #trailerBytes: Buffer | null = null;
  #trailerLength = 0;

  constructor(limits: ChunkLimits = DEFAULT_CHUNK_LIMITS) {
    this.#limits = limits;
  }

  /** Starts a body. */
  reset(): void {
    this.payloadBytes = 0;
    this.trailers = null;
    this.#state = State.SIZE_START;
    this.#trailerBytes = null;
    this.#trailerLength = 0;
  }

  next(bytes: Uint8Array, from: number, end: number): DecodeResult {
    let at = from;
    while (this.#state !== State.DONE) {
      if (at === end) return this.#stop(at, DecodeEvent.NEED_MORE);
      if (this.#state === State.DATA) return this.#takeData(at, end);
      at = this.#step(bytes, at, end);
      if (at < 0) return ~at;
    }
    return this.#stop(at, DecodeEvent.DONE);
  }

  #stop(at: number, event: DecodeResult): DecodeResult {
    this.position = at;
    return event;
  }

  #takeData(from: number, end: number): DecodeResult {
    this.dataStart = from;
    this.dataEnd = this.#passData(from, end);
    return this.#stop(this.dataEnd, DecodeEvent.DATA);
  }

  #passData(from: number, end: number): number {
    const size = Math.min(end - from, this.#remainingBytes);
    this.#remainingBytes -= size;
    this.payloadBytes += size;
    if (this.#remainingBytes === 0) this.#state = State.DATA_CR;
    return from + size;
  }

  /** Consumes at least one byte of framing. @returns the next offset, or the complement of a CodecError */
  #step(bytes: Uint8Array, at: number, end: number): number {
    if (this.#state <= State.SIZE_LF) return this.#readSizeLine(bytes, at, end);
    if (this.#state <= State.DATA_LF) return this.#readDataEnd(bytes[at]!, at);
    return this.#readTrailers(bytes, at, end);
  }

  #readDataEnd(byte: number, at: number): number {
    // A payload longer than its size, or a line end that only one of two parsers accepts.
    if (byte !== (this.#state === State.DATA_CR ? CR : LF)) return ~CodecError.BAD_CHUNK_END;
    this.#state = this.#state === State.DATA_CR ? State.DATA_LF : State.SIZE_START;
    return at + 1;
  }

  #readSizeLine(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    if (this.#state === State.SIZE_START) {
      this.#remainingBytes = 0;
      this.#sizeDigits = 0;
      this.#extensionBytes = 0;
      this.#state = State.SIZE;
    }
    if (this.#state === State.SIZE) at = this.#readDigits(bytes, at, end);
    if (at >= 0 && at < end && this.#state === State.EXTENSION) at = this.#readExtension(bytes, at, end);
    if (at < 0 || at === end || this.#state !== State.SIZE_LF) return at;
    if (bytes[at] !== LF) return ~CodecError.BARE_CR;
    this.#state = this.#remainingBytes === 0 ? State.TRAILER_START : State.DATA;
    return at + 1;
  }

  /** chunk-size = 1*HEXDIG: no sign, no 0x, no leading whitespace. */
  #readDigits(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    let size = this.#remainingBytes;
    while (at < end && (CLASS[bytes[at]!]! & HEX_DIGIT) !== 0) {
      const byte = bytes[at]!;
      size = size * 16 + (byte & 15) + (byte > 0x39 ? 9 : 0);
      at += 1;
    }
    this.#sizeDigits += at - from;
    this.#remainingBytes = size;
    // No size may wrap (smuggling by overflow).
    if (this.#sizeDigits > MAX_SIZE_DIGITS || size > Number.MAX_SAFE_INTEGER) return ~CodecError.CHUNK_TOO_LARGE;
    if (at === end) return at;
    return this.#sizeDigits === 0 ? ~CodecError.BAD_CHUNK_SIZE : this.#leaveDigits(bytes[at]!, at);
  }

  #leaveDigits(byte: number, at: number): number {
    if (byte === CR) {
      this.#state = State.SIZE_LF;
      return at + 1;
    }
    if (byte === LF) return ~CodecError.BARE_LF;
    if ((CLASS[byte]! & BLANK) === 0 && byte !== 0x3b) return ~CodecError.BAD_CHUNK_SIZE;
    this.#state = State.EXTENSION;
    this.#extensionState = ExtensionState.BEFORE_SEMICOLON;
    return at;
  }

  #readExtension(bytes: Uint8Array, from: number, end: number): number {
    for (let at = from; at < end; at += 1) {
      const byte = bytes[at]!;
      if (byte === CR && mayEndExtension(this.#extensionState)) {
        this.#state = State.SIZE_LF;
        return at + 1;
      }
      this.#extensionBytes += 1;
      if (this.#extensionBytes > this.#limits.extensionBytes) return ~CodecError.CHUNK_LINE_TOO_LONG;
      if (byte === LF) return ~CodecError.BARE_LF;
      this.#extensionState = stepExtension(this.#extensionState, byte);
      if (this.#extensionState < 0) return ~CodecError.BAD_CHUNK_EXTENSION;
    }
    return end;
  }

  #readTrailers(bytes: Uint8Array, from: number, end: number): number {
    for (let at = from; at < end; at += 1) {
      const byte = bytes[at]!;
      const isFirst = this.#state === State.TRAILER_START && byte !== CR;
      if (isFirst || this.#trailerLength > 0) this.#keepTrailerByte(byte);
      if (this.#trailerLength > this.#limits.trailerBytes) return ~CodecError.TRAILERS_TOO_LARGE;
      const failure = this.#stepTrailer(byte);
      if (failure !== 0) return ~failure;
      if (this.#state === State.DONE) return at + 1;
    }
    return end;
  }

  /** Advances by one byte of the trailer section. @returns 0 or a CodecError */
  #stepTrailer(byte: number): number {
    switch (this.#state) {
      case State.TRAILER_START:
        if (byte === LF) return CodecError.BARE_LF;
        this.#state = byte === CR ? State.FINAL_LF : State.TRAILER_LINE;
        return 0;
      case State.TRAILER_LINE:
        if (byte === LF) return CodecError.BARE_LF;
        if (byte === CR) this.#state = State.TRAILER_LF;
        return 0;
      case State.TRAILER_LF:
        this.#state = State.TRAILER_START;
        return byte === LF ? 0 : CodecError.BARE_CR;
      default:
        return byte === LF ? this.#finish() : CodecError.BARE_CR;
    }
  }

  #keepTrailerByte(byte: number): void {
    this.#trailerBytes ??= Buffer.allocUnsafe(this.#limits.trailerBytes + 1);
    this.#trailerBytes[this.#trailerLength] = byte;
    this.#trailerLength += 1;
  }

  #finish(): number {
    this.#state = State.DONE;
    if (this.#trailerBytes === null) return 0;
    const section = readTrailerSection(this.#trailerBytes, this.#trailerLength, this.#limits.trailerFields);
    this.trailers = section.fields;
    this.#trailerBytes = null;
    return section.error;
  }
}
