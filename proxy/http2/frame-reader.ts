// Splits the bytes of an HTTP/2 connection into frames, checked by RFC 9113 sections 4 and 6: state and step, no I/O, every
// split of the bytes. Thread: both.

import { ErrorCode } from './error-code.ts';
import {
  DEFAULT_MAX_FRAME_BYTES,
  Flag,
  FRAME_HEADER_BYTES,
  FrameType,
  readUint31,
  readUint32,
} from './frame-format.ts';

/** The reader's events. Ranges are valid during the call. Inside each of them the reader may be shut. */
export interface FrameSink {
  /** A DATA frame begins. @param flowBytes its length with padding, which counts for flow control (section 6.9.1) */
  onDataStart(stream: number, flowBytes: number): void;
  onData(stream: number, bytes: Uint8Array, start: number, end: number): void;
  /** The DATA frame is complete. */
  onDataEnd(stream: number, isEndStream: boolean): void;
  /** A header block, its CONTINUATION frames joined. */
  onHeaders(stream: number, isEndStream: boolean, block: Uint8Array, start: number, end: number): void;
  onReset(stream: number, code: number): void;
  /** @param start,end a multiple of six bytes: see settings.ts */
  onSettings(bytes: Uint8Array, start: number, end: number): void;
  onSettingsAck(): void;
  /** @param start of eight opaque bytes */
  onPing(isAck: boolean, bytes: Uint8Array, start: number): void;
  onGoaway(lastStream: number, code: number): void;
  /** @param stream 0 is the connection @param increment at least 1 */
  onWindowUpdate(stream: number, increment: number): void;
  /** PRIORITY, or a frame of an unknown type: to be ignored (section 4.1), apart from their number. */
  onOther?(stream: number, type: number, bytes: Uint8Array, start: number, end: number): void;
  /** A fault of one stream: to be answered by RST_STREAM. */
  onStreamError(stream: number, code: ErrorCode): void;
  /** A fault of the connection: to be answered by GOAWAY. Nothing follows. */
  onConnectionError(code: ErrorCode, reason: string): void;
}

export interface FrameLimits {
  /** Our SETTINGS_MAX_FRAME_SIZE. */
  readonly frameBytes: number;
  /** Bytes of a header block, its CONTINUATION frames together. */
  readonly blockBytes: number;
  /** Frames of a header block: empty CONTINUATION frames never reach a limit on bytes (CVE-2024-27316 and its kind). */
  readonly blockFrames: number;
}

/** 64 KiB hold the largest list of fields that we accept, coded in the worst way; honest clients need one to three frames. */
const DEFAULT_FRAME_LIMITS: FrameLimits = {
  frameBytes: DEFAULT_MAX_FRAME_BYTES,
  blockBytes: 65_536,
  blockFrames: 10,
};

const PRIORITY_BYTES = 5;
const SETTING_BYTES = 6;
const PING_BYTES = 8;
const GOAWAY_BYTES = 8;
const CODE_BYTES = 4;

const NO_BYTES = Buffer.alloc(0);

const State = { HEADER: 0, PAYLOAD: 1, DATA: 2, SHUT: 3 } as const;

export class FrameReader {
  readonly #sink: FrameSink;
  readonly #limits: FrameLimits;
  #state: number = State.HEADER;
  /** A frame header or payload that came in pieces. */
  #held: Buffer = NO_BYTES;
  #heldBytes = 0;
  #length = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  #isFirst = true;
  /** Of a DATA frame: whether its pad length is due, and the bytes of payload and padding that have not come yet. */
  #isPadLengthDue = false;
  #dataBytes = 0;
  #paddingBytes = 0;
  /** A header block without its end: the stream, and its fragments so far. */
  #blockStream = 0;
  #blockEndsStream = false;
  #blockFrames = 0;
  #block: Buffer | null = null;
  #blockBytes = 0;

  constructor(sink: FrameSink, limits: FrameLimits = DEFAULT_FRAME_LIMITS) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Whether no part of a frame or header block is waiting for its rest. */
  get isBetweenFrames(): boolean {
    return this.#state === State.HEADER && this.#heldBytes === 0 && this.#blockStream === 0;
  }

  /** Discards everything from now on, without an event. */
  shut(): void {
    this.#state = State.SHUT;
    this.#block = null;
  }

  /** Reads bytes after the connection preface. They may be overwritten afterwards. */
  feed(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && this.#state !== State.SHUT) {
      if (this.#state === State.DATA) at = this.#readData(bytes, at, end);
      else at = this.#collect(bytes, at, end);
    }
  }

