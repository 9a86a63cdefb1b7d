// Scans the head of a request or response: one pass over its bytes that records offsets, and one string of the whole at
// the end. No I/O; never throws. Thread: both.

import { CLASS, CR, LF, TEXT } from './byte-class.ts';
import { CodecError } from './codec-error.ts';
import { FieldKind } from './field-kind.ts';
import { FIELD_STRIDE, type MessageHead } from './message-head.ts';
import { finishLine, INCOMPLETE, scanFieldLines, ScanRegion } from './field-scanner.ts';
import { scanHostValue } from './host-value.ts';
import { latin1Text } from './latin1.ts';
import { scanRequestLine, scanStatusLine } from './start-line.ts';

/** Limits on a head. */
export interface HeadLimits {
  /** Bytes of a head, including the empty line at its end. */
  readonly headBytes: number;
  /** Bytes of the first line, including its CRLF. */
  readonly startLineBytes: number;
  /** Field lines. */
  readonly fields: number;
}

/**
 * 32 KiB: twice Node's limit, because users of Node proxies run into 16 KiB with large cookies and tokens; it bounds the
 * memory that a slow client can occupy. 16 KiB for the first line: twice the 8000 bytes that RFC 9112 section 3
 * recommends. 200 fields: browsers send 15, chains of proxies and meshes 60; it bounds the table and every loop over it.
 */
export const DEFAULT_HEAD_LIMITS: HeadLimits = { headBytes: 32_768, startLineBytes: 16_384, fields: 200 };

/** Results of a scan, besides the numbers of CodecError. */
export const Scan = {
  /** The head is complete: `head` is filled, and `head.bodyStart` is the offset after it. */
  COMPLETE: -1,
  /** More bytes are needed. */
  INCOMPLETE: 0,
  /** The head is complete, and its field lines equal those of the last head. Only if `last` was given. */
  REPEATED: -2,
} as const;

/** A Scan value or a CodecError. */
export type ScanResult = number;

/** The unchanged bytes of the field lines that a head holds from its last scan, including the empty line. */
export interface LastFields {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * One serves all connections of a worker: between calls it keeps only a view of the last buffer.
 *
 * While a head is incomplete, call again with the same start, more bytes, and the number of bytes that the last call saw
 * (its `end - start`). Each byte is then scanned a bounded number of times on average, however small the pieces are. A
 * fault in an incomplete head is reported at once if it is a stray control byte, CR or LF, a fault of the first line or a
 * limit; others at the latest when the head is complete or has doubled in size.
 */
export class HeadScanner {
  readonly limits: HeadLimits;
  readonly #region = new ScanRegion();

  constructor(limits: HeadLimits = DEFAULT_HEAD_LIMITS) {
    this.limits = limits;
  }

  /**
   * Scans a request's head from `start` on. One empty line before it is ignored (RFC 9112 section 2.2).
   * @param seenBytes number of bytes from `start` that the last, incomplete call on this head got; 0 for the first call
   * @param last field lines of the last complete head in `head`: clients repeat most fields, and equal lines need no scan
   */
  scanRequest(
    head: MessageHead,
    bytes: Buffer,
    start: number,
    end: number,
    seenBytes = 0,
    last: LastFields | null = null,
  ): ScanResult {
    if (seenBytes > 0 && !this.#isWorthScanning(bytes, start, end, seenBytes)) return Scan.INCOMPLETE;
    const region = this.#region;
    if (last === null) head.reset();
    region.set(bytes, start, end);
    let base = start;
    if (start < end && bytes[start] === CR) {
      base = finishLine(region, start);
      if (base < 0) return ~base;
    }
    region.set(bytes, base, Math.min(end, base + this.limits.startLineBytes));
    const next = scanRequestLine(head, region);
    if (next < 0) return this.#isOverlong(next) ? CodecError.TARGET_TOO_LONG : ~next;
    if (last !== null && this.#isRepeated(bytes, base, next, end, last)) {
      moveFields(head, next - base - head.fieldsStart);
      head.bodyStart = next + last.end - last.start;
      head.text = latin1Text(bytes, base, head.bodyStart);
      return Scan.REPEATED;
    }
    if (last !== null) head.resetFields();
    const result = this.#scanFields(head, bytes, next, end);
    return result === Scan.COMPLETE ? checkHost(head, bytes, base) : result;
  }

  /** Scans a response's head. Arguments as in `scanRequest`; no empty line may stand before it. */
  scanResponse(head: MessageHead, bytes: Buffer, start: number, end: number, seenBytes = 0): ScanResult {
    if (seenBytes > 0 && !this.#isWorthScanning(bytes, start, end, seenBytes)) return Scan.INCOMPLETE;
    const region = this.#region;
    head.reset();
    region.set(bytes, start, Math.min(end, start + this.limits.startLineBytes));
    const next = scanStatusLine(head, region);
    if (next < 0) return this.#isOverlong(next) ? CodecError.STATUS_LINE_TOO_LONG : ~next;
    return this.#scanFields(head, bytes, next, end);
  }

  #isRepeated(bytes: Buffer, base: number, next: number, end: number, last: LastFields): boolean {
    const to = next + last.end - last.start;
    if (to > end || to - base > this.limits.headBytes) return false;
    return last.bytes.compare(bytes, next, to, last.start, last.end) === 0;
  }

  #isOverlong(result: number): boolean {
    return result === INCOMPLETE && this.#region.limit - this.#region.base === this.limits.startLineBytes;
  }

