// Decodes HPACK header blocks (RFC 7541 section 6): state of one direction of a connection, no I/O. Thread: both.

import { latin1Text } from '../http1/latin1.ts';
import { BlockCursor } from './hpack-integer.ts';
import { decodeHuffman } from './huffman.ts';
import { HeaderField } from './header-field.ts';
import { FIRST_DYNAMIC_INDEX, STATIC_TABLE } from './hpack-static.ts';
import { fieldSize, HpackTable } from './hpack-table.ts';

/** Results of decoding. */
export const Decoded = {
  OK: 0,
  /** The block breaks the format: a connection error of type COMPRESSION_ERROR (RFC 9113 section 4.3). */
  MALFORMED: 1,
  /** The list exceeds a limit. The block was decoded to its end all the same, which keeps the table in step. */
  TOO_LARGE: 2,
} as const;
export type Decoded = (typeof Decoded)[keyof typeof Decoded];

/** Limits on a decoded header list: a block of a few bytes can stand for megabytes (HPACK bomb). */
export interface HeaderListLimits {
  /** By the measure of RFC 9113 section 6.5.2: 32 bytes per field are added. */
  readonly listBytes: number;
  readonly fields: number;
}

/** Receives the fields of a list that is within its limits. */
export type FieldSink = (field: HeaderField) => void;

export class HpackDecoder {
  readonly #table: HpackTable<HeaderField>;
  readonly #limits: HeaderListLimits;
  readonly #cursor = new BlockCursor();
  /** The limit on the table that our SETTINGS announced: size updates may not exceed it. */
  readonly #maxTableBytes: number;

  constructor(maxTableBytes: number, limits: HeaderListLimits) {
    this.#table = new HpackTable(maxTableBytes);
    this.#maxTableBytes = maxTableBytes;
    this.#limits = limits;
  }

  /** Bytes of the dynamic table. */
  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** Identifies the table's contents. */
  get tableChanges(): number {
    return this.#table.changes;
  }

  /** Decodes a complete header block. Fields beyond a limit are decoded and not emitted. */
  decode(bytes: Uint8Array, start: number, end: number, sink: FieldSink): Decoded {
    if (!this.begin(bytes, start, end)) return Decoded.MALFORMED;
    let listBytes = 0;
    let count = 0;
    let isTooLarge = false;
    while (!this.isAtEnd) {
      const field = this.next();
      if (field === null) return Decoded.MALFORMED;
      listBytes += fieldSize(field.name, field.value);
      count += 1;
      isTooLarge ||= listBytes > this.#limits.listBytes || count > this.#limits.fields;
      if (!isTooLarge) sink(field);
    }
    return isTooLarge ? Decoded.TOO_LARGE : Decoded.OK;
  }

  /** Begins a complete header block, to be read with `next`, without limits. @returns false if it is malformed */
  begin(bytes: Uint8Array, start: number, end: number): boolean {
    this.#cursor.set(bytes, start, end);
    return this.#readSizeUpdates();
  }

  /** Whether the block has no more fields. */
  get isAtEnd(): boolean {
    return this.#cursor.at >= this.#cursor.end;
  }

  /** Offset of the next field in the block's bytes. */
  get position(): number {
    return this.#cursor.at;
  }

  /** Dynamic table size updates occur at the start of a block only, at most two of them (sections 4.2 and 6.3). */
  #readSizeUpdates(): boolean {
    const cursor = this.#cursor;
    for (let count = 0; cursor.at < cursor.end && (cursor.bytes[cursor.at]! & 0xe0) === 0x20; count += 1) {
      const size = cursor.readInteger(5);
      if (size < 0 || size > this.#maxTableBytes || count === 2) return false;
      this.#table.resize(size);
    }
    return true;
  }

  /** Reads one field representation (sections 6.1 and 6.2). @returns null if it is malformed */
  next(): HeaderField | null {
    const cursor = this.#cursor;
    const first = cursor.bytes[cursor.at]!;
    if (first >= 0x80) return this.#fieldAt(cursor.readInteger(7));
    const isIndexed = first >= 0x40;
    if (!isIndexed && first >= 0x20) return null;
    const index = cursor.readInteger(isIndexed ? 6 : 4);
    const name = index === 0 ? this.#readString() : (this.#fieldAt(index)?.name ?? null);
    if (name === null) return null;
    const value = this.#readString();
    if (value === null) return null;
    const field = new HeaderField(name, value);
    if (isIndexed) this.#table.add(field);
    return field;
  }

  #fieldAt(index: number): HeaderField | null {
    if (index <= 0) return null;
    return index < FIRST_DYNAMIC_INDEX ? STATIC_TABLE[index]! : this.#table.at(index - FIRST_DYNAMIC_INDEX);
  }

  /** Reads a string literal (section 5.2). */
  #readString(): string | null {
    const cursor = this.#cursor;
    if (cursor.at >= cursor.end) return null;
    const isCoded = cursor.bytes[cursor.at]! >= 0x80;
    const length = cursor.readInteger(7);
    const start = cursor.at;
    if (length < 0 || start + length > cursor.end) return null;
    cursor.at = start + length;
    if (isCoded) return decodeHuffman(cursor.bytes, start, cursor.at);
    return latin1Text(asBuffer(cursor.bytes), start, cursor.at);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