  /** Reads a frame header or payload: from `bytes` if it is whole there, otherwise joined in memory of our own. */
  #collect(bytes: Uint8Array, at: number, end: number): number {
    const needed = this.#state === State.HEADER ? FRAME_HEADER_BYTES : this.#length;
    if (this.#heldBytes === 0 && end - at >= needed) {
      this.#take(bytes, at, at + needed);
      return at + needed;
    }
    const size = Math.min(end - at, needed - this.#heldBytes);
    if (this.#held.length < needed) this.#held = Buffer.allocUnsafeSlow(needed);
    this.#held.set(bytes.subarray(at, at + size), this.#heldBytes);
    this.#heldBytes += size;
    if (this.#heldBytes === needed) {
      this.#heldBytes = 0;
      this.#take(this.#held, 0, needed);
    }
    return at + size;
  }

  #take(bytes: Uint8Array, start: number, end: number): void {
    if (this.#state === State.HEADER) {
      this.#takeHeader(bytes, start);
      return;
    }
    this.#state = State.HEADER;
    this.#takePayload(bytes, start, end);
  }

  #takeHeader(bytes: Uint8Array, at: number): void {
    this.#length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    this.#type = bytes[at + 3]!;
    this.#flags = bytes[at + 4]!;
    this.#stream = readUint31(bytes, at + 5);
    const fault = this.#headerFault();
    if (fault !== '') return this.#fail(ErrorCode.PROTOCOL_ERROR, fault);
    if (this.#length > this.#limits.frameBytes) return this.#fail(ErrorCode.FRAME_SIZE_ERROR, 'frame too large');
    if (this.#type === FrameType.DATA) return this.#beginData();
    this.#state = State.PAYLOAD;
    if (this.#length === 0) this.#take(this.#held, 0, 0);
  }

  /** Faults of the order of frames, and of streams that a type may not have. */
  #headerFault(): string {
    const type = this.#type;
    if (this.#isFirst && (type !== FrameType.SETTINGS || (this.#flags & Flag.ACK) !== 0)) return 'no SETTINGS first';
    this.#isFirst = false;
    const isContinuation = type === FrameType.CONTINUATION;
    if (this.#blockStream !== 0) {
      return isContinuation && this.#stream === this.#blockStream ? '' : 'a header block was interrupted';
    }
    if (isContinuation) return 'CONTINUATION without a header block';
    if (type === FrameType.PUSH_PROMISE) return 'PUSH_PROMISE, which we do not enable';
    const isOfConnection = type === FrameType.SETTINGS || type === FrameType.PING || type === FrameType.GOAWAY;
    if (isOfConnection) return this.#stream === 0 ? '' : 'a stream on a frame of the connection';
    const isOfStream = type <= FrameType.RST_STREAM;
    return isOfStream && this.#stream === 0 ? 'no stream on a frame of a stream' : '';
  }

  // ---- DATA

  #beginData(): void {
    this.#state = State.DATA;
    this.#isPadLengthDue = (this.#flags & Flag.PADDED) !== 0;
    this.#dataBytes = this.#length;
    this.#paddingBytes = 0;
    if (this.#isPadLengthDue && this.#length === 0) return this.#fail(ErrorCode.FRAME_SIZE_ERROR, 'no pad length');
    this.#sink.onDataStart(this.#stream, this.#length);
    if (this.#length === 0) this.#endData();
  }

  #readData(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    if (this.#isPadLengthDue) {
      this.#isPadLengthDue = false;
      this.#paddingBytes = bytes[at]!;
      this.#dataBytes -= 1 + this.#paddingBytes;
      at += 1;
      if (this.#dataBytes < 0) {
        this.#fail(ErrorCode.PROTOCOL_ERROR, 'padding longer than its frame');
        return end;
      }
    }
    const size = Math.min(end - at, this.#dataBytes);
    if (size > 0) {
      this.#dataBytes -= size;
      this.#sink.onData(this.#stream, bytes, at, at + size);
      at += size;
    }
    const padding = Math.min(end - at, this.#paddingBytes);
    if (this.#dataBytes === 0) {
      this.#paddingBytes -= padding;
      at += padding;
    }
    if (this.#dataBytes === 0 && this.#paddingBytes === 0) this.#endData();
    return at;
  }

  #endData(): void {
    if (this.#state === State.SHUT) return;
    this.#state = State.HEADER;
    this.#sink.onDataEnd(this.#stream, (this.#flags & Flag.END_STREAM) !== 0);
  }

  // ---- other frames

  #takePayload(bytes: Uint8Array, start: number, end: number): void {
    const sink = this.#sink;
    const isAck = (this.#flags & Flag.ACK) !== 0;
    switch (this.#type) {
      case FrameType.HEADERS:
        return this.#takeHeaders(bytes, start, end);
      case FrameType.CONTINUATION:
        return this.#addToBlock(bytes, start, end);
      case FrameType.PRIORITY:
        if (this.#length !== PRIORITY_BYTES) return sink.onStreamError(this.#stream, ErrorCode.FRAME_SIZE_ERROR);
        if (readUint31(bytes, start) === this.#stream) return this.#failDependency();
        return sink.onOther?.(this.#stream, FrameType.PRIORITY, bytes, start, end);
      case FrameType.RST_STREAM:
        return this.#length === CODE_BYTES ? sink.onReset(this.#stream, readUint32(bytes, start)) : this.#failSize();
      case FrameType.SETTINGS:
        if (isAck) return this.#length === 0 ? sink.onSettingsAck() : this.#failSize();
        return this.#length % SETTING_BYTES === 0 ? sink.onSettings(bytes, start, end) : this.#failSize();
      case FrameType.PING:
        return this.#length === PING_BYTES ? sink.onPing(isAck, bytes, start) : this.#failSize();
      case FrameType.GOAWAY:
        if (this.#length < GOAWAY_BYTES) return this.#failSize();
        return sink.onGoaway(readUint31(bytes, start), readUint32(bytes, start + CODE_BYTES));
      case FrameType.WINDOW_UPDATE:
        return this.#length === CODE_BYTES ? this.#takeWindowUpdate(readUint31(bytes, start)) : this.#failSize();
      default:
        return sink.onOther?.(this.#stream, this.#type, bytes, start, end);
    }
  }

  #takeWindowUpdate(increment: number): void {
    if (increment > 0) this.#sink.onWindowUpdate(this.#stream, increment);
    else if (this.#stream === 0) this.#fail(ErrorCode.PROTOCOL_ERROR, 'WINDOW_UPDATE by 0');
    else this.#sink.onStreamError(this.#stream, ErrorCode.PROTOCOL_ERROR);
  }

  /** Strips padding and the deprecated priority, which is ignored but for its validity (RFC 9113 section 5.3). */
  #takeHeaders(bytes: Uint8Array, start: number, end: number): void {
    const isPadded = (this.#flags & Flag.PADDED) !== 0;
    const prefix = (isPadded ? 1 : 0) + ((this.#flags & Flag.PRIORITY) !== 0 ? PRIORITY_BYTES : 0);
    if (this.#length < prefix) return this.#failSize();
    const padding = isPadded ? bytes[start]! : 0;
    if (prefix + padding > this.#length) return this.#fail(ErrorCode.PROTOCOL_ERROR, 'padding longer than its frame');
    if (prefix >= PRIORITY_BYTES && readUint31(bytes, start + prefix - PRIORITY_BYTES) === this.#stream) {
      return this.#failDependency();
    }
    this.#blockEndsStream = (this.#flags & Flag.END_STREAM) !== 0;
    this.#blockFrames = 0;
    this.#addToBlock(bytes, start + prefix, end - padding);
  }

  #addToBlock(bytes: Uint8Array, start: number, end: number): void {
    const isWhole = (this.#flags & Flag.END_HEADERS) !== 0;
    this.#blockFrames += 1;
    const isTooLarge = this.#blockBytes + end - start > this.#limits.blockBytes;
    if (isTooLarge || this.#blockFrames > this.#limits.blockFrames) {
      return this.#fail(ErrorCode.ENHANCE_YOUR_CALM, 'header block too large');
    }
    if (isWhole && this.#blockStream === 0) {
      this.#sink.onHeaders(this.#stream, this.#blockEndsStream, bytes, start, end);
      return;
    }
    this.#blockStream = this.#stream;
    this.#block ??= Buffer.allocUnsafe(this.#limits.blockBytes);
    this.#block.set(bytes.subarray(start, end), this.#blockBytes);
    this.#blockBytes += end - start;
    if (isWhole) this.#endBlock(this.#block);
  }

  #endBlock(block: Buffer): void {
    const length = this.#blockBytes;
    this.#blockStream = 0;
    this.#blockBytes = 0;
    this.#block = null;
    this.#sink.onHeaders(this.#stream, this.#blockEndsStream, block, 0, length);
  }

  /** RFC 7540 section 5.3.1. RFC 9113 deprecates dependencies, but no working client sends this one. */
  #failDependency(): void {
    this.#fail(ErrorCode.PROTOCOL_ERROR, 'a stream depends on itself');
  }

  #failSize(): void {
    this.#fail(ErrorCode.FRAME_SIZE_ERROR, 'a frame of the wrong size');
  }

  #fail(code: ErrorCode, reason: string): void {
    this.shut();
    this.#sink.onConnectionError(code, reason);
  }
}
