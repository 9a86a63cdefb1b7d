// Splits the bytes of one endpoint connection into responses, checked by the strict codec: state and step, no I/O.
// Thread: worker.

import type { FailureKind } from '../../core/failure.ts';
import type { FieldList } from '../../core/head.ts';
import { ChunkedDecoder } from '../http1/chunked-decoder.ts';
import { CODEC_ERRORS, CodecError } from '../http1/codec-error.ts';
import { DecodeEvent } from '../http1/decode-event.ts';
import { BodyKind, frameResponse, type Framing } from '../http1/framing.ts';
import { describeResponseFault } from '../http1/head-fault.ts';
import { DEFAULT_HEAD_LIMITS, HeadScanner, Scan } from '../http1/head-scanner.ts';
import { METHOD_NAMES, Method } from '../http1/message-head.ts';
import { HeldBytes } from '../wire/held-bytes.ts';
import { LastHead } from '../wire/last-head.ts';
import { ScannedResponseHead } from '../wire/scanned-response-head.ts';

/** The reader's events. Inside each of them the reader may be shut. */
export interface ResponseSink {
  /** An interim head was read into the reader's `head`. */
  onInterimHead(): void;
  /** The final head was read into the reader's `head`. */
  onFinalHead(): void;
  /** Body bytes, valid during the call. Returns false to hold further ones until `resume`. */
  onBody(bytes: Buffer, start: number, end: number): boolean;
  /** @param hasMore whether bytes follow that belong to no response */
  onComplete(trailers: FieldList | null, hasMore: boolean): void;
  /** The endpoint broke the protocol; the connection is unusable. */
  onFault(kind: FailureKind, reason: string): void;
  /** Bytes came while no response was expected. */
  onExtraBytes(): void;
}

/**
 * Servers send one or two interim responses, some a 102 every few seconds for minutes. More than this keeps us busy
 * while no deadline moves.
 */
export const MAX_INTERIM_RESPONSES = 100;

const State = { IDLE: 0, HEAD: 1, LENGTH: 2, CHUNKED: 3, UNTIL_CLOSE: 4, SHUT: 5 } as const;

const SWITCHING_PROTOCOLS = 101;

const TOO_LARGE: ReadonlySet<number> = new Set([
  CodecError.HEAD_TOO_LARGE,
  CodecError.TOO_MANY_FIELDS,
  CodecError.STATUS_LINE_TOO_LONG,
]);

/** Makes the scanner that all connections of one upstream share. @param headBytes the largest accepted head */
export function responseScanner(headBytes: number): HeadScanner {
  const { startLineBytes, fields } = DEFAULT_HEAD_LIMITS;
  return new HeadScanner({ headBytes, startLineBytes: Math.min(startLineBytes, headBytes), fields });
}

/** The number of a method, by its name. */
export function methodNumber(name: string): number {
  return Math.max(Method.OTHER, METHOD_NAMES.indexOf(name, 1));
}

export class ResponseReader {
  readonly head: ScannedResponseHead = new ScannedResponseHead();
  readonly #scanner: HeadScanner;
  readonly #sink: ResponseSink;
  readonly #held = new HeldBytes();
  readonly #last = new LastHead();
  /** Method of the request that the last head answered: it affects the framing, too. */
  #lastMethod: number = Method.OTHER;
  #state: number = State.IDLE;
  #method: number = Method.GET;
  #interimCount = 0;
  /** Bytes of a body of known length that have not come yet. */
  #remainingBytes = 0;
  #chunked: ChunkedDecoder | null = null;
  #seenBytes = 0;
  #isStopped = false;

  constructor(scanner: HeadScanner, sink: ResponseSink) {
    this.#scanner = scanner;
    this.#sink = sink;
  }

  /** Expects the response to a request that is being sent. @param method of the request, as in MessageHead */
  expect(method: number): void {
    if (this.#state === State.SHUT) return;
    this.#state = State.HEAD;
    this.#method = method;
    this.#interimCount = 0;
  }

  /** Discards everything from now on, without an event. */
  shut(): void {
    this.#state = State.SHUT;
    this.#held.clear();
  }

  get isIdle(): boolean {
    return this.#state === State.IDLE;
  }

  /** Whether the next bytes belong to a body. */
  get isInBody(): boolean {
    return this.#state >= State.LENGTH && this.#state <= State.UNTIL_CLOSE;
  }

  /** Whether the sink has stopped the body. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Reads bytes, which may be overwritten afterwards. */
  feed(bytes: Buffer, start: number, end: number): void {
    if (this.#isStopped) this.#held.addCopy(bytes, start, end);
    else this.#read(bytes, start, end);
  }

  /** Continues a stopped body. */
  resume(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    const { bytes, start, end } = this.#held;
    this.#held.clear();
    if (start < end) this.#read(bytes, start, end);
  }

  /** The endpoint has sent FIN. @returns whether that completes the response (RFC 9112 section 6.3, 8) */
  finish(): boolean {
    if (this.#state !== State.UNTIL_CLOSE || this.#isStopped) return false;
    this.#state = State.SHUT;
    this.#sink.onComplete(null, false);
    return true;
  }

  #read(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.#isStopped) {
        this.#held.addCopy(bytes, at, end);
        return;
      }
      switch (this.#state) {
        case State.HEAD:
          at = this.#readHead(bytes, at, end);
          break;
        case State.LENGTH:
          at = this.#readLength(bytes, at, end);
          break;
        case State.CHUNKED:
          at = this.#readChunks(bytes, at, end);
          break;
        case State.UNTIL_CLOSE:
          this.#pass(bytes, at, end);
          return;
        case State.IDLE:
          this.#sink.onExtraBytes();
          return;
        default:
          return;
      }
    }
  }

