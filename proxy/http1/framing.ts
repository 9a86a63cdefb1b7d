// Determines the framing of a message's body (RFC 9112 section 6.3): the gate against request smuggling. A message that
// two parsers could frame differently is refused, never repaired. Thread: both.

import { CLASS, DIGIT, ZERO } from './byte-class.ts';
import { CodecError } from './codec-error.ts';
import { ConnectionOption, listHas, readConnection } from './connection-options.ts';
import { FieldKind, kindSet } from './field-kind.ts';
import { Method, type MessageHead } from './message-head.ts';

/** How a body is delimited. */
export const BodyKind = {
  /** There is no body. */
  NONE: 0,
  /** `lengthBytes` bytes, at least one. */
  LENGTH: 1,
  CHUNKED: 2,
  /** A response body until the endpoint closes. */
  UNTIL_CLOSE: 3,
  /** No longer HTTP: after 101. */
  TUNNEL: 4,
} as const;
export type BodyKind = (typeof BodyKind)[keyof typeof BodyKind];

/** The framing of a message. Reused: each call of frameRequest or frameResponse overwrites it. */
export class Framing {
  body: BodyKind = BodyKind.NONE;
  /** Bytes of the body where `body` is LENGTH, else 0. */
  lengthBytes = 0;
  /** The value of Content-Length, whatever `body` is (a HEAD response, a 304); -1 if there is none. */
  declaredBytes = -1;
  /** Whether Content-Length has leading zeros: valid, but forwarded without them. */
  hasPaddedLength = false;
  /** Whether the sender lets the connection be reused after this message (RFC 9112 section 9.3). */
  isPersistent = true;
  /** Whether there is an Upgrade field and `Connection: upgrade`. */
  requestsUpgrade = false;
  /** Whether there is `TE: trailers`. */
  acceptsTrailers = false;
  /** Whether Connection nominates fields; they are cut in the head. */
  hasNominated = false;

  reset(): void {
    this.body = BodyKind.NONE;
    this.lengthBytes = 0;
    this.declaredBytes = -1;
    this.hasPaddedLength = false;
    this.isPersistent = true;
    this.requestsUpgrade = false;
    this.acceptsTrailers = false;
    this.hasNominated = false;
  }
}

/** Fields that affect framing; a head without them needs no more work. */
const RELEVANT = kindSet(
  FieldKind.CONTENT_LENGTH,
  FieldKind.TRANSFER_ENCODING,
  FieldKind.CONNECTION,
  FieldKind.UPGRADE,
  FieldKind.TE,
);

const NO_CONTENT = 204;
const NOT_MODIFIED = 304;
const SWITCHING_PROTOCOLS = 101;

/** Significant digits that always make a safe integer; a larger Content-Length (beyond 900 terabytes) is refused. */
const MAX_LENGTH_DIGITS = 15;

