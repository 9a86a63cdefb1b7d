// The regular fields of a request or of its trailers: collected into lines of HTTP/1.1 with the facts that frame the body,
// or refused (RFC 9113 sections 8.1.1, 8.2 and 8.2.3). Thread: both.

import type { Unparsable } from '../../core/exchange-contract.ts';
import type { UnderscoreFields } from '../../core/snapshot/listener.ts';
import { CLASS, DIGIT, ZERO } from '../http1/byte-class.ts';
import { FieldKind } from '../http1/field-kind.ts';
import { FIELD_STRIDE, MessageHead } from '../http1/message-head.ts';
import { SentLines } from '../http1/sent-lines.ts';
import { type HeaderField, RequestKind } from './header-field.ts';
import { fieldSize } from './hpack-table.ts';

/** `compression` ends the connection; `malformed` is a stream error of type PROTOCOL_ERROR (section 8.1.1). */
export type RequestFault = Unparsable | 'compression';

/** Limits and rules of a listener for heads. */
export interface FieldRules {
  /** Of the whole list, by the measure of RFC 9113 section 6.5.2. */
  readonly listBytes: number;
  /** Without pseudo-header fields; cookie crumbs count as one. */
  readonly fields: number;
  readonly underscores: UnderscoreFields;
}

/** Significant digits that always make a safe integer; the same limit as for HTTP/1.1. */
const MAX_LENGTH_DIGITS = 15;
const COOKIE_PREFIX = 'cookie: ';

export class RegularFields {
  /** The lines, without Host, and their offsets; no first line and no empty line. */
  readonly lines: MessageHead = new MessageHead();
  /** For fields that are kept for repeated blocks. */
  readonly sentLines: SentLines = new SentLines();
  /** Null where all fields are valid. */
  fault: RequestFault | null = null;
  sizeBytes = 0;
  host: HeaderField | null = null;
  /** The value of Content-Length; -1 if there is none. */
  contentLength = -1;
  hasPaddedLength = false;
  acceptsTrailers = false;
  #count = 0;
  #text = '';
  #cookie = '';
  #hasCookie = false;

  reset(): void {
    this.lines.reset();
    this.fault = null;
    this.sizeBytes = 0;
    this.host = null;
    this.contentLength = -1;
    this.hasPaddedLength = false;
    this.acceptsTrailers = false;
    this.#count = 0;
    this.#text = '';
    this.#cookie = '';
    this.#hasCookie = false;
  }

  /** Adds a field. After a fault it counts only: what a block stands for may be huge (HPACK bomb). */
  add(field: HeaderField, rules: FieldRules): void {
    this.sizeBytes += fieldSize(field.name, field.value);
    if (this.sizeBytes > rules.listBytes) this.#refuse('head-too-large');
    if (this.fault !== null) return;
    const kind = field.requestKind;
    if (kind !== FieldKind.COOKIE || !this.#hasCookie) this.#count += 1;
    if (this.#count > rules.fields) this.#refuse('too-many-fields');
    else this.#take(field, kind, rules.underscores);
  }

  /** Completes the lines: the cookie crumbs become one field (section 8.2.3). */
  end(): void {
    if (this.#hasCookie)
      this.#addLine(FieldKind.COOKIE, COOKIE_PREFIX.length - 2, `${COOKIE_PREFIX}${this.#cookie}\r\n`);
    this.lines.text = this.#text;
    this.lines.offsets[this.lines.fieldCount * FIELD_STRIDE] = this.#text.length;
  }

  #take(field: HeaderField, kind: number, underscores: UnderscoreFields): void {
    switch (kind) {
      case FieldKind.OTHER:
        if (underscores !== 'pass' && field.name.includes('_')) {
          if (underscores === 'refuse') this.#refuse('malformed');
          return;
        }
        break;
      case FieldKind.COOKIE:
        this.#cookie = this.#hasCookie ? `${this.#cookie}; ${field.value}` : field.value;
        this.#hasCookie = true;
        return;
      case FieldKind.HOST:
        return this.#takeHost(field);
      case FieldKind.CONTENT_LENGTH:
        if (!this.#takeLength(field.value)) return this.#refuse('malformed');
        break;
      case FieldKind.EXPECT:
        if (this.lines.has(kind) || field.value.toLowerCase() !== '100-continue')
          return this.#refuse('expectation-unknown');
        break;
      case FieldKind.TE:
        this.acceptsTrailers = true;
        break;
      case RequestKind.DROPPED:
        return;
      default:
        // A pseudo-header field after a regular one is malformed, too (section 8.3).
        if (kind >= RequestKind.METHOD) return this.#refuse('malformed');
    }
    this.#addLine(kind, field.name.length, field.line);
  }

  #takeHost(field: HeaderField): void {
    if (this.host !== null) this.#refuse('malformed');
    this.host = field;
  }

  /** A second Content-Length is refused even if it is equal, as in HTTP/1.1. @returns whether it is valid */
  #takeLength(value: string): boolean {
    if (this.contentLength >= 0) return false;
    const length = readLength(value);
    this.contentLength = length;
    this.hasPaddedLength = value.length > 1 && value.charCodeAt(0) === ZERO;
    return length >= 0;
  }

  #addLine(kind: number, nameLength: number, line: string): void {
    const start = this.#text.length;
    this.#text += line;
    this.lines.addField(kind, start, start + nameLength, start + nameLength + 2, this.#text.length - 2);
  }

  #refuse(fault: RequestFault): void {
    this.fault ??= fault;
  }
}

/** Content-Length = 1*DIGIT (RFC 9110 section 8.6). @returns -1 if invalid */
function readLength(value: string): number {
  let at = 0;
  while (at < value.length - 1 && value.charCodeAt(at) === ZERO) at += 1;
  if (value === '' || value.length - at > MAX_LENGTH_DIGITS) return -1;
  let length = 0;
  for (; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if ((CLASS[code]! & DIGIT) === 0) return -1;
    length = length * 10 + code - ZERO;
  }
  return length;
}
