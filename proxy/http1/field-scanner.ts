// Scans the field lines of a head or a trailer section, which share one grammar (RFC 9112 section 5). Thread: both.

import { BLANK, CLASS, COLON, CR, HTAB, LF, SP, TEXT, TOKEN } from './byte-class.ts';
import { CodecError } from './codec-error.ts';
import { recogniseField } from './field-kind.ts';
import type { MessageHead } from './message-head.ts';

/**
 * Scanning functions return an offset, or the complement of a CodecError, or this, the complement of 0, if the bytes end
 * too early. Every negative number is a failure, and `~result` identifies it.
 */
export const INCOMPLETE = -1;

/** The scanned part of a buffer. One reused object, so that scanning functions take few arguments. */
export class ScanRegion {
  bytes: Uint8Array = new Uint8Array(0);
  /** Start of the message: offsets in a MessageHead count from here. */
  base = 0;
  /** Bytes from here on must not be read. */
  limit = 0;
  #view: DataView = new DataView(this.bytes.buffer);
  #viewed: Uint8Array = this.bytes;

  set(bytes: Uint8Array, base: number, limit: number): void {
    this.bytes = bytes;
    this.base = base;
    this.limit = limit;
  }

  /**
   * A view of `bytes` that reads four at a time from any offset. Made on demand and kept while the buffer is the same:
   * with one static receive buffer it is made once.
   */
  get view(): DataView {
    if (this.#viewed !== this.bytes) {
      this.#viewed = this.bytes;
      this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    }
    return this.#view;
  }
}

/**
 * Scans field lines and the empty line after them into `head`. The loop contains only what a valid line needs.
 * @param from offset of the first field line
 * @param maxFields limit on their number
 * @returns the offset after the empty line, INCOMPLETE, or the complement of a CodecError
 */
export function scanFieldLines(head: MessageHead, region: ScanRegion, from: number, maxFields: number): number {
  const { bytes, limit, base } = region;
  let at = from;
  while (at < limit) {
    const nameStart = at;
    while (at < limit && (CLASS[bytes[at]!]! & TOKEN) !== 0) at += 1;
    if (at === nameStart && bytes[at] === CR) return finishLine(region, at);
    if (at === nameStart || at === limit || bytes[at] !== COLON) return nameFailure(region, nameStart, at);
    if (head.fieldCount >= maxFields) return ~CodecError.TOO_MANY_FIELDS;
    const nameEnd = at;
    at += 1;
    while (at < limit && (CLASS[bytes[at]!]! & BLANK) !== 0) at += 1;
    const valueStart = at;
    at = skipText(region, at);
    let valueEnd = at;
    while (valueEnd > valueStart && (CLASS[bytes[valueEnd - 1]!]! & BLANK) !== 0) valueEnd -= 1;
    if (at + 1 >= limit || bytes[at] !== CR || bytes[at + 1] !== LF) return finishLine(region, at);
    at += 2;
    const kind = recogniseField(bytes, nameStart, nameEnd);
    head.addField(kind, nameStart - base, nameEnd - base, valueStart - base, valueEnd - base);
  }
  return INCOMPLETE;
}

/** The failure of a field name that ends at `at`. */
function nameFailure(region: ScanRegion, nameStart: number, at: number): number {
  const { bytes, limit } = region;
  if (at === limit) return INCOMPLETE;
  const byte = bytes[at]!;
  const isEmpty = at === nameStart;
  if (byte === COLON) return ~CodecError.EMPTY_NAME;
  // At the start of a line a blank continues the line before (obs-fold, RFC 9112 section 5.2) or hides a field after
  // the start line (section 2.2): request smuggling if another parser reads it as a field of its own.
  if (byte === SP || byte === HTAB) return isEmpty ? ~CodecError.FOLDED_LINE : ~CodecError.SPACE_AFTER_NAME;
  if (byte === LF) return ~CodecError.BARE_LF;
  if (byte !== CR) return ~CodecError.BAD_NAME;
  if (at + 1 === limit) return INCOMPLETE;
  return bytes[at + 1] === LF ? ~CodecError.MISSING_COLON : ~CodecError.BARE_CR;
}

/** Expects CRLF at `at`. @returns the offset after it, or a failure */
export function finishLine(region: ScanRegion, at: number): number {
  const { bytes, limit } = region;
  if (at >= limit) return INCOMPLETE;
  const byte = bytes[at]!;
  // A bare LF or CR ends a line for some parsers and not for others: never guess (RFC 9112 section 2.2).
  if (byte === LF) return ~CodecError.BARE_LF;
  if (byte !== CR) return ~CodecError.BAD_VALUE;
  if (at + 1 === limit) return INCOMPLETE;
  return bytes[at + 1] === LF ? at + 2 : ~CodecError.BARE_CR;
}

/** Offset of the first byte from `from` on that can't be part of a field value or reason phrase, or the limit. */
export function skipText(region: ScanRegion, from: number): number {
  const { bytes, view, limit } = region;
  const lastWord = limit - 4;
  let at = from;
  while (at <= lastWord) {
    // Four bytes at a time. Subtracting sets the top bit of bytes below 0x20, adding that of DEL; bytes from 0x80 are
    // masked out. The lowest marked byte is a control byte, or a false positive after 0xff.
    const word = view.getInt32(at, true);
    const marked = ((word - 0x20202020) | (word + 0x01010101)) & ~word & 0x80808080;
    if (marked === 0) {
      at += 4;
      continue;
    }
    at += (31 - Math.clz32(marked & -marked)) >> 3;
    if ((CLASS[bytes[at]!]! & TEXT) === 0) return at;
    at += 1;
  }
  while (at < limit && (CLASS[bytes[at]!]! & TEXT) !== 0) at += 1;
  return at;
}