/** Tokens other than `chunked`, then `chunked`. */
export const CODINGS_THEN_CHUNKED = /^(?:(?!chunked[ \t]*,)[!#$%&'*+\-.^_`|~\w]+[ \t]*,[ \t]*)+chunked$/i;

/**
 * Frames a request and parses its Connection field. Fields nominated there are cut in the head.
 * @returns 0, or a CodecError: the request must be refused and the connection closed
 */
export function frameRequest(head: MessageHead, framing: Framing): number {
  framing.reset();
  framing.isPersistent = head.minorVersion > 0;
  if (!head.hasAny(RELEVANT)) return 0;
  const error = readOptions(head, framing);
  if (error !== 0) return error;
  return readBody(head, framing, BodyKind.NONE);
}

/**
 * Frames an endpoint's response and parses its Connection field, as frameRequest does.
 * @param requestMethod of the request that it answers
 * @param wasUpgradeRequested whether that request had an Upgrade field; a 101 is refused otherwise
 * @returns 0, or a CodecError: the response must not be forwarded and the endpoint's connection is unusable
 */
export function frameResponse(
  head: MessageHead,
  framing: Framing,
  requestMethod: number,
  wasUpgradeRequested: boolean,
): number {
  framing.reset();
  framing.isPersistent = head.minorVersion > 0;
  const error = head.hasAny(RELEVANT) ? readOptions(head, framing) : 0;
  if (error !== 0) return error;
  const { status } = head;
  if (status === SWITCHING_PROTOCOLS) {
    framing.body = BodyKind.TUNNEL;
    return wasUpgradeRequested ? 0 : CodecError.UNREQUESTED_SWITCH;
  }
  // 1xx and 204 never have a body and may have no framing fields: these are cut, whatever their value (section 6.3, 1).
  if (status < 200 || status === NO_CONTENT) return cutFraming(head);
  const bodyError = readBody(head, framing, BodyKind.UNTIL_CLOSE);
  if (bodyError !== 0) return bodyError;
  if (requestMethod === Method.HEAD || status === NOT_MODIFIED) {
    framing.body = BodyKind.NONE;
    framing.lengthBytes = 0;
  }
  if (framing.body === BodyKind.UNTIL_CLOSE) framing.isPersistent = false;
  return 0;
}

function readOptions(head: MessageHead, framing: Framing): number {
  const options = readConnection(head);
  if (options < 0) return ~options;
  if ((options & ConnectionOption.CLOSE) !== 0) framing.isPersistent = false;
  else if ((options & ConnectionOption.KEEP_ALIVE) !== 0) framing.isPersistent = true;
  framing.hasNominated = (options & ConnectionOption.OTHER) !== 0;
  framing.requestsUpgrade = (options & ConnectionOption.UPGRADE) !== 0 && head.has(FieldKind.UPGRADE);
  framing.acceptsTrailers = head.has(FieldKind.TE) && listHas(head, 'te', 'trailers');
  return 0;
}

function readBody(head: MessageHead, framing: Framing, otherwise: BodyKind): number {
  const hasLength = head.has(FieldKind.CONTENT_LENGTH);
  if (head.has(FieldKind.TRANSFER_ENCODING)) {
    // CL.TE and TE.CL smuggling: another parser may use the other field (section 6.1 lets a server refuse).
    if (hasLength) return CodecError.LENGTH_WITH_CODING;
    framing.body = BodyKind.CHUNKED;
    return checkCoding(head);
  }
  if (!hasLength) {
    framing.body = otherwise;
    return 0;
  }
  // Two Content-Lengths are refused even if equal: a sender that adds a second one can't be trusted with the first.
  if (head.isRepeated(FieldKind.CONTENT_LENGTH)) return CodecError.REPEATED_CONTENT_LENGTH;
  const index = head.indexOfKind(FieldKind.CONTENT_LENGTH);
  const length = readLength(head, index);
  if (length < 0) return CodecError.BAD_CONTENT_LENGTH;
  const digits = head.valueEnd(index) - head.valueStart(index);
  framing.hasPaddedLength = digits > 1 && head.text.charCodeAt(head.valueStart(index)) === ZERO;
  framing.declaredBytes = length;
  framing.lengthBytes = length;
  framing.body = length === 0 ? BodyKind.NONE : BodyKind.LENGTH;
  return 0;
}

/** Content-Length = 1*DIGIT: no sign, no list, no blank (RFC 9110 section 8.6). @returns -1 if invalid */
function readLength(head: MessageHead, index: number): number {
  const { text } = head;
  const end = head.valueEnd(index);
  let at = head.valueStart(index);
  if (at === end) return -1;
  while (at < end - 1 && text.charCodeAt(at) === ZERO) at += 1;
  if (end - at > MAX_LENGTH_DIGITS) return -1;
  let length = 0;
  for (; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if ((CLASS[code]! & DIGIT) === 0) return -1;
    length = length * 10 + code - ZERO;
  }
  return length;
}

/**
 * Accepts exactly one field with exactly `chunked`: we decode no other coding, and TE.TE smuggling hides in odd lists. A
 * list of codings that ends in `chunked` is well framed but not understood (RFC 9112 section 6.1: 501).
 */
function checkCoding(head: MessageHead): number {
  if (head.minorVersion === 0) return CodecError.CODING_IN_HTTP_1_0;
  if (head.isRepeated(FieldKind.TRANSFER_ENCODING)) return CodecError.BAD_TRANSFER_CODING;
  const index = head.indexOfKind(FieldKind.TRANSFER_ENCODING);
  if (head.valueEquals(index, 'chunked')) return 0;
  const value = head.valueText(index);
  if (CODINGS_THEN_CHUNKED.test(value)) return CodecError.UNKNOWN_TRANSFER_CODING;
  const isMisplaced = value === '' || listHas(head, 'transfer-encoding', 'chunked');
  return isMisplaced ? CodecError.BAD_TRANSFER_CODING : CodecError.UNKNOWN_TRANSFER_CODING;
}

function cutFraming(head: MessageHead): number {
  head.cutNamed('content-length');
  head.cutNamed('transfer-encoding');
  return 0;
}
