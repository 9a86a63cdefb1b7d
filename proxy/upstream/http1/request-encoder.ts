// Builds the head of a request for an endpoint: from the client's own bytes with ranges cut out where they were
// scanned, else from its fields. Thread: worker.

import { UNKNOWN_LENGTH, type RequestHead } from '../../../core/head.ts';
import type { AttemptRequest } from '../../../core/exchange-contract.ts';
import { isAllOf, TOKEN } from '../../http1/byte-class.ts';
import { ALWAYS_CUT, FRAMING_KINDS } from '../../http1/encoder.ts';
import { FieldKind, kindSet } from '../../http1/field-kind.ts';
import {
  contentLengthLine,
  type FieldLines,
  fieldLine,
  fieldLines,
  joinLines,
  NO_LINES,
  TRANSFER_ENCODING_CHUNKED,
} from '../../http1/field-line.ts';
import { BodyKind } from '../../http1/framing.ts';
import { Method, METHOD_NAMES } from '../../http1/message-head.ts';
import { requestFields } from '../undici/request-fields.ts';
import { type CutNames, ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import { ownKind } from '../../wire/inserted-lines.ts';

const HOST_KIND = kindSet(FieldKind.HOST);

/** Methods whose request says that it has no body (RFC 9110 section 8.6). */
const SAYS_NO_BODY: readonly number[] = [Method.POST, Method.PUT, Method.PATCH];

export class RequestEncoder {
  readonly #removals = new WeakMap<ReadonlySet<string>, CutNames>();

  /** @returns the head as latin1 text; null where the request can't be sent as it is */
  encode(request: AttemptRequest): string | null {
    const { head } = request;
    try {
      return head instanceof ScannedRequestHead ? this.#encodeScanned(head, request) : encodePlain(head, request);
    } catch (error) {
      // What the builder of field lines refuses: values that would be more than a value.
      if (error instanceof TypeError) return null;
      throw error;
    }
  }

  #encodeScanned(head: ScannedRequestHead, request: AttemptRequest): string {
    const { inserted, framing } = head;
    const removed = this.#namesOf(request.removedFields);
    inserted.set(request.insertedFields);
    let kinds = ALWAYS_CUT | removed.kinds | inserted.kinds;
    let lines = inserted.lastLine;
    if (request.hostField !== head.authority) {
      kinds |= HOST_KIND;
      lines = joinLines(fieldLine('Host', request.hostField), lines);
    }
    if (framing.hasPaddedLength) {
      kinds |= FRAMING_KINDS;
      lines = joinLines(contentLengthLine(framing.declaredBytes), lines);
    }
    if (framing.body === BodyKind.CHUNKED) lines = joinLines(TRANSFER_ENCODING_CHUNKED, lines);
    else if (framing.declaredBytes < 0 && SAYS_NO_BODY.includes(head.message.method)) {
      lines = joinLines(contentLengthLine(0), lines);
    }
    return `${head.firstLine}${head.lines(kinds, removed)}${lines}\r\n`;
  }

  #namesOf(removed: ReadonlySet<string>): CutNames {
    const known = this.#removals.get(removed);
    if (known !== undefined) return known;
    const names = [...removed];
    const kinds = names.reduce((set, name) => set | ownKind(name), 0);
    const made = { kinds, others: names.filter((name) => ownKind(name) === 0) };
    this.#removals.set(removed, made);
    return made;
  }
}

/** @throws TypeError where a field can't be sent */
function encodePlain(head: RequestHead, request: AttemptRequest): string | null {
  const { method, target } = head;
  if (!isAllOf(method, 0, method.length, TOKEN) || method === '' || method === 'CONNECT') return null;
  const isAsterisk = target === '*' && method === 'OPTIONS';
  if (!isAsterisk && (!target.startsWith('/') || !/^[!-~]+$/.test(target))) return null;
  const lines = joinLines(fieldLines(requestFields(request)), framingLines(head));
  return `${method} ${target} HTTP/1.1\r\n${lines}\r\n`;
}

function framingLines(head: RequestHead): FieldLines {
  if (head.bodyLength === UNKNOWN_LENGTH) return TRANSFER_ENCODING_CHUNKED;
  const isSaid = head.bodyLength > 0 || SAYS_NO_BODY.includes(METHOD_NAMES.indexOf(head.method, 1));
  return isSaid ? contentLengthLine(head.bodyLength) : NO_LINES;
}
