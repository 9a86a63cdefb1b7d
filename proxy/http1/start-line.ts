// Scans request lines and status lines (RFC 9112 sections 3 and 4). Thread: both.

import {
  ASTERISK,
  CLASS,
  COLON,
  CR,
  DIGIT,
  DOT,
  HASH,
  LF,
  PATH,
  SLASH,
  SP,
  TARGET,
  TOKEN,
  ZERO,
} from './byte-class.ts';
import { CodecError } from './codec-error.ts';
import { finishLine, INCOMPLETE, skipText, type ScanRegion } from './field-scanner.ts';
import { METHOD_NAMES, Method, type MessageHead } from './message-head.ts';

/** Registered methods have up to 17 bytes; any token is forwarded. Bounds what is scanned before the first blank. */
const MAX_METHOD_BYTES = 128;
/** HTTP-version is eight bytes: HTTP/1.1 */
const VERSION_BYTES = 8;
/** Result of scanVersion: larger than any minor version, which has one digit. */
const OTHER_MAJOR = 10;
const HTTP_NAME = Buffer.from('HTTP/', 'latin1');
/** The first bytes of an HTTP/2 client with prior knowledge (RFC 9113 section 3.4). */
const HTTP_2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const METHOD_BYTES: readonly Uint8Array[] = METHOD_NAMES.map((name) => Buffer.from(name, 'latin1'));
const MIN_STATUS = 100;
const MAX_STATUS = 599;

/**
 * Scans a request line at the region's base.
 * @returns the offset after its CRLF, INCOMPLETE, or the complement of a CodecError
 */
export function scanRequestLine(head: MessageHead, region: ScanRegion): number {
  const { bytes, base, limit } = region;
  const methodLimit = Math.min(limit, base + MAX_METHOD_BYTES + 1);
  let at = base;
  while (at < methodLimit && (CLASS[bytes[at]!]! & TOKEN) !== 0) at += 1;
  if (at - base > MAX_METHOD_BYTES) return ~CodecError.METHOD_TOO_LONG;
  if (at === limit) return INCOMPLETE;
  if (at === base || bytes[at] !== SP) return ~CodecError.BAD_METHOD;
  head.method = methodOf(bytes, base, at);
  head.methodEnd = at - base;
  if (head.method === Method.CONNECT) return ~CodecError.CONNECT_METHOD;
  const targetEnd = scanTarget(head, region, at + 1);
  if (targetEnd < 0) return targetEnd;
  const minor = scanVersion(region, targetEnd + 1);
  if (minor < 0) return minor;
  const next = finishVersion(region, targetEnd + 1 + VERSION_BYTES);
  if (next < 0) return next;
  head.minorVersion = minor;
  if (minor === 1) return next;
  if (minor === OTHER_MAJOR) return ~CodecError.VERSION_NOT_SUPPORTED;
  return minor === 0 ? ~CodecError.HTTP_1_0 : ~CodecError.LATER_HTTP_1;
}

function methodOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  for (let method: number = Method.GET; method <= Method.CONNECT; method += 1) {
    const name = METHOD_BYTES[method]!;
    if (name.length === length && startsWith(bytes, start, name)) return method;
  }
  return Method.OTHER;
}

function startsWith(bytes: Uint8Array, start: number, prefix: Uint8Array): boolean {
  for (let at = 0; at < prefix.length; at += 1) {
    if (bytes[start + at] !== prefix[at]!) return false;
  }
  return true;
}

/** @returns the offset of the SP after the target, or a failure */
function scanTarget(head: MessageHead, region: ScanRegion, start: number): number {
  const { bytes, base, limit } = region;
  if (start === limit) return INCOMPLETE;
  if (bytes[start] !== SLASH) return otherForm(head, region, start);
  let at = start + 1;
  while (at < limit && (CLASS[bytes[at]!]! & PATH) !== 0) at += 1;
  head.targetStart = start - base;
  head.pathEnd = at - base;
  while (at < limit && (CLASS[bytes[at]!]! & TARGET) !== 0) at += 1;
  head.targetEnd = at - base;
  return at < limit && bytes[at] === SP ? at : targetFailure(region, at);
}

function targetFailure(region: ScanRegion, at: number): number {
  if (at === region.limit) return INCOMPLETE;
  const byte = region.bytes[at]!;
  if (byte === HASH) return ~CodecError.FRAGMENT_IN_TARGET;
  // A request line without a version is HTTP/0.9, which RFC 9112 section 3 no longer has.
  if (byte === CR || byte === LF) return ~CodecError.BAD_REQUEST_LINE;
  return ~CodecError.BAD_TARGET;
}

/** A target that doesn't begin with '/': its form decides between a hand-off and a refusal. */
function otherForm(head: MessageHead, region: ScanRegion, start: number): number {
  const { bytes, limit } = region;
  if (bytes[start] !== ASTERISK) return absoluteForm(region, start);
  if (head.method === Method.OTHER) return preface(region);
  if (head.method !== Method.OPTIONS) return ~CodecError.BAD_TARGET;
  if (start + 1 === limit) return INCOMPLETE;
  return bytes[start + 1] === SP ? ~CodecError.ASTERISK_FORM : ~CodecError.BAD_TARGET;
}

