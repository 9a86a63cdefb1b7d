// Reads a whole trailer section and drops what must not come so late (RFC 9110 section 6.5). Thread: both.

import { CodecError } from './codec-error.ts';
import { INCOMPLETE, scanFieldLines, ScanRegion } from './field-scanner.ts';
import { MessageHead } from './message-head.ts';

/**
 * Fields that are worth something only in a head: framing, routing, authentication, request modifiers, response
 * control and content format (RFC 9110 section 6.5.1), and fields of one connection. A recipient that merges trailers
 * into the head would otherwise let a sender frame, route or authorise a message after it was judged.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'content-length',
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'te',
  'trailer',
  'forwarded',
  'x-real-ip',
  'x-request-id',
  'via',
  'max-forwards',
  'expect',
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'www-authenticate',
  'proxy-authentication-info',
  'authentication-info',
  'cookie',
  'set-cookie',
  'cache-control',
  'pragma',
  'range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'age',
  'date',
  'expires',
  'location',
  'retry-after',
  'vary',
  'warning',
  'content-encoding',
  'content-type',
  'content-range',
]);
const FORBIDDEN_PREFIX = 'x-forwarded-';

/** One each per thread is enough: a section is read at once. */
const scratchHead = new MessageHead();
const scratchRegion = new ScanRegion();

/** What reading a trailer section gives. */
export interface TrailerSection {
  /** 0, or a CodecError. */
  readonly error: number;
  /** Names and values in turn; null where nothing is left. */
  readonly fields: readonly string[] | null;
}

/**
 * Reads a trailer section.
 * @param bytes the section from offset 0 on, the empty line at its end included
 * @param length where it ends
 * @param maxFields limit on its fields
 */
export function readTrailerSection(bytes: Buffer, length: number, maxFields: number): TrailerSection {
  scratchHead.reset();
  scratchRegion.set(bytes, 0, length);
  const end = scanFieldLines(scratchHead, scratchRegion, 0, maxFields);
  if (end === ~CodecError.TOO_MANY_FIELDS) return { error: CodecError.TRAILERS_TOO_LARGE, fields: null };
  if (end < 0) return { error: end === INCOMPLETE ? CodecError.MISSING_COLON : ~end, fields: null };
  scratchHead.text = bytes.toString('latin1', 0, length);
  const fields: string[] = [];
  for (let index = 0; index < scratchHead.fieldCount; index += 1) {
    const name = scratchHead.nameText(index);
    if (!isForbidden(name.toLowerCase())) fields.push(name, scratchHead.valueText(index));
  }
  return { error: 0, fields: fields.length > 0 ? fields : null };
}

function isForbidden(name: string): boolean {
  return FORBIDDEN.has(name) || name.startsWith(FORBIDDEN_PREFIX);
}
