// The results and the contract of body decoders. Thread: both.

/** Results of a decoder's step, besides the numbers of CodecError (which are above 0). */
export const DecodeEvent = {
  /** All bytes are consumed and the body continues. */
  NEED_MORE: 0,
  /** A range of payload: `dataStart` to `dataEnd`. Call again from `position`. */
  DATA: -1,
  /** The body has ended; bytes from `position` on belong to the next message. */
  DONE: -2,
} as const;

/** A DecodeEvent or a CodecError. */
export type DecodeResult = number;

/**
 * Consumes the bytes of a body in any pieces and returns ranges of payload, without copying.
 * Usage: `while ((event = decoder.next(bytes, at, end)) === DecodeEvent.DATA) { ...; at = decoder.position; }`.
 */
export interface BodyDecoder {
  /** Offset of the first byte that the last call did not consume. */
  readonly position: number;
  /** The range of DATA. */
  readonly dataStart: number;
  readonly dataEnd: number;
  /** Payload bytes so far. */
  readonly payloadBytes: number;
  /** Consumes bytes from `from` to `end` until there is a range of payload, or the body or the bytes end. */
  next(bytes: Uint8Array, from: number, end: number): DecodeResult;
}
