// Scans the request heads of one connection, one after the other, into one object; a head that repeats the last one is
// compared instead of scanned. Thread: worker.

import { CR, ZERO } from '../../http1/byte-class.ts';
import { CODEC_ERRORS, CodecError } from '../../http1/codec-error.ts';
import { FieldKind } from '../../http1/field-kind.ts';
import { CODINGS_THEN_CHUNKED, frameRequest } from '../../http1/framing.ts';
import { type HeadScanner, type LastFields, Scan } from '../../http1/head-scanner.ts';
import type { UnderscoreFields } from '../../../core/snapshot/listener.ts';
import { Method, type MessageHead } from '../../http1/message-head.ts';
import type { TrustedOnlyFields } from '../trusted-only-fields.ts';
import { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import type { HeldBytes } from '../../wire/held-bytes.ts';
import { rewriteHead } from './rewritten-head.ts';

/** Larger buffers hold a body, which must not be kept with the head: the head is copied for comparison. */
const MAX_KEPT_BYTES = 4096;
/** Longer heads aren't copied. */
const MAX_COPIED_BYTES = 1024;
const LATER_VERSION = / HTTP\/1\.[2-9]/;
const LATER_VERSION_BYTES = ' HTTP/1.2'.length;
const ONE = ZERO + 1;

const NO_BYTES = Buffer.alloc(0);

export class RequestScan implements LastFields {
  readonly head: ScannedRequestHead = new ScannedRequestHead();
  /** LastFields: the buffer, and the range of the field lines in it. */
  bytes: Buffer = NO_BYTES;
  start = 0;
  end = 0;
  /** Fields that this client may not send; null for a trusted proxy. */
  trustedOnly: TrustedOnlyFields | null = null;
  readonly #scanner: HeadScanner;
  readonly #underscores: UnderscoreFields;
  /** Bytes of an incomplete head that have been scanned. */
  #seenBytes = 0;
  #hasLast = false;
  /** Offset of the first line of the last head in `bytes`. */
  #lineStart = 0;
  /** Memory for copies of heads. */
  #copy: Buffer | null = null;

  constructor(scanner: HeadScanner, underscores: UnderscoreFields) {
    this.#scanner = scanner;
    this.#underscores = underscores;
  }

  /** Forgets the last head: the next one may be another client's. */
  forget(): void {
    this.#seenBytes = 0;
    this.#hasLast = false;
    this.bytes = NO_BYTES;
    this.head.forget();
    this.head.version = '1.1';
  }

  /** @returns Scan.COMPLETE where `head` has been scanned, framed and begun, Scan.INCOMPLETE, or a CodecError */
  next(input: HeldBytes): number {
    const { bytes, start, end } = input;
    if (this.#hasLast && this.#isSame(bytes, start, end)) {
      this.head.message.bodyStart = start + this.end - this.#lineStart;
      return Scan.COMPLETE;
    }
    const { message } = this.head;
    const last = this.#hasLast ? this : null;
    const result = this.#scanner.scanRequest(message, bytes, start, end, this.#seenBytes, last);
    if (result === Scan.INCOMPLETE) {
      this.#seenBytes = input.length;
      this.#hasLast = false;
      return Scan.INCOMPLETE;
    }
    this.#seenBytes = 0;
    if (result > 0) {
      if (CODEC_ERRORS[result]!.isHandedOff && lowerVersion(input)) return this.next(input);
      if (isRewritable(result) && message.method === Method.OTHER) return this.#nextRewritten(input);
    }
    return result === Scan.REPEATED ? this.#begin(bytes) : this.#beginScanned(result, bytes);
  }

  /** Scans a head that must be rewritten first. @returns as `next` */
  #nextRewritten(input: HeldBytes): number {
    const { bytes, start, end } = input;
    const rewritten = rewriteHead(bytes, start, end, this.#scanner.limits);
    if (rewritten === null) {
      this.#seenBytes = input.length;
      this.#hasLast = false;
      return Scan.INCOMPLETE;
    }
    if (typeof rewritten === 'number') return rewritten;
    input.clear();
    input.add(rewritten.bytes);
    this.head.version = rewritten.version;
    const result = this.#scanner.scanRequest(this.head.message, input.bytes, input.start, input.end);
    return this.#beginScanned(result, input.bytes);
  }

  /** @returns 0, or a CodecError */
  #checkFraming(): number {
    const { message, framing } = this.head;
    const error = frameError(frameRequest(message, framing), message);
    if (error !== 0) return error;
    this.trustedOnly?.cutFrom(message);
    if (this.#underscores === 'pass') return 0;
    const hasCut = cutUnderscores(message);
    return hasCut && this.#underscores === 'refuse' ? CodecError.BAD_NAME : 0;
  }

  /** Whether the bytes repeat the last head, first line and fields. */
  #isSame(bytes: Buffer, start: number, end: number): boolean {
    const last = this.bytes;
    const lineStart = this.#lineStart;
    const next = start + this.end - lineStart;
    if (next > end) return false;
    const fieldsStart = start + this.start - lineStart;
    for (let at = start, lastAt = lineStart; at < fieldsStart; at += 1, lastAt += 1) {
      if (bytes[at] !== last[lastAt]) return false;
    }
    return last.compare(bytes, fieldsStart, next, this.start, this.end) === 0;
  }

  #beginScanned(result: number, bytes: Buffer): number {
    this.head.forget();
    const error = result === Scan.COMPLETE ? this.#checkFraming() : result;
    const isComparable = bytes.length <= MAX_KEPT_BYTES || this.head.message.text.length <= MAX_COPIED_BYTES;
    this.#hasLast = error === 0 && isComparable;
    return error === 0 ? this.#begin(bytes) : error;
  }

  #begin(bytes: Buffer): number {
    const { message } = this.head;
    this.head.begin();
    if (this.#hasLast) this.#keep(bytes, message.bodyStart - message.text.length);
    return Scan.COMPLETE;
  }

  #keep(bytes: Buffer, headStart: number): void {
    const { text, fieldsStart } = this.head.message;
    const isWhole = bytes.length <= MAX_KEPT_BYTES;
    if (isWhole) this.bytes = bytes;
    else {
      this.#copy ??= Buffer.allocUnsafeSlow(MAX_COPIED_BYTES);
      bytes.copy(this.#copy, 0, headStart, headStart + text.length);
      this.bytes = this.#copy;
    }
    this.#lineStart = isWhole ? headStart : 0;
    this.start = this.#lineStart + fieldsStart;
    this.end = this.#lineStart + text.length;
  }
}

