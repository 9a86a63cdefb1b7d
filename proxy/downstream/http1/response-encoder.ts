// Encodes response heads for clients: from the endpoint's own bytes with ranges cut out where they were scanned, else from
// fields. Thread: worker.

import type { Clock } from '../../../core/clock.ts';
import { type FieldList, isNamed, type ResponseHead } from '../../../core/head.ts';
import { encodeOwnResponseHead, encodeResponseHead, FRAMING_KINDS, HeadEdit } from '../../http1/encoder.ts';
import { FieldKind, kindSet } from '../../http1/field-kind.ts';
import {
  contentLengthLine,
  type FieldLines,
  fieldLine,
  isFieldName,
  isFieldValue,
  joinLines,
  NO_LINES,
  TRANSFER_ENCODING_CHUNKED,
} from '../../http1/field-line.ts';
import { ScannedResponseHead } from '../../wire/scanned-response-head.ts';
import { flatText } from '../../wire/flat-text.ts';

/** Framing of a response body for an HTTP/1.1 client. */
export const ResponseFraming = { NONE: 0, LENGTH: 1, CHUNKED: 2, UNTIL_CLOSE: 3 } as const;
export type ResponseFraming = (typeof ResponseFraming)[keyof typeof ResponseFraming];

const TRAILER_KIND = kindSet(FieldKind.TRAILER);
const NO_CONTENT = 204;

/** One per worker. */
export class ResponseEncoder {
  readonly #edit = new HeadEdit();
  readonly #date: DateLine;
  /** Lines of the last list of extra fields: lists are configured, and few. */
  #extra: FieldList = [];
  #extraLines: FieldLines = NO_LINES;

  constructor(date: DateLine) {
    this.#date = date;
  }

  /**
   * Encodes the head of a final response, the empty line included.
   * @param extra fields in addition to the head's own
   * @param persistence lines that say whether the connection stays open
   * @returns latin1 text
   */
  final(head: ResponseHead, extra: FieldList, framing: ResponseFraming, persistence: FieldLines): string {
    return head instanceof ScannedResponseHead
      ? this.#finalScanned(head, extra, framing, persistence)
      : this.#finalPlain(head, extra, framing, persistence);
  }

  /** Encodes the head of an interim response. */
  interim(head: ResponseHead): string {
    if (!(head instanceof ScannedResponseHead)) {
      return ownHead(head.status, head.reason, safeLines(head.endToEndFields(), true));
    }
    this.#edit.reset();
    return encodeResponseHead(head.message, this.#edit);
  }

  #finalScanned(
    head: ScannedResponseHead,
    extra: FieldList,
    framing: ResponseFraming,
    persistence: FieldLines,
  ): string {
    const date = head.message.has(FieldKind.DATE) ? NO_LINES : this.#date.line;
    const { written } = head;
    const isSame = written.framing === framing && written.persistence === persistence && written.date === date;
    if (written.text !== '' && isSame && written.extra === extra) {
      if (!written.isFlat) written.text = flatText(written.text);
      written.isFlat = true;
      return written.text;
    }
    written.text = this.#encode(head, joinLines(date, persistence), extra, framing);
    written.isFlat = false;
    written.extra = extra;
    written.framing = framing;
    written.persistence = persistence;
    written.date = date;
    return written.text;
  }

  #encode(head: ScannedResponseHead, own: FieldLines, extra: FieldList, framing: ResponseFraming): string {
    const edit = this.#edit;
    edit.reset();
    if (framing !== ResponseFraming.CHUNKED) edit.cut(TRAILER_KIND);
    if (head.framing.hasPaddedLength) {
      edit.cut(FRAMING_KINDS);
      edit.addLines(contentLengthLine(head.framing.declaredBytes));
    }
    if (extra.length > 0) edit.addLines(this.#linesOf(extra));
    edit.addLines(own);
    if (framing === ResponseFraming.CHUNKED) edit.addLines(TRANSFER_ENCODING_CHUNKED);
    return encodeResponseHead(head.message, edit);
  }

  #finalPlain(head: ResponseHead, extra: FieldList, framing: ResponseFraming, persistence: FieldLines): string {
    let lines = safeLines(head.endToEndFields(), framing === ResponseFraming.CHUNKED);
    if (extra.length > 0) lines = joinLines(lines, this.#linesOf(extra));
    if (head.field('date') === undefined) lines = joinLines(lines, this.#date.line);
    lines = joinLines(lines, persistence);
    if (framing === ResponseFraming.CHUNKED) lines = joinLines(lines, TRANSFER_ENCODING_CHUNKED);
    else if (head.hasLength && head.bodyLength >= 0 && head.status !== NO_CONTENT) {
      lines = joinLines(lines, contentLengthLine(head.bodyLength));
    }
    return ownHead(head.status, head.reason, lines);
  }

  #linesOf(extra: FieldList): FieldLines {
    if (extra !== this.#extra) {
      this.#extra = extra;
      this.#extraLines = safeLines(extra, true);
    }
    return this.#extraLines;
  }
}

/** Lines of the fields that are valid: any other could split the head (response splitting). */
function safeLines(fields: FieldList, hasTrailers: boolean): FieldLines {
  let lines = NO_LINES;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at]!;
    const value = fields[at + 1]!;
    if (!hasTrailers && isNamed(name, 'trailer')) continue;
    if (isFieldName(name) && isFieldValue(value)) lines = joinLines(lines, fieldLine(name, value));
  }
  return lines;
}

/** The trailers that are valid fields; null where none is. */
export function safeTrailers(fields: FieldList): FieldList | null {
  const kept: string[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    if (isFieldName(fields[at]!) && isFieldValue(fields[at + 1]!)) kept.push(fields[at]!, fields[at + 1]!);
  }
  return kept.length > 0 ? kept : null;
}

function ownHead(status: number, reason: string, lines: FieldLines): string {
  return encodeOwnResponseHead(status, isFieldValue(reason) ? reason : '', lines);
}

const SECOND_MS = 1000;
const DATE_PREFIX = 'Date: ';
const CRLF_LENGTH = 2;

/** Date line of responses without one (RFC 9110 section 6.6.1), encoded once a second. */
export class DateLine {
  readonly #clock: Clock;
  #second = Number.NaN;
  #line: FieldLines = NO_LINES;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The field's value. */
  get value(): string {
    return this.line.slice(DATE_PREFIX.length, -CRLF_LENGTH);
  }

  get line(): FieldLines {
    const second = Math.floor(this.#clock.wallMs() / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#line = fieldLine('Date', new Date(second * SECOND_MS).toUTCString());
    }
    return this.#line;
  }
}
