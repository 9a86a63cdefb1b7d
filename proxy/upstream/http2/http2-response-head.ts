// A response head as HTTP/2 endpoints send it, checked by RFC 9113 section 8: malformed ones reach no client.
// Thread: worker.

import { STATUS_CODES } from 'node:http';
import { type FieldList, type ResponseHead, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { CONNECTION_FIELDS } from '../../http2/header-field.ts';
import { isFieldName, isFieldValue } from '../../http1/field-line.ts';

/** Regenerated for the client, or between this proxy and the endpoint only. */
const NOT_FORWARDED: ReadonlySet<string> = new Set(['content-length', 'proxy-authenticate', 'proxy-authorization']);

const DIGITS = /^\d{1,15}$/;
const STATUS = /^[1-9]\d\d$/;

/** @returns the name of the broken rule and the field; '' if the list is well formed */
function faultOf(name: string, value: string): string {
  if (!isFieldName(name) || name !== name.toLowerCase()) return `invalid field name ${quotedName(name)}`;
  if (CONNECTION_FIELDS.has(name) || name === 'te') return `connection-specific field ${name}`;
  return isFieldValue(value) ? '' : `invalid value of field ${name}`;
}

function quotedName(name: string): string {
  return JSON.stringify(name.slice(0, 40));
}

/** Checks the fields of a head without pseudo-header fields, or of trailers. */
export function faultOfFields(fields: FieldList, from = 0): string {
  for (let at = from; at < fields.length; at += 2) {
    const fault = faultOf(fields[at]!, fields[at + 1]!);
    if (fault !== '') return fault;
  }
  return '';
}

export class Http2ResponseHead implements ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly bodyLength: number;
  readonly hasLength: boolean;
  /** The value of Content-Length; UNKNOWN_LENGTH without one. */
  readonly declaredBytes: number;
  /** Without pseudo-header fields. */
  readonly #fields: FieldList;
  #endToEnd: FieldList | null = null;

  /** @param isLast whether the stream ends with this head */
  constructor(status: number, declaredBytes: number, fields: FieldList, isLast: boolean) {
    this.status = status;
    this.reason = STATUS_CODES[status] ?? '';
    this.declaredBytes = declaredBytes;
    this.#fields = fields;
    const mayHaveBody = status >= 200 && status !== 204;
    const isEmpty = isLast && declaredBytes === UNKNOWN_LENGTH && status !== 304;
    this.hasLength = mayHaveBody && (declaredBytes !== UNKNOWN_LENGTH || isEmpty);
    this.bodyLength = !mayHaveBody || isEmpty ? 0 : declaredBytes;
  }

  field(name: string): string | undefined {
    let value: string | undefined;
    for (let at = 0; at < this.#fields.length; at += 2) {
      if (this.#fields[at] !== name) continue;
      value = value === undefined ? this.#fields[at + 1]! : `${value}, ${this.#fields[at + 1]!}`;
    }
    return value;
  }

  endToEndFields(): FieldList {
    return (this.#endToEnd ??= this.#fields.filter((_, at) => !NOT_FORWARDED.has(this.#fields[at - (at % 2)]!)));
  }
}

/**
 * Reads a response head (sections 8.1 and 8.3.2).
 * @param fields as decoded @param method of the request @param isLast whether the stream ends with it
 * @returns the broken rule and field where it is malformed
 */
export function readHttp2ResponseHead(fields: FieldList, method: string, isLast: boolean): Http2ResponseHead | string {
  if (fields[0] !== ':status' || !STATUS.test(fields[1]!)) return 'no valid :status';
  const status = Number(fields[1]);
  if (status === 101) return '101 Switching Protocols, which HTTP/2 has not';
  const fault = faultOfFields(fields, 2);
  if (fault !== '') return fault;
  if (status < 200 && isLast) return `an interim response ${status} that ends the stream`;
  const declaredBytes = declaredLength(fields);
  if (declaredBytes === null) return 'invalid Content-Length';
  // A HEAD request has no body, whatever length the head states; only the head says that it is whole.
  const isWholeWithHead = isLast && method === 'HEAD';
  return new Http2ResponseHead(status, declaredBytes, fields.slice(2), isLast && !isWholeWithHead);
}

/** Repeated equal values are one (RFC 9110 section 8.6). @returns null if it is invalid */
function declaredLength(fields: FieldList): number | null {
  let declared: string | null = null;
  for (let at = 2; at < fields.length; at += 2) {
    if (fields[at] !== 'content-length') continue;
    for (const part of fields[at + 1]!.split(',')) {
      const value = part.trim();
      if (!DIGITS.test(value) || (declared !== null && declared !== value)) return null;
      declared = value;
    }
  }
  return declared === null ? UNKNOWN_LENGTH : Number(declared);
}
