// The header list of a request for an HTTP/2 endpoint (RFC 9113 section 8.3.1). Thread: worker.

import type { AttemptRequest } from '../../../core/exchange-contract.ts';
import { type FieldList, type RequestHead, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { isFieldName, isFieldValue } from '../../http1/field-line.ts';
import { anticipatesBody, isSendableTarget, isToken, requestFields } from '../request-encoder.ts';

/** Offset of the first field after Host in `requestFields`. */
const AFTER_HOST = 2;
/** The proof of HTTP/1.1 that a server speaks WebSocket, which HTTP/2 negotiates by SETTINGS (RFC 8441 section 5). */
const HANDSHAKE_NAMES: ReadonlySet<string> = new Set(['sec-websocket-key', 'sec-websocket-accept']);
const ACCEPTS_TRAILERS = /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i;

/** @returns names in lower case and values in turn; null if the request can't be sent */
export function http2RequestFields(request: AttemptRequest): string[] | null {
  const { head, hostField, endpoint } = request;
  const { method } = head;
  const target = request.target ?? head.target;
  if (!isToken(method) || method === 'CONNECT' || !isSendableTarget(method, target)) return null;
  const fields = [':method', method, ':scheme', endpoint.protocol];
  if (hostField !== '') fields.push(':authority', hostField);
  fields.push(':path', target);
  addRegularFields(fields, request);
  addHopFields(fields, head);
  return areFields(fields) ? fields : null;
}

/** The extended CONNECT of a WebSocket (RFC 8441 section 4). @returns as http2RequestFields */
export function webSocketFields(request: AttemptRequest): string[] | null {
  const { head, hostField, endpoint } = request;
  const target = request.target ?? head.target;
  if (!isSendableTarget('GET', target) || hostField === '') return null;
  const fields = [':method', 'CONNECT', ':protocol', 'websocket', ':scheme', endpoint.protocol];
  fields.push(':authority', hostField, ':path', target);
  addRegularFields(fields, request);
  const sent = fields.filter((_, at) => !HANDSHAKE_NAMES.has(fields[at & ~1]!));
  return areFields(sent) ? sent : null;
}

function addRegularFields(fields: string[], request: AttemptRequest): void {
  const regular = requestFields(request);
  for (let at = AFTER_HOST; at < regular.length; at += 2) fields.push(regular[at]!.toLowerCase(), regular[at + 1]!);
}

/** Trailer fields in the form of HTTP/2; those that can't be sent are left out. */
export function http2Trailers(trailers: FieldList): string[] {
  const fields: string[] = [];
  for (let at = 0; at < trailers.length; at += 2) {
    const [name, value] = [trailers[at]!, trailers[at + 1]!];
    if (isFieldName(name) && isFieldValue(value)) fields.push(name.toLowerCase(), value);
  }
  return fields;
}

/** Fields between this proxy and the endpoint only: `te` may have no other value in HTTP/2 (section 8.2.2). */
function addHopFields(fields: string[], head: RequestHead): void {
  if (head.expectsContinue === true) fields.push('expect', '100-continue');
  const te = head.field('te');
  if (te !== undefined && ACCEPTS_TRAILERS.test(te)) fields.push('te', 'trailers');
  const { bodyLength, method } = head;
  if (bodyLength === UNKNOWN_LENGTH) return;
  const isStated = bodyLength > 0 || anticipatesBody(method) || head.field('content-length') !== undefined;
  if (isStated) fields.push('content-length', String(bodyLength));
}

/** Names and values come from clients and policies: no peer may get a line break. */
function areFields(fields: FieldList): boolean {
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!;
    if (!name.startsWith(':') && !isFieldName(name)) return false;
    if (!isFieldValue(fields[at + 1]!)) return false;
  }
  return true;
}
