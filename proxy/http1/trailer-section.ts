// Parses a complete trailer section and drops fields that are forbidden there (RFC 9110 section 6.5). Thread: both.

import { CodecError } from './codec-error.ts';
import { INCOMPLETE, scanFieldLines, ScanRegion } from './field-scanner.ts';
import { MessageHead } from './message-head.ts';

/**
 * Fields that are allowed in a head only: framing, routing, authentication, request modifiers, response control and
 * content format (RFC 9110 section 6.5.1), and connection-specific fields. If a recipient merges trailers into the head,
 * they would frame, route or authorise a message after it was judged.
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

/** One per thread is enough: a section is parsed in one call. */
const scratchHead = new MessageHead();
const scratchRegion = new ScanRegion();

/** A parsed trailer section. */
export interface TrailerSection {
  /** 0, or a CodecError. */
  readonly error: number;
  /** [name, value, ...]; null if none is left. */
  readonly fields: readonly string[] | null;
}

/**
 * Parses a trailer section.
 * @param bytes the section from offset 0, including the empty line at its end
 * @param length the end of the section
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
    if (isTrailerName(name.toLowerCase())) fields.push(name, scratchHead.valueText(index));
  }
  return { error: 0, fields: fields.length > 0 ? fields : null };
}

/** Whether a field is allowed in trailers. @param name lower case */
export function isTrailerName(name: string): boolean {
  return !FORBIDDEN.has(name) && !name.startsWith(FORBIDDEN_PREFIX);
}
