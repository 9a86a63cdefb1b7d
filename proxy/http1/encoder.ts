// Builds outgoing heads: the scanned head's text with ranges cut out and lines of ours added at the end. Thread: both.

import {
  contentLengthLine,
  fieldLine,
  fieldLines,
  isTarget,
  lineOf,
  NO_LINES,
  TRANSFER_ENCODING_CHUNKED,
  type FieldLines,
  type FieldPrefix,
} from './field-line.ts';
import { FieldKind, HOP_BY_HOP_KINDS, kindSet, PROXY_AUTH_KINDS } from './field-kind.ts';
import { BodyKind, type Framing } from './framing.ts';
import { FIELD_STRIDE, type MessageHead } from './message-head.ts';

/** Cut from every head that is passed on: what concerns one connection, and framing, which is made anew. */
export const ALWAYS_CUT = HOP_BY_HOP_KINDS | PROXY_AUTH_KINDS;
/** With ALWAYS_CUT: everything that says where a body ends. */
export const FRAMING_KINDS = kindSet(FieldKind.CONTENT_LENGTH, FieldKind.TRANSFER_ENCODING);

/** The end of a chunked body without trailers. */
export const LAST_CHUNK = '0\r\n\r\n';
/** The end of a chunk's payload. */
export const CHUNK_END = '\r\n';

/** Statuses and reasons are ours or scanned; a scanned reason has no control bytes. */
const HTTP_1_1 = 'HTTP/1.1 ';
/** Where the reason begins in a whole status line: `HTTP/1.1 200 `. */
const REASON_START = 13;

/**
 * What is done to a head on its way: which fields go, what comes. Reused: `reset` before each head. Fields that
 * Connection nominated were cut in the head itself by framing.
 */
export class HeadEdit {
  /** Set of kinds that are not passed on. */
  cutKinds = ALWAYS_CUT;
  #startLine = '';
  #added: FieldLines = NO_LINES;

  reset(): void {
    this.cutKinds = ALWAYS_CUT;
    this.#startLine = '';
    this.#added = NO_LINES;
  }

  /** Cuts a set of kinds, as kindSet makes it, in addition. */
  cut(kinds: number): void {
    this.cutKinds |= kinds;
  }

  /** Adds lines that are checked already: constants, or made once from the configuration. */
  addLines(lines: FieldLines): void {
    this.#added = (this.#added + lines) as FieldLines;
  }

  /** Adds a field. @throws TypeError where the value can't be one (see lineOf) */
  addField(prefix: FieldPrefix, value: string): void {
    this.addLines(lineOf(prefix, value));
  }

  /** Cuts all fields of this name in `head` and adds one in their place. @throws TypeError as fieldLine */
  replaceField(head: MessageHead, name: string, value: string): void {
    head.cutNamed(name.toLowerCase());
    this.addLines(fieldLine(name, value));
  }

  /** Passes the request on with another target. @throws TypeError where `target` can't stand in a request line */
  replaceTarget(head: MessageHead, target: string): void {
    if (!isTarget(target)) throw new TypeError('not a request target');
    this.#startLine = `${head.methodText} ${target} HTTP/1.1\r\n`;
  }

  /** The first line to send in place of the head's own, or ''. */
  get startLine(): string {
    return this.#startLine;
  }

  get added(): FieldLines {
    return this.#added;
  }
}

/**
 * Edits the framing fields for a body that is passed on as it is framed: Transfer-Encoding is always written anew, a
 * Content-Length stays where it stands unless it has leading zeros (which some parsers take for octal).
 */
export function passFraming(framing: Framing, edit: HeadEdit): void {
  if (framing.body === BodyKind.CHUNKED) edit.addLines(TRANSFER_ENCODING_CHUNKED);
  if (!framing.hasPaddedLength) return;
  edit.cut(FRAMING_KINDS);
  edit.addLines(contentLengthLine(framing.declaredBytes));
}

/** The head of a request for an endpoint, the empty line included; each character is one byte (write it as latin1). */
export function encodeRequestHead(head: MessageHead, edit: HeadEdit): string {
  return encode(head, edit, edit.startLine);
}

/**
 * The head of a response for a client, as encodeRequestHead. Says HTTP/1.1 whatever the endpoint spoke (RFC 9112
 * section 2.3), and writes the SP behind the status that some servers leave out.
 */
export function encodeResponseHead(head: MessageHead, edit: HeadEdit): string {
  const isAsSent = head.minorVersion === 1 && head.reasonStart === REASON_START;
  return encode(head, edit, isAsSent ? '' : `${HTTP_1_1}${head.status} ${head.reasonText}\r\n`);
}

function encode(head: MessageHead, edit: HeadEdit, startLine: string): string {
  const { text, offsets, fieldCount } = head;
  const { cutKinds } = edit;
  let kept = startLine;
  let from = startLine === '' ? 0 : head.fieldsStart;
  for (let index = 0; index < fieldCount; index += 1) {
    if (!head.isCut(index, cutKinds)) continue;
    const lineStart = offsets[index * FIELD_STRIDE]!;
    if (lineStart > from) kept += text.slice(from, lineStart);
    from = offsets[index * FIELD_STRIDE + FIELD_STRIDE]!;
  }
  kept += text.slice(from, offsets[fieldCount * FIELD_STRIDE]);
  return `${kept}${edit.added}\r\n`;
}

/** A head of our own, as encodeRequestHead. @throws TypeError where status or reason can't stand in a status line */
export function encodeOwnResponseHead(status: number, reason: string, lines: FieldLines): string {
  return `${statusLine(status, reason)}${lines}\r\n`;
}

function statusLine(status: number, reason: string): string {
  // The reason passes the same check as a value: neither may hold CR or LF (response splitting).
  const line = fieldLine('x', reason).slice('x: '.length);
  if (!Number.isInteger(status) || status < 100 || status > 599) throw new TypeError(`not a status: ${status}`);
  return `${HTTP_1_1}${status} ${line}`;
}

/** What stands before a chunk's payload. @param sizeBytes at least 1: 0 would end the body */
export function chunkHead(sizeBytes: number): string {
  return `${sizeBytes.toString(16)}\r\n`;
}

/** The end of a chunked body. @param trailers names and values in turn, or null @throws TypeError as fieldLine */
export function encodeLastChunk(trailers: readonly string[] | null): string {
  return trailers === null ? LAST_CHUNK : `0\r\n${fieldLines(trailers)}\r\n`;
}
