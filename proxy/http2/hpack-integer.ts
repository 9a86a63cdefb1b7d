// Integers of HPACK (RFC 7541 section 5.1): a prefix of 1 to 8 bits, then groups of 7 bits. Thread: both.

/**
 * Larger values are errors: no length, index or table size that we accept needs more, and longer encodings only keep a
 * decoder busy (section 7.4).
 */
const MAX_INTEGER = 0xfffffff;
/** Bytes after the prefix: four groups of 7 bits. */
const MAX_GROUPS = 4;

/** A position in a header block. Reused, so that reading makes no objects. */
export class BlockCursor {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;

  set(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** Reads an integer with a prefix of so many bits. @returns -1 if it is truncated or too large */
  readInteger(prefixBits: number): number {
    const { bytes, end } = this;
    if (this.at >= end) return -1;
    const limit = (1 << prefixBits) - 1;
    let value = bytes[this.at++]! & limit;
    if (value < limit) return value;
    for (let group = 0; group < MAX_GROUPS; group += 1) {
      if (this.at >= end) return -1;
      const byte = bytes[this.at++]!;
      value += (byte & 0x7f) * 2 ** (7 * group);
      if (byte < 0x80) return value <= MAX_INTEGER ? value : -1;
    }
    return -1;
  }
}

/**
 * Writes an integer.
 * @param flags the bits above the prefix
 * @returns the offset after it
 */
export function writeInteger(
  value: number,
  prefixBits: number,
  flags: number,
  out: Uint8Array,
  offset: number,
): number {
  let at = offset;
  const limit = (1 << prefixBits) - 1;
  if (value < limit) {
    out[at++] = flags | value;
    return at;
  }
  out[at++] = flags | limit;
  let rest = value - limit;
  for (; rest >= 0x80; rest >>>= 7) out[at++] = (rest & 0x7f) | 0x80;
  out[at++] = rest;
  return at;
}
