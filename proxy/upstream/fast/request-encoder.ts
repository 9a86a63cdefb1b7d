// Builds the head of a request for an endpoint: from the client's own bytes with ranges cut out where they were
// scanned, else from its fields. Thread: worker.

import { UNKNOWN_LENGTH, type FieldList, type RequestHead } from '../../../core/head.ts';
import type { AttemptRequest } from '../../../core/exchange-contract.ts';
import { isAllOf, TOKEN } from '../../http1/byte-class.ts';
import { encodeRequestHead, HeadEdit, passFraming } from '../../http1/encoder.ts';
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
import { requestFields } from '../request-fields.ts';
import { FastRequestHead } from './fast-request-head.ts';
import { ownKind } from './inserted-lines.ts';

const HOST_KIND = kindSet(FieldKind.HOST);

/** Methods whose request says that it has no body (RFC 9110 section 8.6). */
const SAYS_NO_BODY: readonly number[] = [Method.POST, Method.PUT, Method.PATCH];

/** Field names in the form in which heads are searched for them. */
interface Names {
  /** Set of those that are kinds of their own. */
  readonly kinds: number;
  /** The others. */
  readonly others: readonly string[];
}

export class RequestEncoder {
  readonly #edit = new HeadEdit();
  readonly #removals = new WeakMap<ReadonlySet<string>, Names>();

  /** @returns the head as latin1 text; null where the request can't be sent as it is */
  encode(request: AttemptRequest): string | null {
    const { head } = request;
    try {
      return head instanceof FastRequestHead ? this.#encodeScanned(head, request) : encodePlain(head, request);
    } catch (error) {
      // What the builder of field lines refuses: values that would be more than a value.
      if (error instanceof TypeError) return null;
      throw error;
    }
  }

  #encodeScanned(head: FastRequestHead, request: AttemptRequest): string {
    const { message, framing } = head;
    const edit = this.#edit;
    edit.reset();
    const removed = this.#namesOf(request.removedFields);
    edit.cut(removed.kinds);
    for (const name of removed.others) message.cutNamed(name);
    if (request.hostField !== head.authority) this.#replaceHost(request.hostField);
    this.#insert(request.insertedFields, head);
    passFraming(framing, edit);
    if (framing.body === BodyKind.NONE && framing.declaredBytes < 0 && SAYS_NO_BODY.includes(message.method)) {
      edit.addLines(contentLengthLine(0));
    }
    return encodeRequestHead(message, edit);
  }

  #replaceHost(hostField: string): void {
    this.#edit.cut(HOST_KIND);
    this.#edit.addLines(fieldLine('Host', hostField));
  }

  /** Inserted fields take the place of the client's of the same name. */
  #insert(fields: FieldList, head: FastRequestHead): void {
    const { inserted } = head;
    inserted.set(fields);
    this.#edit.cut(inserted.kinds);
    for (const name of inserted.others) head.message.cutNamed(name);
    this.#edit.addLines(inserted.lines);
  }

  #namesOf(removed: ReadonlySet<string>): Names {
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
  if (!target.startsWith('/') || !/^[!-~]+$/.test(target)) return null;
  const lines = joinLines(fieldLines(requestFields(request)), framingLines(head));
  return `${method} ${target} HTTP/1.1\r\n${lines}\r\n`;
}

function framingLines(head: RequestHead): FieldLines {
  if (head.bodyLength === UNKNOWN_LENGTH) return TRANSFER_ENCODING_CHUNKED;
  const isSaid = head.bodyLength > 0 || SAYS_NO_BODY.includes(METHOD_NAMES.indexOf(head.method, 1));
  return isSaid ? contentLengthLine(head.bodyLength) : NO_LINES;
}
