// Encodes the head of a request for an endpoint: from the client's own bytes with ranges cut out if they were scanned,
// otherwise from its fields. Thread: worker.

import type { AttemptRequest } from '../../core/exchange-contract.ts';
import { type FieldList, type RequestHead, UNKNOWN_LENGTH } from '../../core/head.ts';
import { isAllOf, TOKEN } from '../http1/byte-class.ts';
import { ALWAYS_CUT, FRAMING_KINDS } from '../http1/encoder.ts';
import { FieldKind, kindSet } from '../http1/field-kind.ts';
import {
  contentLengthLine,
  type FieldLines,
  fieldLine,
  fieldLines,
  joinLines,
  NO_LINES,
  TE_TRAILERS,
  TRANSFER_ENCODING_CHUNKED,
} from '../http1/field-line.ts';
import { BodyKind } from '../http1/framing.ts';
import { Method, METHOD_NAMES } from '../http1/message-head.ts';
import { otherNames, ownKind } from '../wire/inserted-lines.ts';
import { type CutNames, ScannedRequestHead } from '../wire/scanned-request-head.ts';

const HOST_KIND = kindSet(FieldKind.HOST);
const EXPECT_KIND = kindSet(FieldKind.EXPECT);
const EXPECT_CONTINUE = fieldLine('Expect', '100-continue');

/** Methods that define a meaning for content: without a body they send Content-Length: 0 (RFC 9110 section 8.6). */
const ANTICIPATES_BODY: readonly number[] = [Method.POST, Method.PUT, Method.PATCH];

export class RequestEncoder {
  readonly #removals = new WeakMap<ReadonlySet<string>, CutNames>();

  /** @returns the head as latin1 text; null if the request can't be sent in HTTP/1.1 */
  encode(request: AttemptRequest): string | null {
    const { head } = request;
    try {
      return head instanceof ScannedRequestHead ? this.#encodeScanned(head, request) : encodePlain(head, request);
    } catch (error) {
      // Thrown by field-line.ts for a name or value that could begin another line.
      if (error instanceof TypeError) return null;
      throw error;
    }
  }

  #encodeScanned(head: ScannedRequestHead, request: AttemptRequest): string {
    const { inserted, framing } = head;
    const removed = this.#namesOf(request.removedFields);
    inserted.set(request.insertedFields);
    let kinds = ALWAYS_CUT | removed.kinds | inserted.kinds;
    let lines = inserted.lastLines;
    if (request.hostField !== head.authority) {
      kinds |= HOST_KIND;
      lines = joinLines(fieldLine('Host', request.hostField), lines);
    }
    if (framing.hasPaddedLength) {
      kinds |= FRAMING_KINDS;
      lines = joinLines(contentLengthLine(framing.declaredBytes), lines);
    }
    // A request without a body has nothing to hold back.
    if (!head.expectsContinue) kinds |= EXPECT_KIND;
    if (framing.acceptsTrailers) lines = joinLines(TE_TRAILERS, lines);
    if (framing.body === BodyKind.CHUNKED) lines = joinLines(TRANSFER_ENCODING_CHUNKED, lines);
    else if (framing.declaredBytes < 0 && ANTICIPATES_BODY.includes(head.message.method)) {
      lines = joinLines(contentLengthLine(0), lines);
    }
    return `${firstLineOf(head, request.target ?? null)}${head.lines(kinds, removed)}${lines}\r\n`;
  }

  #namesOf(removed: ReadonlySet<string>): CutNames {
    const known = this.#removals.get(removed);
    if (known !== undefined) return known;
    const names = [...removed];
    const kinds = names.reduce((set, name) => set | ownKind(name), 0);
    const made = { kinds, others: otherNames(names.filter((name) => ownKind(name) === 0)) };
    this.#removals.set(removed, made);
    return made;
  }
}

function firstLineOf(head: ScannedRequestHead, target: string | null): string {
  if (target === null) return head.firstLine;
  // Anything else than a target could end the line (request splitting).
  if (!isSendableTarget(head.method, target)) throw new TypeError('not a request target');
  return `${head.method} ${target} HTTP/1.1\r\n`;
}

export function isToken(text: string): boolean {
  return text !== '' && isAllOf(text, 0, text.length, TOKEN);
}

/** Whether a target is in origin-form, or the asterisk of OPTIONS (RFC 9112 section 3.2). */
export function isSendableTarget(method: string, target: string): boolean {
  return (target === '*' && method === 'OPTIONS') || (target.startsWith('/') && /^[!-~]+$/.test(target));
}

/** @throws TypeError if a field can't be sent */
function encodePlain(head: RequestHead, request: AttemptRequest): string | null {
  const { method } = head;
  const target = request.target ?? head.target;
  if (!isToken(method) || method === 'CONNECT' || !isSendableTarget(method, target)) return null;
  const expectation = head.expectsContinue === true ? EXPECT_CONTINUE : NO_LINES;
  const framing = joinLines(expectation, framingLines(head));
  const lines = joinLines(fieldLines(requestFields(request)), joinLines(trailerLines(head), framing));
  return `${method} ${target} HTTP/1.1\r\n${lines}\r\n`;
}

function trailerLines(head: RequestHead): FieldLines {
  const te = head.field('te');
  return te !== undefined && /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(te) ? TE_TRAILERS : NO_LINES;
}

export function anticipatesBody(method: string): boolean {
  return ANTICIPATES_BODY.includes(METHOD_NAMES.indexOf(method, 1));
}

/** A Content-Length of 0 is sent where the client sent one, or the method anticipates a body. */
function framingLines(head: RequestHead): FieldLines {
  const { bodyLength, method } = head;
  if (bodyLength === UNKNOWN_LENGTH) return TRANSFER_ENCODING_CHUNKED;
  const hasLength = bodyLength > 0 || anticipatesBody(method) || head.field('content-length') !== undefined;
  return hasLength ? contentLengthLine(bodyLength) : NO_LINES;
}

/** Connection-specific and framing fields, and Host: never copied from a client, regenerated where needed. */
const REGENERATED: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'http2-settings',
  'expect',
]);

/** Fields without framing: Host first (RFC 9110 section 7.2), the client's in their order, inserted ones last. */
export function requestFields(request: AttemptRequest): string[] {
  const { head, hostField, insertedFields, removedFields } = request;
  const inserted = namesOf(insertedFields);
  const fields = ['Host', hostField];
  const given = head.endToEndFields();
  for (let index = 0; index < given.length; index += 2) {
    const name = given[index]!.toLowerCase();
    if (REGENERATED.has(name) || removedFields.has(name) || inserted.has(name)) continue;
    fields.push(given[index]!, given[index + 1]!);
  }
  for (let index = 0; index < insertedFields.length; index += 2) {
    if (!REGENERATED.has(insertedFields[index]!.toLowerCase())) {
      fields.push(insertedFields[index]!, insertedFields[index + 1]!);
    }
  }
  return fields;
}

function namesOf(fields: FieldList): ReadonlySet<string> {
  const names = new Set<string>();
  for (let index = 0; index < fields.length; index += 2) names.add(fields[index]!.toLowerCase());
  return names;
}
