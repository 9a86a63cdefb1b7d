// Request header blocks to heads of HTTP/1.1 and their framing (RFC 9113 section 8.3): one per connection. The regular
// fields of a block that repeats are recognised by their bytes instead of decoded. Thread: both.

import type { FieldList } from '../../core/head.ts';
import { FieldKind } from '../http1/field-kind.ts';
import { BodyKind, type Framing } from '../http1/framing.ts';
import { type MessageHead, Method, METHOD_NAMES } from '../http1/message-head.ts';
import type { SentLines } from '../http1/sent-lines.ts';
import { readTrailerSection } from '../http1/trailer-section.ts';
import { type HeaderField, RequestKind } from './header-field.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import { fieldSize } from './hpack-table.ts';
import { type FieldRules, RegularFields, type RequestFault } from './regular-fields.ts';
import { RepeatedFields } from './repeated-fields.ts';

const LAST_PSEUDO = RequestKind.PROTOCOL;
const VERSION_LINE_END = ' HTTP/1.1\r\n';
const HOST_PREFIX = 'host: ';

export interface RequestRules extends FieldRules {
  /** Of the path. */
  readonly pathBytes: number;
  /** Whether our SETTINGS enable extended CONNECT (RFC 8441). */
  readonly enablesConnectProtocol: boolean;
}

/** Cuts fields that the client may not send. */
export interface FieldCutter {
  cutFrom(lines: MessageHead): void;
}

export class RequestReader {
  /** Of the last request: the protocol of an extended CONNECT, or ''. Its head is that of a GET. */
  protocol = '';
  /** Of the last request: parts of its head, and the lines that its block shares with those that repeat it. */
  firstLine = '';
  target = '';
  authority = '';
  sentLines: SentLines | null = null;
  /** Trailers of the last trailer section that may be forwarded; null if there are none. */
  trailers: FieldList | null = null;
  readonly #rules: RequestRules;
  readonly #cutter: FieldCutter | null;
  readonly #decoder: HpackDecoder;
  readonly #repeated = new RepeatedFields();
  /** Those being collected. */
  #fields = new RegularFields();
  #method: HeaderField | null = null;
  #scheme: HeaderField | null = null;
  #path: HeaderField | null = null;
  #authorityField: HeaderField | null = null;
  #protocol: HeaderField | null = null;
  /** Of the pseudo-header fields. */
  #sizeBytes = 0;
  #isMalformed = false;

  /** @param tableBytes our SETTINGS_HEADER_TABLE_SIZE */
  constructor(tableBytes: number, rules: RequestRules, cutter: FieldCutter | null = null) {
    this.#decoder = new HpackDecoder(tableBytes, { listBytes: rules.listBytes, fields: rules.fields });
    this.#rules = rules;
    this.#cutter = cutter;
  }

  /**
   * Reads the header block of a request into `head` and `framing`. The text has Host first, then the client's fields.
   * @param endsStream whether the HEADERS frame has END_STREAM: no body follows
   * @returns null, or the fault; the block was decoded to its end unless that is `compression`
   */
  read(
    block: Uint8Array,
    start: number,
    end: number,
    endsStream: boolean,
    head: MessageHead,
    framing: Framing,
  ): RequestFault | null {
    this.#clear();
    const fields = this.#readFields(block, start, end);
    if (fields === null) return 'compression';
    const fault = this.#faultOf(fields);
    if (fault !== null) return fault;
    return this.#frame(fields, endsStream, framing) ? this.#assemble(fields, head) : 'malformed';
  }

