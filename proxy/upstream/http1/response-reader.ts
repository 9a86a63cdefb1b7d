// Cuts the bytes of one endpoint connection into responses, held to the strict codec: state and step, no I/O.
// Thread: worker.

import type { FailureKind } from '../../../core/failure.ts';
import type { FieldList } from '../../../core/head.ts';
import { ChunkedDecoder } from '../../http1/chunked-decoder.ts';
import { CODEC_ERRORS, CodecError } from '../../http1/codec-error.ts';
import { DecodeEvent } from '../../http1/decode-event.ts';
import { BodyKind, frameResponse, type Framing } from '../../http1/framing.ts';
import { type HeadScanner, Scan } from '../../http1/head-scanner.ts';
import { Method } from '../../http1/message-head.ts';
import { MAX_INTERIM_RESPONSES } from '../undici/response-gate.ts';
import { ScannedResponseHead } from '../../wire/scanned-response-head.ts';
import { HeldBytes } from '../../wire/held-bytes.ts';
import { LastHead } from '../../wire/last-head.ts';

/** What the reader tells. Inside each call it may be shut, or its response given up. */
export interface ResponseSink {
  /** An interim head was read into the reader's `head`. */
  onInterimHead(): void;
  /** The final head was read into the reader's `head`. */
  onFinalHead(): void;
  /** Body bytes, which may be overwritten after the call. Returns false when no more is to come until `resume`. */
  onBody(bytes: Buffer, start: number, end: number): boolean;
  /** @param hasMore whether bytes came behind the response, to which they can't belong */
  onComplete(trailers: FieldList | null, hasMore: boolean): void;
  /** The endpoint said what it must not; the connection is unusable. */
  onFault(kind: FailureKind, reason: string): void;
  /** Bytes came while no response was expected. */
  onExtraBytes(): void;
}

const State = { IDLE: 0, HEAD: 1, LENGTH: 2, CHUNKED: 3, UNTIL_CLOSE: 4, SHUT: 5 } as const;

const SWITCHING_PROTOCOLS = 101;

export class ResponseReader {
  readonly head: ScannedResponseHead = new ScannedResponseHead();
  readonly #scanner: HeadScanner;
  readonly #sink: ResponseSink;
  readonly #held = new HeldBytes();
  readonly #last = new LastHead();
  /** Of the request that the last head answered: it frames the response, too. */
  #lastMethod: number = Method.OTHER;
  #state: number = State.IDLE;
  #method: number = Method.GET;
  #interimCount = 0;
  /** Bytes of a body of known length that are still to come. */
  #remainingBytes = 0;
  #chunked: ChunkedDecoder | null = null;
  #seenBytes = 0;
  #isStopped = false;

  constructor(scanner: HeadScanner, sink: ResponseSink) {
    this.#scanner = scanner;
    this.#sink = sink;
  }

  /** A request is being sent: its response is expected. @param method of the request, as in MessageHead */
  expect(method: number): void {
    if (this.#state === State.SHUT) return;
    this.#state = State.HEAD;
    this.#method = method;
    this.#interimCount = 0;
  }

  /** Lets nothing through any more. */
  shut(): void {
    this.#state = State.SHUT;
    this.#held.clear();
  }

  get isIdle(): boolean {
    return this.#state === State.IDLE;
  }

  /** Whether a body is under way: what comes next is more of it. */
  get isInBody(): boolean {
    return this.#state >= State.LENGTH && this.#state <= State.UNTIL_CLOSE;
  }

  /** Whether bytes wait for `resume`. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Takes bytes that may be overwritten afterwards. */
  feed(bytes: Buffer, start: number, end: number): void {
    if (this.#isStopped) this.#held.addCopy(bytes, start, end);
    else this.#read(bytes, start, end);
  }

  /** The sink takes body bytes again. */
  resume(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    const { bytes, start, end } = this.#held;
    this.#held.clear();
    if (start < end) this.#read(bytes, start, end);
  }

  /** The connection has ended behind the last byte. Returns whether that is the end of the response (RFC 9112 6.3, 8). */
  finish(): boolean {
    if (this.#state !== State.UNTIL_CLOSE || this.#isStopped) return false;
    this.#state = State.SHUT;
    this.#sink.onComplete(null, false);
    return true;
  }

  /** Whether the end of the connection will be the end of the response, once all that is held was taken. */
  get endsWithConnection(): boolean {
    return this.#state === State.UNTIL_CLOSE;
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

  /** @returns where to go on; `end` where more is needed or nothing can be read any more */
  #readHead(bytes: Buffer, at: number, end: number): number {
    if (this.#held.length > 0) return this.#readHeldHead(bytes, at, end);
    const last = this.#last;
    if (this.#method === this.#lastMethod && last.isAt(bytes, at, end)) return this.#enter(at + last.length, end);
    const { message } = this.head;
    const result = this.#scanner.scanResponse(message, bytes, at, end);
    if (result === Scan.COMPLETE) {
      last.keep(bytes, at, message.bodyStart);
      this.#lastMethod = this.#method;
      return this.#takeHead(message.bodyStart, end);
    }
    if (result !== Scan.INCOMPLETE) return this.#fault(result, end);
    this.#seenBytes = end - at;
    last.forget();
    this.#held.addCopy(bytes, at, end);
    return end;
  }

  /** A head that came in pieces is put together in memory of its own. */
  #readHeldHead(bytes: Buffer, at: number, end: number): number {
    const held = this.#held;
    const { message } = this.head;
    const before = held.length;
    held.addCopy(bytes, at, end);
    const result = this.#scanner.scanResponse(message, held.bytes, held.start, held.end, this.#seenBytes);
    if (result === Scan.INCOMPLETE) {
      this.#seenBytes = held.length;
      return end;
    }
    if (result !== Scan.COMPLETE) return this.#fault(result, end);
    const used = message.bodyStart - held.start - before;
    held.clear();
    return this.#takeHead(at + used, end);
  }

  /** Another head than the last one was scanned. */
  #takeHead(next: number, end: number): number {
    const { head } = this;
    head.forget();
    const error = frameResponse(head.message, head.framing, this.#method, false);
    if (error !== 0) return this.#fault(error, end);
    const { status } = head.message;
    if (status < 200 && status !== SWITCHING_PROTOCOLS) return this.#takeInterim(next, end);
    return this.#enter(next, end);
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
        // No body: complete at once, unless the sink gives the response up before.
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
    if (event > 0) return this.#fault(event, end);
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

  #fault(error: number, end: number): number {
    const isTooLarge =
      error === CodecError.HEAD_TOO_LARGE ||
      error === CodecError.TOO_MANY_FIELDS ||
      error === CodecError.STATUS_LINE_TOO_LONG;
    this.#fail(isTooLarge ? 'head-too-large' : 'malformed-response', CODEC_ERRORS[error]!.name);
    return end;
  }

  #fail(kind: FailureKind, reason: string): void {
    this.shut();
    this.#sink.onFault(kind, reason);
  }
}
