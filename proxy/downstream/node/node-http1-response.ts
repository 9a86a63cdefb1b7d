// Fields and framing of an HTTP/1.1 response (RFC 9112 sections 6 and 9), and writes to a ServerResponse that never throw:
// invalid fields are left out. Thread: worker.

import type { ServerResponse } from 'node:http';
import { type FieldList, isNamed, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { writableFields } from './field-list.ts';

/** How the end of a response body is known to the client. */
export type ResponseFraming =
  /** There is no body, whatever the head says. */
  'none' | 'length' | 'chunked' | 'until-close';

/** Facts that decide the framing of a response. */
export interface ResponseFacts {
  readonly status: number;
  /** As in ResponseHead. */
  readonly bodyLength: number;
  readonly hasLength: boolean;
  /** Of the request. */
  readonly method: string;
  readonly version: string;
}

/** Persistence of the connection after a response. */
export interface Persistence {
  readonly isKept: boolean;
  /** For the Keep-Alive hint, in ms. */
  readonly keepAliveMs: number;
}

/** Chooses the framing: a known length is declared, an unknown one is chunked, or for HTTP/1.0 close-delimited. */
export function framingOf(facts: ResponseFacts): ResponseFraming {
  const { status, method, version } = facts;
  if (method === 'HEAD' || status === 204 || status === 304) return 'none';
  if (facts.hasLength && facts.bodyLength !== UNKNOWN_LENGTH) return 'length';
  return version === '1.0' ? 'until-close' : 'chunked';
}

/**
 * Field lines to write, [name, value, ...]: `own` and `extra` unchanged, then framing and persistence. Content-Length is
 * last, since node:http re-encodes a Content-Disposition that follows one.
 */
export function responseFields(
  own: FieldList,
  extra: FieldList,
  framing: ResponseFraming,
  facts: ResponseFacts,
  persistence: Persistence,
): string[] {
  const fields = framing === 'chunked' ? [...own, ...extra] : withoutTrailerField([...own, ...extra]);
  fields.push('Connection', persistence.isKept ? 'keep-alive' : 'close');
  const keepAliveSeconds = Math.floor(persistence.keepAliveMs / 1000);
  // A client that knows our idle timeout doesn't send into a closing connection (undici, node:http and others heed it).
  if (persistence.isKept && keepAliveSeconds > 0) fields.push('Keep-Alive', `timeout=${keepAliveSeconds}`);
  if (framing === 'chunked') fields.push('Transfer-Encoding', 'chunked');
  else if (saysLength(framing, facts)) fields.push('Content-Length', String(facts.bodyLength));
  return fields;
}

/** HEAD and 304 declare the length that a GET would have; 204 must not (RFC 9110 section 8.6). */
function saysLength(framing: ResponseFraming, facts: ResponseFacts): boolean {
  if (framing === 'length') return true;
  return framing === 'none' && facts.status !== 204 && facts.hasLength && facts.bodyLength !== UNKNOWN_LENGTH;
}

/** Only a chunked body has trailers to announce (RFC 9110 section 6.6.2); node:http refuses any other head with Trailer. */
function withoutTrailerField(fields: string[]): string[] {
  for (let at = fields.length - 2; at >= 0; at -= 2) if (isNamed(fields[at]!, 'trailer')) fields.splice(at, 2);
  return fields;
}

/** Writes the head of a final response. `fields` include framing and Connection. */
export function writeFinalHead(response: ServerResponse, status: number, reason: string, fields: string[]): void {
  try {
    response.writeHead(status, reason, fields);
  } catch {
    response.writeHead(status, '', writableFields(fields));
  }
}

/** Writes an interim response (RFC 9110 section 15.2). */
export function writeInterimHead(response: ServerResponse, status: number, fields: FieldList): void {
  // Node has the general form since 26.2; before that, interim responses other than 100 are left out, as they may be.
  if (typeof response.writeInformation !== 'function') {
    if (status === 100) response.writeContinue();
  } else response.writeInformation(status, writableFields(fields));
}

/** Adds trailers to a chunked response that is about to end. */
export function addTrailers(response: ServerResponse, trailers: FieldList): void {
  const fields = writableFields(trailers);
  const pairs: [string, string][] = [];
  for (let at = 0; at < fields.length; at += 2) pairs.push([fields[at]!, fields[at + 1]!]);
  response.addTrailers(pairs);
}

/** Sends the head before any body byte. Not flushHeaders(): it writes UTF-8, and bytes above 0x7f would become two. */
export function flushHead(response: ServerResponse): void {
  if (!response.writableEnded && !response.destroyed) response.write('', 'latin1');
}
