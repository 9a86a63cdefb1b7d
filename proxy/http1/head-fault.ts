// Describes a fault of a head for the log: the rule, the field, and the protocol that the peer seems to speak instead.
// Names only, never values. Slow path: makes strings. Thread: both.

import { CODEC_ERRORS, CodecError } from './codec-error.ts';
import { isFieldName } from './field-line.ts';
import type { MessageHead } from './message-head.ts';

/** Longer names are truncated, so that a log line stays short. */
const MAX_NAME = 64;

/** The field that each framing or Host rule is about. */
const FIELD_OF_RULE: Readonly<Partial<Record<CodecError, string>>> = {
  [CodecError.REPEATED_HOST]: 'Host',
  [CodecError.BAD_HOST]: 'Host',
  [CodecError.BAD_CONTENT_LENGTH]: 'Content-Length',
  [CodecError.REPEATED_CONTENT_LENGTH]: 'Content-Length',
  [CodecError.LENGTH_WITH_CODING]: 'Content-Length',
  [CodecError.BAD_TRANSFER_CODING]: 'Transfer-Encoding',
  [CodecError.UNKNOWN_TRANSFER_CODING]: 'Transfer-Encoding',
  [CodecError.CODING_IN_HTTP_1_0]: 'Transfer-Encoding',
  [CodecError.BAD_CONNECTION_OPTION]: 'Connection',
  [CodecError.TOO_MANY_CONNECTION_OPTIONS]: 'Connection',
  [CodecError.FORBIDDEN_NOMINATION]: 'Connection',
};

/** Faults of one field line: the first line that was not scanned. */
const LINE_RULES: ReadonlySet<number> = new Set([
  CodecError.BARE_CR,
  CodecError.BARE_LF,
  CodecError.FOLDED_LINE,
  CodecError.SPACE_AFTER_NAME,
  CodecError.BAD_NAME,
  CodecError.MISSING_COLON,
  CodecError.BAD_VALUE,
]);

const SIZE_RULES: ReadonlySet<number> = new Set([CodecError.HEAD_TOO_LARGE, CodecError.TOO_MANY_FIELDS]);

/** Faults of a first line that is not HTTP/1.1 at all. */
const FIRST_LINE_RULES: ReadonlySet<number> = new Set([
  CodecError.BAD_STATUS_LINE,
  CodecError.BAD_VERSION,
  CodecError.VERSION_NOT_SUPPORTED,
]);

/**
 * Describes why a response head was refused: `bad-value in field X-Id`, `repeated-content-length`.
 * @param head as the scan left it
 * @param bytes the head from `start` to `end`; need not be whole
 */
export function describeResponseFault(
  error: number,
  head: MessageHead,
  bytes: Buffer,
  start: number,
  end: number,
): string {
  const rule = CODEC_ERRORS[error]!.name;
  if (FIRST_LINE_RULES.has(error)) {
    const protocol = protocolOf(bytes, start, end);
    return protocol === null ? rule : `${rule}: the endpoint speaks ${protocol}`;
  }
  if (SIZE_RULES.has(error)) {
    const largest = largestFieldName(bytes, start, end);
    return largest === '' ? rule : `${rule}: the largest field is ${largest}`;
  }
  const name = LINE_RULES.has(error)
    ? failedFieldName(head, bytes, start, end)
    : (FIELD_OF_RULE[error as CodecError] ?? '');
  return name === '' ? rule : `${rule} in field ${name}`;
}

const TLS_RECORD_TYPES: ReadonlySet<number> = new Set([0x14, 0x15, 0x16, 0x17]);
const TLS_MAJOR_VERSION = 3;
const SETTINGS_FRAME = 4;

/** The protocol of a peer that doesn't answer in HTTP/1.1, by its first bytes; null if unknown. */
function protocolOf(bytes: Buffer, start: number, end: number): string | null {
  const length = end - start;
  // A TLS record: type, then version 3.x.
  if (length >= 2 && TLS_RECORD_TYPES.has(bytes[start]!) && bytes[start + 1] === TLS_MAJOR_VERSION) {
    return 'TLS on this port (use https:// in its URL)';
  }
  // An HTTP/2 server begins with a SETTINGS frame on stream 0: three bytes of length, then the type (RFC 9113 3.4).
  const isSettings = length >= 4 && bytes[start] === 0 && bytes[start + 3] === SETTINGS_FRAME;
  if (isSettings || bytes.toString('latin1', start, Math.min(end, start + 6)) === 'HTTP/2') return 'HTTP/2 only';
  return null;
}

/** The name on the first field line that was not scanned; '' if the line has none. */
function failedFieldName(head: MessageHead, bytes: Buffer, start: number, end: number): string {
  const lines = bytes.toString('latin1', start, end).split('\n');
  return nameOf(lines[head.fieldCount + 1] ?? '');
}

function nameOf(line: string): string {
  const name = line.slice(0, Math.max(0, line.indexOf(':'))).trimEnd();
  return isFieldName(name) ? name.slice(0, MAX_NAME) : '';
}

/**
 * The name of the longest field line in `bytes` from `start` to `end`, which need not be a whole head; '' if there is
 * no field. The first line is skipped.
 */
export function largestFieldName(bytes: Buffer, start: number, end: number): string {
  const lines = bytes.toString('latin1', start, end).split('\r\n').slice(1);
  let largest = '';
  for (const line of lines) {
    if (line.length > largest.length && nameOf(line) !== '') largest = line;
  }
  return nameOf(largest);
}
