// A field of a header list, and its facts as a request field: judged once, so that a field in a table costs one comparison
// when it is used again (RFC 9113 sections 8.2 and 8.3). Thread: both.

import { isAllOf, TEXT, TOKEN } from '../http1/byte-class.ts';
import { FieldKind, kindOfName } from '../http1/field-kind.ts';
import { isTarget } from '../http1/field-line.ts';
import { scanHostValue } from '../http1/host-value.ts';

/** Fields of one HTTP/1.1 connection: malformed in HTTP/2 (RFC 9113 section 8.2.2). TE is one in responses. */
export const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** Kinds of request fields beside those of FieldKind. */
export const RequestKind = {
  METHOD: 32,
  SCHEME: 33,
  PATH: 34,
  AUTHORITY: 35,
  /** RFC 8441 section 4. */
  PROTOCOL: 36,
  /** Valid, and of this connection alone: not forwarded. */
  DROPPED: 48,
  /** Makes the request malformed. */
  INVALID: 49,
} as const;

const UNJUDGED = -1;
const UPPER_CASE = /[A-Z]/;
const HTTP_SCHEME = /^https?$/i;

const PSEUDO_KINDS: ReadonlyMap<string, number> = new Map([
  [':method', RequestKind.METHOD],
  [':scheme', RequestKind.SCHEME],
  [':path', RequestKind.PATH],
  [':authority', RequestKind.AUTHORITY],
  [':protocol', RequestKind.PROTOCOL],
]);

export class HeaderField {
  readonly name: string;
  readonly value: string;
  /** Of `:authority` and Host, once judged: the end of the host without its port. */
  hostNameEnd = 0;
  #requestKind = UNJUDGED;
  #line = '';

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
  }

  /** A FieldKind or a RequestKind. */
  get requestKind(): number {
    if (this.#requestKind === UNJUDGED) this.#requestKind = judge(this);
    return this.#requestKind;
  }

  /** The line of HTTP/1.1. Only for a field that is not INVALID: CR or LF would begin another field. */
  get line(): string {
    if (this.#line === '') this.#line = `${this.name}: ${this.value}\r\n`;
    return this.#line;
  }
}

function judge(field: HeaderField): number {
  const { name } = field;
  if (name.charCodeAt(0) !== 0x3a) return isValidField(field) ? judgeRegular(field) : RequestKind.INVALID;
  const kind = PSEUDO_KINDS.get(name);
  return kind !== undefined && isValidPseudo(field, kind) ? kind : RequestKind.INVALID;
}

/** RFC 9113 section 8.2.1, and no control byte in a value, as in HTTP/1.1. */
export function isValidField({ name, value }: { readonly name: string; readonly value: string }): boolean {
  if (name === '' || !isAllOf(name, 0, name.length, TOKEN) || UPPER_CASE.test(name)) return false;
  return isAllOf(value, 0, value.length, TEXT) && !isBlank(value, 0) && !isBlank(value, value.length - 1);
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}

function judgeRegular(field: HeaderField): number {
  const kind = kindOfName(field.name);
  switch (kind) {
    case FieldKind.CONNECTION:
    case FieldKind.KEEP_ALIVE:
    case FieldKind.PROXY_CONNECTION:
    case FieldKind.TRANSFER_ENCODING:
    case FieldKind.UPGRADE:
      // Connection-specific (section 8.2.2): a Transfer-Encoding that reached an endpoint would frame the body again.
      return RequestKind.INVALID;
    case FieldKind.TE:
      return field.value.toLowerCase() === 'trailers' ? kind : RequestKind.INVALID;
    case FieldKind.HOST:
      return readHost(field) ? kind : RequestKind.INVALID;
    default:
      return field.name === 'http2-settings' ? RequestKind.DROPPED : kind;
  }
}

function isValidPseudo(field: HeaderField, kind: number): boolean {
  const { value } = field;
  switch (kind) {
    case RequestKind.SCHEME:
      return HTTP_SCHEME.test(value);
    case RequestKind.PATH:
      // Origin-form or '*': an absolute form would name a second authority (section 8.3.1).
      return isTarget(value) && (value.charCodeAt(0) === 0x2f || value === '*');
    case RequestKind.AUTHORITY:
      return readHost(field);
    default:
      return value !== '' && isAllOf(value, 0, value.length, TOKEN);
  }
}

/** An empty authority and one with a user name are malformed (section 8.3.1). */
function readHost(field: HeaderField): boolean {
  const bytes = Buffer.from(field.value, 'latin1');
  field.hostNameEnd = scanHostValue(bytes, 0, bytes.length);
  return field.hostNameEnd >= 0 && field.value !== '';
}
