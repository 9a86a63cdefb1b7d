// Encodes HPACK header blocks (RFC 7541 section 6): state of one direction of a connection, no I/O. Thread: both.

import type { FieldList } from '../../core/head.ts';
import { writeInteger } from './hpack-integer.ts';
import { FIRST_DYNAMIC_INDEX, staticFieldIndex, staticNameIndex } from './hpack-static.ts';
import { fieldSize, HpackTable, type TableField } from './hpack-table.ts';
import { encodeHuffman, huffmanBytes } from './huffman.ts';

/** The table size of both sides before SETTINGS (RFC 9113 section 6.5.2). */
const DEFAULT_TABLE_BYTES = 4096;
/** A prefix byte and four groups (see hpack-integer.ts), one to spare. */
const MAX_INTEGER_BYTES = 6;

/** Representations, as the bits above their prefix, and the prefix's length. */
const INDEXED = { flags: 0x80, bits: 7 } as const;
const LITERAL_INDEXED = { flags: 0x40, bits: 6 } as const;
const LITERAL = { flags: 0x00, bits: 4 } as const;
const LITERAL_NEVER_INDEXED = { flags: 0x10, bits: 4 } as const;
const SIZE_UPDATE = { flags: 0x20, bits: 5 } as const;
const CODED = 0x80;

/**
 * Secrets: never indexed, so that no intermediary indexes them either, and a table that an attacker can probe does not
 * hold them (section 7.1.3).
 */
const SECRETS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie']);

/** Fields that change from message to message: indexing them would only evict others. */
const VARIABLE: ReadonlySet<string> = new Set([
  ':path',
  'age',
  'content-length',
  'content-range',
  'date',
  'etag',
  'if-modified-since',
  'if-none-match',
  'last-modified',
  'location',
  'x-request-id',
]);

/** Larger fields are not indexed: one of them would fill most of a default table of 4 KiB. */
const MAX_INDEXED_BYTES = 1024;
const INITIAL_BYTES = 1024;

export class HpackEncoder {
  readonly #table: HpackTable<TableField>;
  /** The size limit that is in force for us: at most that of the peer's SETTINGS. */
  readonly #ownMaxBytes: number;
  #isUpdateDue = false;
  /** The smallest limit since the last block: announced first if the limit fell and rose again (section 4.2). */
  #smallestBytes: number;
  #out: Uint8Array = new Uint8Array(INITIAL_BYTES);
  #length = 0;

  /** @param maxTableBytes how much of the peer's table is used at most; 0 disables indexing */
  constructor(maxTableBytes: number) {
    this.#table = new HpackTable(maxTableBytes);
    this.#ownMaxBytes = maxTableBytes;
    this.#smallestBytes = maxTableBytes;
    // The peer's table begins with 4096 bytes: a smaller limit must be announced.
    this.#isUpdateDue = maxTableBytes < DEFAULT_TABLE_BYTES;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE has changed. */
  setPeerTableBytes(bytes: number): void {
    const maxBytes = Math.min(bytes, this.#ownMaxBytes);
    if (maxBytes === this.#table.maxBytes) return;
    this.#table.resize(maxBytes);
    this.#smallestBytes = Math.min(this.#smallestBytes, maxBytes);
    this.#isUpdateDue = true;
  }

  /** Encodes a header list. @param fields lower-case names; latin1 @returns the block, valid until the next call */
  encode(fields: FieldList): Uint8Array {
    this.#length = 0;
    if (this.#isUpdateDue) this.#writeSizeUpdates();
    for (let at = 0; at + 1 < fields.length; at += 2) this.#writeField(fields[at]!, fields[at + 1]!);
    return this.#out.subarray(0, this.#length);
  }

  #writeSizeUpdates(): void {
    const { maxBytes } = this.#table;
    this.#reserve(2 * MAX_INTEGER_BYTES);
    if (this.#smallestBytes < maxBytes) this.#writeNumber(this.#smallestBytes, SIZE_UPDATE);
    this.#writeNumber(maxBytes, SIZE_UPDATE);
    this.#smallestBytes = maxBytes;
    this.#isUpdateDue = false;
  }

  #writeField(name: string, value: string): void {
    this.#reserve(2 * MAX_INTEGER_BYTES + 2 * MAX_INTEGER_BYTES + name.length + value.length);
    const index = staticFieldIndex(name, value);
    if (index > 0) return this.#writeNumber(index, INDEXED);
    const isSecret = SECRETS.has(name);
    const dynamicIndex = isSecret ? -1 : this.#find(name, value);
    if (dynamicIndex >= 0) return this.#writeNumber(FIRST_DYNAMIC_INDEX + dynamicIndex, INDEXED);
    const isIndexed = !isSecret && !VARIABLE.has(name) && this.#fits(name, value);
    const nameIndex = staticNameIndex(name);
    this.#writeNumber(nameIndex, isSecret ? LITERAL_NEVER_INDEXED : isIndexed ? LITERAL_INDEXED : LITERAL);
    if (nameIndex === 0) this.#writeString(name);
    this.#writeString(value);
    if (isIndexed) this.#table.add({ name, value });
  }

  #fits(name: string, value: string): boolean {
    const size = fieldSize(name, value);
    return size <= MAX_INDEXED_BYTES && size <= this.#table.maxBytes;
  }

  #find(name: string, value: string): number {
    const table = this.#table;
    for (let index = 0; index < table.count; index += 1) {
      const field = table.at(index)!;
      if (field.name === name && field.value === value) return index;
    }
    return -1;
  }

  #writeNumber(value: number, { bits, flags }: { readonly bits: number; readonly flags: number }): void {
    this.#length = writeInteger(value, bits, flags, this.#out, this.#length);
  }

  /** Huffman-coded where that is shorter. */
  #writeString(text: string): void {
    const coded = huffmanBytes(text);
    if (coded < text.length) {
      this.#length = writeInteger(coded, 7, CODED, this.#out, this.#length);
      this.#length = encodeHuffman(text, this.#out, this.#length);
      return;
    }
    this.#length = writeInteger(text.length, 7, 0, this.#out, this.#length);
    for (let at = 0; at < text.length; at += 1) this.#out[this.#length++] = text.charCodeAt(at);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#out.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#out.length * 2));
    larger.set(this.#out);
    this.#out = larger;
  }
}
