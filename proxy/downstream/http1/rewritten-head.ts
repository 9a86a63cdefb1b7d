// Rewrites rare heads to the form that the engine scans: absolute-form to origin-form, HTTP/1.0 to HTTP/1.1 with a
// connection that closes. Only for methods that node:http doesn't know, which it would refuse: node:http serves the
// others. Thread: worker.

import { CodecError } from '../../http1/codec-error.ts';
import type { HeadLimits } from '../../http1/head-scanner.ts';
import { isValidAuthority, readTarget } from '../request-target.ts';

export interface RewrittenHead {
  /** The head, then the bytes that follow it. */
  readonly bytes: Buffer;
  /** HTTP version of the client's own head. */
  readonly version: '1.0' | '1.1';
}

const CRLF = '\r\n';
const HEAD_END = '\r\n\r\n';
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP\/1\.([01])$/;
const ANY_VERSION = / HTTP\/\d\.\d$/;
const HOST = /^host:[ \t]*(.*?)[ \t]*$/i;
/** Has no meaning in HTTP/1.0 (RFC 9110 section 10.1.1). */
const EXPECT = /^expect:/i;
const TRANSFER_ENCODING = /^transfer-encoding:/i;

/**
 * Rewrites the head at `start`. The result is scanned as any other head, so that faults of its lines are found there.
 * @returns null while the head is incomplete; a CodecError where it can't be rewritten
 */
export function rewriteHead(
  bytes: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
): RewrittenHead | number | null {
  const base = bytes.toString('latin1', start, start + CRLF.length) === CRLF ? start + CRLF.length : start;
  const headEnd = bytes.subarray(0, end).indexOf(HEAD_END, base, 'latin1');
  const isTooLong = (headEnd === -1 ? end : headEnd + HEAD_END.length) - base > limits.headBytes;
  if (isTooLong) return CodecError.HEAD_TOO_LARGE;
  if (headEnd === -1) return null;
  const [line, ...fields] = bytes.toString('latin1', base, headEnd).split(CRLF);
  const head = rewrittenLines(line!, fields, limits);
  if (typeof head === 'number') return head;
  const text = Buffer.from(head.lines.join(CRLF) + HEAD_END, 'latin1');
  return { bytes: Buffer.concat([text, bytes.subarray(headEnd + HEAD_END.length, end)]), version: head.version };
}

interface Lines {
  readonly lines: readonly string[];
  readonly version: '1.0' | '1.1';
}

function rewrittenLines(line: string, fields: readonly string[], limits: HeadLimits): Lines | number {
  if (line.length + CRLF.length > limits.startLineBytes) return CodecError.TARGET_TOO_LONG;
  const [, method, written, minor] = REQUEST_LINE.exec(line) ?? [];
  if (method === undefined || written === undefined) {
    return ANY_VERSION.test(line) ? CodecError.VERSION_NOT_SUPPORTED : CodecError.BAD_REQUEST_LINE;
  }
  const target = readTarget(method, written);
  if (target === null) return written.includes('#') ? CodecError.FRAGMENT_IN_TARGET : CodecError.BAD_TARGET;
  const first = `${method} ${target.target} HTTP/1.1`;
  const named = withAuthority(fields, target.authority);
  if (typeof named === 'number') return named;
  if (minor === '1') return { lines: [first, ...named], version: '1.1' };
  if (fields.some((field) => TRANSFER_ENCODING.test(field))) return CodecError.CODING_IN_HTTP_1_0;
  const kept = named.filter((field) => !EXPECT.test(field));
  // HTTP/1.0 requires no Host (RFC 9112 section 3.2).
  const host = named.some((field) => HOST.test(field)) ? [] : [`Host: ${target.authority ?? ''}`];
  return { lines: [first, ...host, ...kept, 'Connection: close'], version: '1.0' };
}

/** The authority of an absolute-form replaces Host, which must be valid all the same (RFC 9112 section 3.2.2). */
function withAuthority(fields: readonly string[], authority: string | null): readonly string[] | number {
  if (authority === null) return fields;
  const isValid = fields.every((field) => isValidAuthority(HOST.exec(field)?.[1] ?? ''));
  return isValid ? fields.map((field) => (HOST.test(field) ? `Host: ${authority}` : field)) : CodecError.BAD_HOST;
}