/**
 * Replaces a minor version above 1 by 1, as far as the first line has arrived: the request is processed and forwarded as
 * HTTP/1.1 (RFC 9110 section 2.5), by node:http too, which refuses others. No receiver has these bytes yet.
 * @returns whether the version was replaced
 */
function lowerVersion({ bytes, start, end }: HeldBytes): boolean {
  const lineStart = bytes[start] === CR ? start + 2 : start;
  const lineEnd = bytes.indexOf(CR, lineStart);
  if (lineEnd < lineStart + LATER_VERSION_BYTES || lineEnd >= end) return false;
  if (!LATER_VERSION.test(bytes.toString('latin1', lineEnd - LATER_VERSION_BYTES, lineEnd))) return false;
  bytes[lineEnd - 1] = ONE;
  return true;
}

function isRewritable(result: number): boolean {
  return result === CodecError.ABSOLUTE_FORM || result === CodecError.HTTP_1_0;
}

/** Rules for requests alone. @param error of framing. @returns 0, or a CodecError */
function frameError(error: number, message: MessageHead): number {
  if (error === CodecError.UNKNOWN_TRANSFER_CODING) {
    // Without chunked as the last coding the body has no end: 400, not 501 (RFC 9112 section 6.3).
    const isFramed = CODINGS_THEN_CHUNKED.test(message.field('transfer-encoding')!);
    return isFramed ? error : CodecError.BAD_TRANSFER_CODING;
  }
  return error === 0 && message.has(FieldKind.EXPECT) ? checkExpectation(message) : error;
}

/** There is one expectation (RFC 9110 section 10.1.1). @returns 0, or a CodecError */
function checkExpectation(message: MessageHead): number {
  const index = message.indexOfKind(FieldKind.EXPECT);
  const isKnown = !message.isRepeated(FieldKind.EXPECT) && message.valueEquals(index, '100-continue');
  return isKnown ? 0 : CodecError.UNKNOWN_EXPECTATION;
}

/** Cuts the fields whose name has an underscore. @returns whether there are any */
function cutUnderscores(message: MessageHead): boolean {
  // One search of the whole head first: most have no underscore anywhere.
  if (!message.text.includes('_', message.fieldsStart)) return false;
  let hasCut = false;
  for (let index = 0; index < message.fieldCount; index += 1) {
    if (message.kindAt(index) !== FieldKind.OTHER || !message.nameText(index).includes('_')) continue;
    message.cut(index);
    hasCut = true;
  }
  return hasCut;
}