  /** Reads a trailer section into `trailers`. @returns null, or the fault */
  readTrailers(block: Uint8Array, start: number, end: number): RequestFault | null {
    this.trailers = null;
    const fields = this.#fields;
    fields.reset();
    if (!this.#decoder.begin(block, start, end) || !this.#collect(fields, null)) return 'compression';
    if (fields.fault !== null) return 'malformed';
    const section = Buffer.from(`${fields.lines.text}\r\n`, 'latin1');
    this.trailers = readTrailerSection(section, section.length, this.#rules.fields).fields;
    return null;
  }

  /** Decodes a block that nobody uses: its insertions belong to the table. @returns null, or 'compression' */
  skip(block: Uint8Array, start: number, end: number): RequestFault | null {
    if (!this.#decoder.begin(block, start, end)) return 'compression';
    while (!this.#decoder.isAtEnd) if (this.#decoder.next() === null) return 'compression';
    return null;
  }

  #clear(): void {
    this.protocol = '';
    this.sentLines = null;
    this.#method = null;
    this.#scheme = null;
    this.#path = null;
    this.#authorityField = null;
    this.#protocol = null;
    this.#sizeBytes = 0;
    this.#isMalformed = false;
  }

  // ---- fields

  /** @returns the regular fields; null where the block is malformed */
  #readFields(block: Uint8Array, start: number, end: number): RegularFields | null {
    const decoder = this.#decoder;
    if (!decoder.begin(block, start, end)) return null;
    for (;;) {
      const from = decoder.position;
      const changes = decoder.tableChanges;
      const known = this.#repeated.find(block, from, end, changes);
      if (known !== null) {
        this.sentLines = known.sentLines;
        return known;
      }
      if (decoder.isAtEnd) return this.#collectNew(null);
      const field = decoder.next();
      if (field === null) return null;
      if (field.requestKind >= RequestKind.METHOD && field.requestKind <= LAST_PSEUDO) this.#takePseudo(field);
      else {
        const fields = this.#collectNew(field);
        if (fields === null || decoder.tableChanges !== changes) return fields;
        if (this.#repeated.keep(fields, block, from, end, changes)) this.#fields = new RegularFields();
        return fields;
      }
    }
  }

  #collectNew(first: HeaderField | null): RegularFields | null {
    this.#fields.reset();
    return this.#collect(this.#fields, first) ? this.#fields : null;
  }

  /** Adds the rest of the block. @returns false where it is malformed */
  #collect(fields: RegularFields, first: HeaderField | null): boolean {
    const decoder = this.#decoder;
    if (first !== null) fields.add(first, this.#rules);
    while (!decoder.isAtEnd) {
      const field = decoder.next();
      if (field === null) return false;
      fields.add(field, this.#rules);
    }
    fields.end();
    if (fields.fault === null) this.#cutter?.cutFrom(fields.lines);
    return true;
  }

  /** A pseudo-header field occurs once (section 8.3). */
  #takePseudo(field: HeaderField): void {
    this.#sizeBytes += fieldSize(field.name, field.value);
    let before: HeaderField | null;
    switch (field.requestKind) {
      case RequestKind.METHOD:
        before = this.#method;
        this.#method = field;
        break;
      case RequestKind.SCHEME:
        before = this.#scheme;
        this.#scheme = field;
        break;
      case RequestKind.PATH:
        before = this.#path;
        this.#path = field;
        break;
      case RequestKind.AUTHORITY:
        before = this.#authorityField;
        this.#authorityField = field;
        break;
      default:
        before = this.#protocol;
        this.#protocol = field;
    }
    if (before !== null) this.#isMalformed = true;
  }

  // ---- rules of a request

  #faultOf(fields: RegularFields): RequestFault | null {
    if (this.#sizeBytes + fields.sizeBytes > this.#rules.listBytes) return 'head-too-large';
    if (this.#isMalformed || this.#method === null) return 'malformed';
    if (fields.fault !== null) return fields.fault;
    if (!this.#isAuthorityValid(fields.host)) return 'malformed';
    return this.#method.value === 'CONNECT' ? this.#connectFault(fields) : this.#pathFault();
  }

  /** `:authority` and Host name the same host, or only one of them is there (section 8.3.1). */
  #isAuthorityValid(host: HeaderField | null): boolean {
    const authority = this.#authorityField;
    if (authority === null || host === null) return authority !== host;
    return authority.value === host.value || authority.value.toLowerCase() === host.value.toLowerCase();
  }

  #pathFault(): RequestFault | null {
    const path = this.#path;
    if (this.#scheme === null || path === null || this.#protocol !== null) return 'malformed';
    if (path.value.length > this.#rules.pathBytes) return 'target-too-long';
    return path.value === '*' && this.#method!.value !== 'OPTIONS' ? 'malformed' : null;
  }

  /** Section 8.5, and RFC 8441 section 4. Its stream carries no message body, so that a length of one would lie. */
  #connectFault(fields: RegularFields): RequestFault | null {
    const isExtended = this.#protocol !== null;
    if (this.#authorityField === null || fields.contentLength >= 0) return 'malformed';
    if (isExtended && !this.#rules.enablesConnectProtocol) return 'malformed';
    if (!isExtended) return this.#scheme === null && this.#path === null ? 'method-not-served' : 'malformed';
    if (this.#scheme === null || this.#path === null || this.#path.value === '*') return 'malformed';
    this.protocol = this.#protocol!.value;
    return this.#path.value.length > this.#rules.pathBytes ? 'target-too-long' : null;
  }

  /** @returns false where Content-Length and END_STREAM contradict each other (section 8.1.1) */
  #frame(fields: RegularFields, endsStream: boolean, framing: Framing): boolean {
    const { contentLength } = fields;
    framing.reset();
    framing.acceptsTrailers = fields.acceptsTrailers;
    framing.declaredBytes = contentLength;
    framing.hasPaddedLength = fields.hasPaddedLength;
    if (endsStream) return contentLength <= 0;
    if (this.protocol !== '') return true;
    framing.lengthBytes = Math.max(0, contentLength);
    if (contentLength !== 0) framing.body = contentLength < 0 ? BodyKind.CHUNKED : BodyKind.LENGTH;
    return true;
  }

  #assemble(fields: RegularFields, head: MessageHead): null {
    const method = this.protocol === '' ? this.#method!.value : 'GET';
    const target = this.#path!.value;
    const authority = this.#authorityField ?? fields.host!;
    const { value } = authority;
    const { lines } = fields;
    this.target = target;
    this.authority = value;
    this.firstLine = `${method} ${target}${VERSION_LINE_END}`;
    head.reset();
    head.method = methodNumber(method);
    head.methodEnd = method.length;
    head.targetStart = method.length + 1;
    head.targetEnd = head.targetStart + target.length;
    const query = target.indexOf('?');
    head.pathEnd = query < 0 ? head.targetEnd : head.targetStart + query;
    head.fieldsStart = this.firstLine.length;
    head.hostStart = head.fieldsStart + HOST_PREFIX.length;
    head.hostNameEnd = head.hostStart + authority.hostNameEnd;
    head.hostEnd = head.hostStart + value.length;
    head.addField(FieldKind.HOST, head.fieldsStart, head.hostStart - 2, head.hostStart, head.hostEnd);
    head.addFields(lines, head.hostEnd + 2);
    // A rope: requests are sent from their parts, which mostly leaves it as it is.
    head.text = `${this.firstLine}${HOST_PREFIX}${value}\r\n${lines.text}\r\n`;
    head.bodyStart = head.text.length;
    return null;
  }
}

function methodNumber(method: string): number {
  if (method === 'GET') return Method.GET;
  const number = METHOD_NAMES.indexOf(method);
  return number < 0 ? Method.OTHER : number;
}