function preface(region: ScanRegion): number {
  const { bytes, base, limit } = region;
  const available = Math.min(limit - base, HTTP_2_PREFACE.length);
  if (!startsWith(bytes, base, HTTP_2_PREFACE.subarray(0, available))) return ~CodecError.BAD_TARGET;
  return available === HTTP_2_PREFACE.length ? ~CodecError.HTTP_2_PREFACE : INCOMPLETE;
}

/** A scheme and '://' make an absolute-form; the general path judges the rest. */
function absoluteForm(region: ScanRegion, start: number): number {
  const { bytes, limit } = region;
  let at = start;
  while (at < limit && isSchemeByte(bytes[at]!, at === start)) at += 1;
  for (const expected of [COLON, SLASH, SLASH]) {
    if (at === limit) return INCOMPLETE;
    if (at === start || bytes[at] !== expected) return targetFailure(region, at);
    at += 1;
  }
  return ~CodecError.ABSOLUTE_FORM;
}

function isSchemeByte(byte: number, isFirst: boolean): boolean {
  const letter = byte | 0x20;
  if (letter >= 0x61 && letter <= 0x7a) return true;
  return !isFirst && ((CLASS[byte]! & DIGIT) !== 0 || byte === 0x2b || byte === 0x2d || byte === DOT);
}

/** Scans HTTP-version. @returns its minor number, OTHER_MAJOR for versions other than 1.x, or a failure */
function scanVersion(region: ScanRegion, start: number): number {
  const { bytes, limit } = region;
  const available = Math.min(limit - start, HTTP_NAME.length);
  for (let at = 0; at < available; at += 1) {
    if (bytes[start + at] !== HTTP_NAME[at]!) return at === 0 ? ~CodecError.BAD_REQUEST_LINE : ~CodecError.BAD_VERSION;
  }
  for (let at = start + HTTP_NAME.length; at < start + VERSION_BYTES; at += 1) {
    if (at >= limit) return INCOMPLETE;
    const isDot = at === start + HTTP_NAME.length + 1;
    if (isDot ? bytes[at] !== DOT : (CLASS[bytes[at]!]! & DIGIT) === 0) return ~CodecError.BAD_VERSION;
  }
  const major = bytes[start + HTTP_NAME.length]! - ZERO;
  return major === 1 ? bytes[start + VERSION_BYTES - 1]! - ZERO : OTHER_MAJOR;
}

/** Scans the CRLF after the version. */
function finishVersion(region: ScanRegion, at: number): number {
  const next = finishLine(region, at);
  return next === ~CodecError.BAD_VALUE ? ~CodecError.BAD_VERSION : next;
}

/**
 * Scans a status line at the region's base. The SP after the status may be missing if there is no reason phrase, as with
 * many servers (the grammar of RFC 9112 section 4 requires it).
 * @returns as scanRequestLine
 */
export function scanStatusLine(head: MessageHead, region: ScanRegion): number {
  const { bytes, base, limit } = region;
  const minor = scanVersion(region, base);
  if (minor < 0) return minor === ~CodecError.BAD_REQUEST_LINE ? ~CodecError.BAD_STATUS_LINE : minor;
  // A minor version above ours is processed as HTTP/1.1 (RFC 9110 section 2.5).
  if (minor === OTHER_MAJOR) return ~CodecError.VERSION_NOT_SUPPORTED;
  head.minorVersion = minor;
  const statusStart = base + VERSION_BYTES + 1;
  if (statusStart > limit) return INCOMPLETE;
  if (bytes[statusStart - 1] !== SP) return ~CodecError.BAD_STATUS_LINE;
  let status = 0;
  for (let at = statusStart; at < statusStart + 3; at += 1) {
    if (at >= limit) return INCOMPLETE;
    if ((CLASS[bytes[at]!]! & DIGIT) === 0) return ~CodecError.BAD_STATUS_CODE;
    status = status * 10 + bytes[at]! - ZERO;
  }
  head.status = status;
  return scanReason(head, region, statusStart + 3);
}

function scanReason(head: MessageHead, region: ScanRegion, start: number): number {
  const { bytes, base, limit } = region;
  if (start === limit) return INCOMPLETE;
  const hasReason = bytes[start] === SP;
  if (!hasReason && bytes[start] !== CR) return ~CodecError.BAD_STATUS_CODE;
  if (head.status < MIN_STATUS || head.status > MAX_STATUS) return ~CodecError.BAD_STATUS_CODE;
  const end = hasReason ? skipText(region, start + 1) : start;
  head.reasonStart = Math.min(start + 1, end) - base;
  head.reasonEnd = end - base;
  const next = finishLine(region, end);
  return next === ~CodecError.BAD_VALUE ? ~CodecError.BAD_STATUS_LINE : next;
}
