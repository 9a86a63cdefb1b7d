// Encodes outgoing heads: the scanned head's text with ranges cut out and our lines appended. Thread: both.

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

/** Cut from every forwarded head: connection-specific fields, and Transfer-Encoding, which is regenerated. */
export const ALWAYS_CUT = HOP_BY_HOP_KINDS | PROXY_AUTH_KINDS;
/** With ALWAYS_CUT: all fields that determine where a body ends. */
export const FRAMING_KINDS = kindSet(FieldKind.CONTENT_LENGTH, FieldKind.TRANSFER_ENCODING);

/** The end of a chunked body without trailers. */
export const LAST_CHUNK = '0\r\n\r\n';
/** The end of a chunk's payload. */
export const CHUNK_END = '\r\n';

const HTTP_1_1 = 'HTTP/1.1 ';
/** Offset of the reason in a complete status line: `HTTP/1.1 200 `. */
const REASON_START = 13;

/**
 * The changes to a forwarded head: fields cut and lines added. Reused: call `reset` before each head. Fields that
 * Connection nominates were cut in the head itself by framing.
 */
export class HeadEdit {
  /** Set of kinds that are not forwarded. */
  cutKinds = ALWAYS_CUT;
  #startLine = '';
  #added: FieldLines = NO_LINES;

  reset(): void {
    this.cutKinds = ALWAYS_CUT;
    this.#startLine = '';
    this.#added = NO_LINES;
  }

  /** Cuts a set of kinds, as kindSet makes it, too. */
  cut(kinds: number): void {
    this.cutKinds |= kinds;
  }

  /** Adds checked lines: constants, or made once from the configuration. */
  addLines(lines: FieldLines): void {
    this.#added = (this.#added + lines) as FieldLines;
  }

  /** Adds a field. @throws TypeError if the value is not a field value (see lineOf) */
  addField(prefix: FieldPrefix, value: string): void {
    this.addLines(lineOf(prefix, value));
  }

  /** Cuts all fields of this name in `head` and adds one. @throws TypeError as fieldLine */
  replaceField(head: MessageHead, name: string, value: string): void {
    head.cutNamed(name.toLowerCase());
    this.addLines(fieldLine(name, value));
  }

  /** Replaces the request target. @throws TypeError if `target` is not a request target */
  replaceTarget(head: MessageHead, target: string): void {
    if (!isTarget(target)) throw new TypeError('not a request target');
    this.#startLine = `${head.methodText} ${target} HTTP/1.1\r\n`;
  }

  /** The first line to send instead of the head's own, or ''. */
  get startLine(): string {
    return this.#startLine;
  }

  get added(): FieldLines {
    return this.#added;
  }
}

/**
 * Edits the framing fields for a body whose framing is kept: Transfer-Encoding is always regenerated, a Content-Length
 * stays in place unless it has leading zeros (which some parsers read as octal).
 */
export function passFraming(framing: Framing, edit: HeadEdit): void {
  if (framing.body === BodyKind.CHUNKED) edit.addLines(TRANSFER_ENCODING_CHUNKED);
  if (!framing.hasPaddedLength) return;
  edit.cut(FRAMING_KINDS);
  edit.addLines(contentLengthLine(framing.declaredBytes));
}

/** The head of a request for an endpoint, including the empty line; one byte per character (write it as latin1). */
export function encodeRequestHead(head: MessageHead, edit: HeadEdit): string {
  return encode(head, edit, edit.startLine);
}

/**
 * The head of a response for a client, as encodeRequestHead. Its version is HTTP/1.1 whatever the endpoint's was (RFC
 * 9112 section 2.3), and it has the SP after the status that some servers omit.
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

/** A response head of our own. @throws TypeError if status or reason can't be part of a status line */
export function encodeOwnResponseHead(status: number, reason: string, lines: FieldLines): string {
  return `${statusLine(status, reason)}${lines}\r\n`;
}

function statusLine(status: number, reason: string): string {
  // The reason is checked as a value: neither may contain CR or LF (response splitting).
  const line = fieldLine('x', reason).slice('x: '.length);
  if (!Number.isInteger(status) || status < 100 || status > 599) throw new TypeError(`not a status: ${status}`);
  return `${HTTP_1_1}${status} ${line}`;
}

/** The chunk-size line. @param sizeBytes at least 1: 0 would end the body */
export function chunkHead(sizeBytes: number): string {
  return `${sizeBytes.toString(16)}\r\n`;
}

/** The end of a chunked body. @param trailers [name, value, ...] or null @throws TypeError as fieldLine */
export function encodeLastChunk(trailers: readonly string[] | null): string {
  return trailers === null ? LAST_CHUNK : `0\r\n${fieldLines(trailers)}\r\n`;
}
