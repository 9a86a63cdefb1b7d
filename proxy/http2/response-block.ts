// Encodes header blocks of responses without the dynamic table: a block is valid on every connection, so that one that
// repeats is encoded once. Indexing would save bytes, but costs more CPU than it saves. Thread: both.

import type { FieldList } from '../../core/head.ts';
import { isValidField } from './header-field.ts';
import { CONNECTION_FIELDS } from './header-field.ts';
import { HpackEncoder } from './hpack-encoder.ts';

/**
 * The first byte of the first block on a connection: the table has size 0 from then on, whatever SETTINGS say, so that no
 * later change of SETTINGS_HEADER_TABLE_SIZE needs an update (RFC 7541 section 4.2).
 */
export const NO_TABLE_UPDATE = 0x20;

/**
 * Fields of one HTTP/1.1 connection, malformed in HTTP/2 (RFC 9113 section 8.2.2), and Content-Length, which the caller states.
 */
const NOT_SENT: ReadonlySet<string> = new Set([...CONNECTION_FIELDS, 'te', 'http2-settings', 'content-length']);

const SURROUNDING_BLANKS = /^[ \t]+|[ \t]+$/g;

/** One per worker. */
export class ResponseBlockEncoder {
  readonly #encoder = new HpackEncoder(0);
  readonly #field: { name: string; value: string } = { name: '', value: '' };

  constructor() {
    // The update to size 0 is the caller's: NO_TABLE_UPDATE.
    this.#encoder.encode([]);
  }

  /**
   * Encodes a response head.
   * @param fields in any letter case; those that HTTP/2 doesn't allow are left out
   * @param contentLength -1 for none
   * @returns the block, valid until the next call
   */
  head(status: number, fields: FieldList, contentLength: number): Uint8Array {
    const list = [':status', String(status)];
    this.#add(fields, list);
    if (contentLength >= 0) list.push('content-length', String(contentLength));
    return this.#encoder.encode(list);
  }

  /** Encodes trailers. @returns the block, valid until the next call; null where no field may be sent */
  trailers(fields: FieldList): Uint8Array | null {
    const list: string[] = [];
    this.#add(fields, list);
    return list.length === 0 ? null : this.#encoder.encode(list);
  }

  /** An invalid name or value would make the response malformed, or split it where it is converted to HTTP/1.1. */
  #add(fields: FieldList, list: string[]): void {
    const field = this.#field;
    for (let at = 0; at + 1 < fields.length; at += 2) {
      field.name = fields[at]!.toLowerCase();
      field.value = fields[at + 1]!.replaceAll(SURROUNDING_BLANKS, '');
      if (!NOT_SENT.has(field.name) && isValidField(field)) list.push(field.name, field.value);
    }
  }
}