  #scanFields(head: MessageHead, bytes: Buffer, from: number, end: number): ScanResult {
    const region = this.#region;
    const { headBytes, fields } = this.limits;
    const base = region.base;
    const limit = Math.min(end, base + headBytes);
    region.set(bytes, base, limit);
    const next = scanFieldLines(head, region, from, fields);
    if (next === INCOMPLETE) return limit - base === headBytes ? CodecError.HEAD_TOO_LARGE : Scan.INCOMPLETE;
    if (next < 0) return ~next;
    head.fieldsStart = from - base;
    head.offsets[head.fieldCount * FIELD_STRIDE] = next - base - 2;
    head.bodyStart = next;
    head.text = latin1Text(bytes, base, next);
    return Scan.COMPLETE;
  }

  /**
   * Whether the bytes after the first `seenBytes` may change the result. Reads these bytes only. Scanning again at every
   * doubling keeps the total linear (against a client that sends a head byte by byte).
   */
  #isWorthScanning(bytes: Buffer, start: number, end: number, seenBytes: number): boolean {
    const size = end - start;
    const { headBytes, startLineBytes } = this.limits;
    if (size <= seenBytes || Math.clz32(size) !== Math.clz32(seenBytes)) return true;
    if (size >= headBytes || (size >= startLineBytes && seenBytes < startLineBytes)) return true;
    for (let at = start + seenBytes; at < end; at += 1) {
      const byte = bytes[at]!;
      const before = bytes[at - 1]!;
      if (byte === LF ? before !== CR || endsHeadOrFirstLine(bytes, start, at) : before === CR) return true;
      if ((CLASS[byte]! & TEXT) === 0 && byte !== CR && byte !== LF) return true;
    }
    return false;
  }
}

/** Whether the LF at `at` ends an empty line or is the first one from `start` on. */
function endsHeadOrFirstLine(bytes: Buffer, start: number, at: number): boolean {
  return bytes[at - 2] === LF || bytes.indexOf(LF, start) === at;
}

/** An HTTP/1.1 request has exactly one valid Host (RFC 9112 section 3.2): routing needs certainty. */
function checkHost(head: MessageHead, bytes: Buffer, base: number): ScanResult {
  const index = head.indexOfKind(FieldKind.HOST);
  if (index < 0) return CodecError.MISSING_HOST;
  if (head.isRepeated(FieldKind.HOST)) return CodecError.REPEATED_HOST;
  head.hostStart = head.valueStart(index);
  head.hostEnd = head.valueEnd(index);
  head.hostNameEnd = scanHostValue(bytes, base + head.hostStart, base + head.hostEnd) - base;
  return head.hostNameEnd < 0 ? CodecError.BAD_HOST : Scan.COMPLETE;
}

/** Shifts all offsets of fields: the same lines follow a first line of another length. */
function moveFields(head: MessageHead, distance: number): void {
  if (distance === 0) return;
  const { offsets } = head;
  const count = head.fieldCount * FIELD_STRIDE + 1;
  for (let at = 0; at < count; at += 1) offsets[at]! += distance;
  head.fieldsStart += distance;
  head.hostStart += distance;
  head.hostNameEnd += distance;
  head.hostEnd += distance;
}