  /** @returns the offset to continue at; `end` if more bytes are needed or reading has ended */
  #readHead(bytes: Buffer, at: number, end: number): number {
    if (this.#held.length > 0) return this.#readHeldHead(bytes, at, end);
    const last = this.#last;
    if (this.#method === this.#lastMethod && last.isAt(bytes, at, end)) return this.#enter(at + last.length, end);
    const { message } = this.head;
    const result = this.#scanner.scanResponse(message, bytes, at, end);
    if (result === Scan.COMPLETE) {
      last.keep(bytes, at, message.bodyStart);
      this.#lastMethod = this.#method;
      return this.#takeHead(bytes, at, message.bodyStart, end);
    }
    if (result !== Scan.INCOMPLETE) return this.#headFault(result, bytes, at, end);
    this.#seenBytes = end - at;
    last.forget();
    this.#held.addCopy(bytes, at, end);
    return end;
  }

  /** Joins a head that came in pieces in memory of its own. */
  #readHeldHead(bytes: Buffer, at: number, end: number): number {
    const held = this.#held;
    const { message } = this.head;
    const before = held.length;
    held.addCopy(bytes, at, end);
    const joined = held.bytes;
    const { start } = held;
    const result = this.#scanner.scanResponse(message, joined, start, held.end, this.#seenBytes);
    if (result === Scan.INCOMPLETE) {
      this.#seenBytes = held.length;
      return end;
    }
    if (result !== Scan.COMPLETE) {
      this.#headFault(result, joined, start, held.end);
      return end;
    }
    const used = message.bodyStart - start - before;
    held.clear();
    const fault = this.#frame(joined, start, message.bodyStart);
    return fault ? end : this.#enterFinal(at + used, end);
  }

  /** Handles a scanned head that differs from the last one. */
  #takeHead(bytes: Buffer, start: number, next: number, end: number): number {
    return this.#frame(bytes, start, next) ? end : this.#enterFinal(next, end);
  }

  /** @returns whether the framing is faulty; the fault was reported then */
  #frame(bytes: Buffer, start: number, end: number): boolean {
    const { head } = this;
    head.forget();
    const error = frameResponse(head.message, head.framing, this.#method, false);
    if (error !== 0) this.#headFault(error, bytes, start, end);
    return error !== 0;
  }

  #enterFinal(next: number, end: number): number {
    const { status } = this.head.message;
    return status < 200 && status !== SWITCHING_PROTOCOLS ? this.#takeInterim(next, end) : this.#enter(next, end);
  }

  #enter(next: number, end: number): number {
    const { framing } = this.head;
    this.#enterBody(framing);
    this.#sink.onFinalHead();
    if (framing.body === BodyKind.NONE) this.#complete(null, next < end);
    return next;
  }

  #takeInterim(next: number, end: number): number {
    this.#interimCount += 1;
    if (this.#interimCount > MAX_INTERIM_RESPONSES) {
      this.#fail('malformed-response', 'too many interim responses');
      return end;
    }
    this.#last.forget();
    this.#sink.onInterimHead();
    return next;
  }

  #enterBody(framing: Framing): void {
    switch (framing.body) {
      case BodyKind.LENGTH:
        this.#state = State.LENGTH;
        this.#remainingBytes = framing.lengthBytes;
        break;
      case BodyKind.CHUNKED:
        this.#state = State.CHUNKED;
        this.#chunked ??= new ChunkedDecoder();
        this.#chunked.reset();
        break;
      case BodyKind.UNTIL_CLOSE:
        this.#state = State.UNTIL_CLOSE;
        break;
      default:
        // Without a body: completed right after onFinalHead, unless the sink shuts the reader there.
        this.#state = State.LENGTH;
        this.#remainingBytes = 0;
    }
  }

  #readLength(bytes: Buffer, at: number, end: number): number {
    const next = Math.min(end, at + this.#remainingBytes);
    this.#remainingBytes -= next - at;
    this.#pass(bytes, at, next);
    if (this.#remainingBytes === 0) this.#complete(null, next < end);
    return next;
  }

  #readChunks(bytes: Buffer, at: number, end: number): number {
    const decoder = this.#chunked!;
    const event = decoder.next(bytes, at, end);
    if (event > 0) {
      this.#fail('malformed-response', `${CODEC_ERRORS[event]!.name} in the chunked body`);
      return end;
    }
    const next = decoder.position;
    if (event === DecodeEvent.DATA) this.#pass(bytes, decoder.dataStart, decoder.dataEnd);
    else if (event === DecodeEvent.DONE) this.#complete(decoder.trailers, next < end);
    return next;
  }

  #pass(bytes: Buffer, start: number, end: number): void {
    if (!this.#sink.onBody(bytes, start, end)) this.#isStopped = true;
  }

  #complete(trailers: FieldList | null, hasMore: boolean): void {
    if (this.#state === State.SHUT) return;
    this.#state = State.IDLE;
    this.#isStopped = false;
    this.#sink.onComplete(trailers, hasMore);
  }

  #headFault(error: number, bytes: Buffer, start: number, end: number): number {
    const kind = TOO_LARGE.has(error) ? 'head-too-large' : 'malformed-response';
    this.#fail(kind, describeResponseFault(error, this.head.message, bytes, start, end));
    return end;
  }

  #fail(kind: FailureKind, reason: string): void {
    this.shut();
    this.#sink.onFault(kind, reason);
  }
}
