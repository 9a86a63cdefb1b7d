// Parses the Connection field: persistence, and the fields that it nominates for removal (RFC 9110 section 7.6.1).
// Thread: both.

import { BLANK, CLASS, COMMA, isAllOf, TOKEN } from './byte-class.ts';
import { CodecError } from './codec-error.ts';
import { FieldKind } from './field-kind.ts';
import type { MessageHead } from './message-head.ts';

/**
 * Real senders name up to three. More would only make us compare every field with every option; Pingora has the same
 * limit.
 */
export const MAX_CONNECTION_OPTIONS = 9;

/** Options, as bits. */
export const ConnectionOption = { CLOSE: 1, KEEP_ALIVE: 2, UPGRADE: 4, OTHER: 8 } as const;

/**
 * Fields that may not be nominated. Without Host, framing or forwarding fields an endpoint would frame or route the
 * message, or judge its origin, differently from us (hop-by-hop header abuse).
 */
const PROTECTED_NAMES: readonly string[] = ['host', 'content-length', 'transfer-encoding', 'forwarded'];
const PROTECTED_PREFIX = 'x-forwarded-';

/**
 * Parses all Connection fields of `head` and cuts the fields that they nominate.
 * @returns bits of ConnectionOption (0 without a Connection field), or the complement of a CodecError
 */
export function readConnection(head: MessageHead): number {
  const index = head.indexOfKind(FieldKind.CONNECTION);
  if (index < 0) return 0;
  if (!head.isRepeated(FieldKind.CONNECTION)) {
    if (head.valueEquals(index, 'keep-alive')) return ConnectionOption.KEEP_ALIVE;
    if (head.valueEquals(index, 'close')) return ConnectionOption.CLOSE;
  }
  return readLists(head, index);
}

function readLists(head: MessageHead, first: number): number {
  let options = 0;
  let count = 0;
  for (let index = first; index >= 0; index = head.indexOf('connection', index + 1)) {
    const end = head.valueEnd(index);
    for (let at = head.valueStart(index); at < end; ) {
      const itemStart = skipBlanks(head.text, at, end);
      const comma = findComma(head.text, itemStart, end);
      const itemEnd = trimBlanks(head.text, itemStart, comma);
      at = comma + 1;
      // Empty list elements are ignored (RFC 9110 section 5.6.1) but counted, so that there can't be many.
      if (++count > MAX_CONNECTION_OPTIONS) return ~CodecError.TOO_MANY_CONNECTION_OPTIONS;
      if (itemStart === itemEnd) continue;
      const option = readOption(head, itemStart, itemEnd);
      if (option < 0) return option;
      options |= option;
    }
  }
  return options;
}

function readOption(head: MessageHead, start: number, end: number): number {
  if (!isAllOf(head.text, start, end, TOKEN)) return ~CodecError.BAD_CONNECTION_OPTION;
  const name = head.text.slice(start, end).toLowerCase();
  if (name === 'close') return ConnectionOption.CLOSE;
  if (name === 'keep-alive') return ConnectionOption.KEEP_ALIVE;
  if (name === 'upgrade') return ConnectionOption.UPGRADE;
  if (PROTECTED_NAMES.includes(name) || name.startsWith(PROTECTED_PREFIX)) return ~CodecError.FORBIDDEN_NOMINATION;
  head.cutNamed(name);
  return ConnectionOption.OTHER;
}

/**
 * Whether a list field has this element, ignoring case. Elements with parameters don't match.
 * @param name,element lower case
 */
export function listHas(head: MessageHead, name: string, element: string): boolean {
  for (let index = head.indexOf(name); index >= 0; index = head.indexOf(name, index + 1)) {
    const end = head.valueEnd(index);
    for (let at = head.valueStart(index); at < end; ) {
      const itemStart = skipBlanks(head.text, at, end);
      const comma = findComma(head.text, itemStart, end);
      if (head.rangeEquals(itemStart, trimBlanks(head.text, itemStart, comma), element)) return true;
      at = comma + 1;
    }
  }
  return false;
}

function skipBlanks(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && (CLASS[text.charCodeAt(at)]! & BLANK) !== 0) at += 1;
  return at;
}

function trimBlanks(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && (CLASS[text.charCodeAt(at - 1)]! & BLANK) !== 0) at -= 1;
  return at;
}

function findComma(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) !== COMMA) at += 1;
  return at;
}
