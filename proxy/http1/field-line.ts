// Encodes field lines for outgoing heads: the only way to put our own text into a head. Thread: both.

import { isAllOf, TARGET, TEXT, TOKEN } from './byte-class.ts';

const CRLF = '\r\n';

declare const checked: unique symbol;
/** Checked lines, each with its CRLF: no value in them can begin another line or message. */
export type FieldLines = string & { readonly [checked]: true };

/** A checked field name followed by ': ', made once for fields that are encoded per message. */
export type FieldPrefix = string & { readonly [checked]: true };

export const NO_LINES = '' as FieldLines;
export const CONNECTION_CLOSE = 'Connection: close\r\n' as FieldLines;
export const CONNECTION_KEEP_ALIVE = 'Connection: keep-alive\r\n' as FieldLines;
export const TRANSFER_ENCODING_CHUNKED = 'Transfer-Encoding: chunked\r\n' as FieldLines;
/** TE is connection-specific, so Connection must name it (RFC 9110 section 10.1.4). */
export const TE_TRAILERS = 'TE: trailers\r\nConnection: TE\r\n' as FieldLines;

/** Whether a text is a field value: no CR, LF, NUL or other control byte, nothing beyond latin1. */
export function isFieldValue(value: string): boolean {
  return isAllOf(value, 0, value.length, TEXT);
}

export function isFieldName(name: string): boolean {
  return name !== '' && isAllOf(name, 0, name.length, TOKEN);
}

/** Whether a text is a request target. */
export function isTarget(target: string): boolean {
  return target !== '' && isAllOf(target, 0, target.length, TARGET);
}

/** @throws TypeError if `name` is not a field name */
export function fieldPrefix(name: string): FieldPrefix {
  if (!isFieldName(name)) throw new TypeError(`not a field name: ${JSON.stringify(name)}`);
  return `${name}: ` as FieldPrefix;
}

/**
 * One field line.
 * @throws TypeError if `value` is not a field value. Callers check network input with isFieldValue first. Stops header
 * injection and response splitting (CR and LF in a value).
 */
export function lineOf(prefix: FieldPrefix, value: string): FieldLines {
  if (!isFieldValue(value)) throw new TypeError(`not a value for the field ${prefix}`);
  return (prefix + value + CRLF) as FieldLines;
}

/** One field line; the name is checked, too. @throws TypeError as fieldPrefix and lineOf */
export function fieldLine(name: string, value: string): FieldLines {
  return lineOf(fieldPrefix(name), value);
}

/** The lines of a list [name, value, ...]. @throws TypeError as fieldLine */
export function fieldLines(list: readonly string[]): FieldLines {
  let lines = '';
  for (let at = 0; at + 1 < list.length; at += 2) lines += fieldLine(list[at]!, list[at + 1]!);
  return lines as FieldLines;
}

export function joinLines(first: FieldLines, second: FieldLines): FieldLines {
  return (first + second) as FieldLines;
}

/** @param lengthBytes a safe integer of at least 0 */
export function contentLengthLine(lengthBytes: number): FieldLines {
  return `Content-Length: ${lengthBytes}\r\n` as FieldLines;
}
