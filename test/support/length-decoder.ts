// Decodes bodies of known length, or until close, for the tests' reader. Thread: both.

import { DecodeEvent, type BodyDecoder, type DecodeResult } from '../../proxy/http1/decode-event.ts';

/** `reset(bytes)` for Content-Length, `reset(Infinity)` for a body until close (its end is the connection's). */
export class LengthDecoder implements BodyDecoder {
  position = 0;
  dataStart = 0;
  dataEnd = 0;
  payloadBytes = 0;
  #remainingBytes = 0;

  /** Starts a body. @param lengthBytes a safe integer of at least 0, or Infinity */
  reset(lengthBytes: number): void {
    this.#remainingBytes = lengthBytes;
    this.payloadBytes = 0;
  }

  /** Remaining bytes. */
  get remainingBytes(): number {
    return this.#remainingBytes;
  }

  next(_bytes: Uint8Array, from: number, end: number): DecodeResult {
    this.position = from;
    if (this.#remainingBytes === 0) return DecodeEvent.DONE;
    if (from >= end) return DecodeEvent.NEED_MORE;
    const size = Math.min(end - from, this.#remainingBytes);
    this.dataStart = from;
    this.dataEnd = from + size;
    this.position = this.dataEnd;
    this.#remainingBytes -= size;
    this.payloadBytes += size;
    return DecodeEvent.DATA;
  }
}
