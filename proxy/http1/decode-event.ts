// What body decoders answer, and the limits that they keep. Thread: both.

/** What a step of a decoder says, beside the numbers of CodecError (which are above 0). */
export const DecodeEvent = {
  /** All bytes given are used up and the body goes on. */
  NEED_MORE: 0,
  /** A range of bytes to pass on: `dataStart` to `dataEnd`. Call again from `position`. */
  DATA: -1,
  /** The body has ended; bytes from `position` on belong to the next message. */
  DONE: -2,
} as const;

/** A DecodeEvent or a CodecError. */
export type DecodeResult = number;

/**
 * A decoder takes the bytes of a body as they come and says which of them are payload, without copying any.
 * Usage: `while ((event = decoder.next(bytes, at, end)) === DecodeEvent.DATA) { ...; at = decoder.position; }`.
 */
export interface BodyDecoder {
  /** Where the last call stopped: offset of the first byte that it didn't use. */
  readonly position: number;
  /** The range that came with DATA. */
  readonly dataStart: number;
  readonly dataEnd: number;
  /** Payload bytes so far. */
  readonly payloadBytes: number;
  /** Uses up bytes from `from` to `end` until there is a range of payload, the body ends, or the bytes do. */
  next(bytes: Uint8Array, from: number, end: number): DecodeResult;
}
