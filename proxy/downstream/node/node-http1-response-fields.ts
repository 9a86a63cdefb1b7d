// The fields and the framing of an HTTP/1.1 response to a client (RFC 9112 sections 6 and 9). Thread: worker.

import { type FieldList, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { isNamed } from './field-list.ts';

/** How the end of a response's body is known to the client. */
export type ResponseFraming =
  /** There is no body, whatever the head says. */
  'none' | 'length' | 'chunked' | 'until-close';

/** What decides how a response is framed. */
export interface ResponseFacts {
  readonly status: number;
  /** As in ResponseHead. */
  readonly bodyLength: number;
  readonly hasLength: boolean;
  /** Of the request. */
  readonly method: string;
  readonly version: string;
}

/** What becomes of the connection after a response. */
export interface Persistence {
  readonly isKept: boolean;
  /** For the Keep-Alive hint, in ms. */
  readonly keepAliveMs: number;
}

/** Chooses the framing: a known length stays known, an unknown one is chunked, or ends with HTTP/1.0's connection. */
export function framingOf(facts: ResponseFacts): ResponseFraming {
  const { status, method, version } = facts;
  if (method === 'HEAD' || status === 204 || status === 304) return 'none';
  if (facts.hasLength && facts.bodyLength !== UNKNOWN_LENGTH) return 'length';
  return version === '1.0' ? 'until-close' : 'chunked';
}

/**
 * The field lines to write, [name, value, ...]: `own` and `extra` as they are, then framing and persistence.
 * Content-Length comes after all others, since node:http re-codes a Content-Disposition that follows one.
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
  // A client that knows when we close doesn't send into a closing connection (undici, node:http and others heed it).
  if (persistence.isKept && keepAliveSeconds > 0) fields.push('Keep-Alive', `timeout=${keepAliveSeconds}`);
  if (framing === 'chunked') fields.push('Transfer-Encoding', 'chunked');
  else if (saysLength(framing, facts)) fields.push('Content-Length', String(facts.bodyLength));
  return fields;
}

/** HEAD and 304 say the length that a GET would have; 204 must not (RFC 9110 section 8.6). */
function saysLength(framing: ResponseFraming, facts: ResponseFacts): boolean {
  if (framing === 'length') return true;
  return framing === 'none' && facts.status !== 204 && facts.hasLength && facts.bodyLength !== UNKNOWN_LENGTH;
}

/** Announced trailers can't come where nothing is chunked (RFC 9110 section 6.6.2); node:http refuses such a head. */
function withoutTrailerField(fields: string[]): string[] {
  for (let at = fields.length - 2; at >= 0; at -= 2) if (isNamed(fields[at]!, 'trailer')) fields.splice(at, 2);
  return fields;
}
