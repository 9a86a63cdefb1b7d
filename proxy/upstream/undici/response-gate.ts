// Reads an endpoint's bytes before undici does: checks heads and body framing by our own strict codec, takes interim
// responses out, and knows where a response ends. State and step, no I/O. Thread: worker.
//
// Why: undici ends the connection at a 100, reads reason phrases as UTF-8, doesn't say which version was spoken, takes
// a reset for the end of a close-delimited body, and would read bytes behind a response as the next one.

import type { FailureKind } from '../../../core/failure.ts';
import type { FieldList } from '../../../core/head.ts';
import { ChunkedDecoder } from '../../http1/chunked-decoder.ts';
import { CODEC_ERRORS, CodecError } from '../../http1/codec-error.ts';
import { DecodeEvent } from '../../http1/decode-event.ts';
import { LAST_CHUNK } from '../../http1/encoder.ts';
import { BodyKind, frameResponse, Framing } from '../../http1/framing.ts';
import { DEFAULT_HEAD_LIMITS, HeadScanner, Scan } from '../../http1/head-scanner.ts';
import { LengthDecoder } from '../../http1/length-decoder.ts';
import { METHOD_NAMES, Method, MessageHead } from '../../http1/message-head.ts';
import { EndpointResponseHead, plainHeadOf } from './endpoint-response-head.ts';

/** What the gate tells. Each call may end the gate by `shut`. */
export interface GateSink {
  onInterim(head: EndpointResponseHead): void;
  /** @param plain the head to hand on, as text */
  onFinalHead(head: EndpointResponseHead, plain: string): void;
  /** Body bytes with their framing, checked, to hand on. */
  onBody(bytes: Buffer): void;
  /** The response is complete. */
  onComplete(trailers: FieldList | null): void;
  /** The endpoint said what it must not; the connection is unusable. */
  onFault(kind: FailureKind, reason: string): void;
  /** Bytes came that belong to no response. */
  onExtraBytes(): void;
}

/**
 * Servers send one or two interim responses, some a 102 every few seconds for minutes. More than this is a way to
 * keep us busy while no deadline moves.
 */
export const MAX_INTERIM_RESPONSES = 100;

const GateState = { IDLE: 0, HEAD: 1, BODY: 2, UNTIL_CLOSE: 3, SHUT: 4 } as const;
type GateState = (typeof GateState)[keyof typeof GateState];

const FIRST_HELD_BYTES = 1024;
const LAST_CHUNK_BYTES = Buffer.from(LAST_CHUNK, 'latin1');
const SWITCHING_PROTOCOLS = 101;

/** Makes the scanner that all gates of one upstream share. @param headBytes the largest response head accepted */
export function responseScanner(headBytes: number): HeadScanner {
  const { startLineBytes, fields } = DEFAULT_HEAD_LIMITS;
  return new HeadScanner({ headBytes, startLineBytes: Math.min(startLineBytes, headBytes), fields });
}

/** The number of a method by its name. */
export function methodNumber(name: string): number {
  return Math.max(Method.OTHER, METHOD_NAMES.indexOf(name, 1));
}

export class ResponseGate {
  readonly #scanner: HeadScanner;
  readonly #sink: GateSink;
  readonly #head = new MessageHead();
  readonly #framing = new Framing();
  readonly #length = new LengthDecoder();
  readonly #chunked = new ChunkedDecoder();
  #state: GateState = GateState.IDLE;
  #method: number = Method.GET;
  #interimCount = 0;
  /** The beginning of a head that came in pieces. */
  #held: Buffer | null = null;
  #heldBytes = 0;

  constructor(scanner: HeadScanner, sink: GateSink) {
    this.#scanner = scanner;
    this.#sink = sink;
  }

  /** A request is being sent: its response is expected now. @param method of the request, as methodNumber says */
  begin(method: number): void {
    if (this.#state === GateState.SHUT) return;
    this.#state = GateState.HEAD;
    this.#method = method;
    this.#interimCount = 0;
    this.#heldBytes = 0;
  }

  /** Lets nothing through any more. */
  shut(): void {
    this.#state = GateState.SHUT;
    this.#held = null;
  }

  /** Whether no response is expected or under way. */
  get isIdle(): boolean {
    return this.#state === GateState.IDLE;
  }

  /** Whether the end of the connection is the end of the response (RFC 9112 section 6.3, 8). */
  get endsWithConnection(): boolean {
    return this.#state === GateState.UNTIL_CLOSE;
  }

  /** Takes the next bytes of the endpoint; they must not change afterwards. */
  feed(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#state !== GateState.SHUT) {
      at = this.#step(bytes, at);
    }
  }

  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case GateState.HEAD:
        return this.#heldBytes > 0 ? this.#readHeldHead(bytes, at) : this.#readHead(bytes, at, bytes.length);
      case GateState.BODY:
        return this.#readBody(bytes, at);
      case GateState.UNTIL_CLOSE:
        this.#sink.onBody(bytes.subarray(at));
        return bytes.length;
      default:
        this.#sink.onExtraBytes();
        return bytes.length;
    }
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    const result = this.#scanner.scanResponse(this.#head, bytes, start, end);
    if (result === Scan.INCOMPLETE) {
      this.#hold(bytes, start);
      return end;
    }
    if (result !== Scan.COMPLETE) return this.#fault(result, end);
    return this.#takeHead(this.#head.bodyStart, end);
  }

  /** Joins the bytes held with as many new ones as may belong to the head. @returns where in `bytes` to go on */
  #readHeldHead(bytes: Buffer, at: number): number {
    const before = this.#heldBytes;
    this.#hold(bytes, at);
    const held = this.#held!;
    const result = this.#scanner.scanResponse(this.#head, held, 0, this.#heldBytes, before);
    if (result === Scan.INCOMPLETE) return bytes.length;
    this.#heldBytes = 0;
    if (result !== Scan.COMPLETE) return this.#fault(result, bytes.length);
    return this.#takeHead(at + this.#head.bodyStart - before, bytes.length);
  }

  /** Copies: what is held must stay when `bytes` is gone, and grows by doubling so that dribbled heads stay linear. */
  #hold(bytes: Buffer, start: number): void {
    const needed = this.#heldBytes + bytes.length - start;
    if (this.#held === null || this.#held.length < needed) {
      const larger = Buffer.allocUnsafe(Math.max(FIRST_HELD_BYTES, 2 ** Math.ceil(Math.log2(needed))));
      this.#held?.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    bytes.copy(this.#held, this.#heldBytes, start);
    this.#heldBytes = needed;
  }

  /** @returns where to go on: `next`, or `end` where the response can't be read on */
  #takeHead(next: number, end: number): number {
    const head = this.#head;
    const framing = this.#framing;
    const error = frameResponse(head, framing, this.#method, false);
    if (error !== 0) return this.#fault(error, end);
    if (head.status < 200 && head.status !== SWITCHING_PROTOCOLS) return this.#takeInterim(next, end);
    const taken = new EndpointResponseHead(head, framing);
    this.#enterBody();
    this.#sink.onFinalHead(taken, plainHeadOf(head, framing));
    if (framing.body === BodyKind.NONE) this.#complete(null);
    return next;
  }

  #takeInterim(next: number, end: number): number {
    this.#interimCount += 1;
    if (this.#interimCount > MAX_INTERIM_RESPONSES) {
      this.#fail('malformed-response', 'too many interim responses');
      return end;
    }
    this.#sink.onInterim(new EndpointResponseHead(this.#head, this.#framing));
    return next;
  }

  #enterBody(): void {
    const { body, lengthBytes } = this.#framing;
    this.#state = body === BodyKind.UNTIL_CLOSE ? GateState.UNTIL_CLOSE : GateState.BODY;
    if (body === BodyKind.CHUNKED) this.#chunked.reset();
    else this.#length.reset(lengthBytes);
  }

  #readBody(bytes: Buffer, start: number): number {
    return this.#framing.body === BodyKind.CHUNKED ? this.#readChunks(bytes, start) : this.#readLength(bytes, start);
  }

  #readLength(bytes: Buffer, start: number): number {
    this.#length.next(bytes, start, bytes.length);
    const end = this.#length.position;
    this.#sink.onBody(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    if (this.#length.remainingBytes === 0) this.#complete(null);
    return end;
  }

  /** Hands chunks on with their framing, but without extensions and trailers: undici has no use for them. */
  #readChunks(bytes: Buffer, start: number): number {
    const decoder = this.#chunked;
    let at = start;
    for (;;) {
      const event = decoder.nextRun(bytes, at, bytes.length);
      if (event > 0) return this.#fault(event, bytes.length);
      at = decoder.position;
      if (event === DecodeEvent.NEED_MORE) return at;
      if (event === DecodeEvent.DONE) break;
      if (decoder.prefix !== '') this.#sink.onBody(Buffer.from(decoder.prefix, 'latin1'));
      if (decoder.dataEnd > decoder.dataStart) this.#sink.onBody(bytes.subarray(decoder.dataStart, decoder.dataEnd));
      if (this.#state === GateState.SHUT) return bytes.length;
    }
    if (!decoder.isTerminated) this.#sink.onBody(LAST_CHUNK_BYTES);
    this.#complete(decoder.trailers);
    return at;
  }

  #complete(trailers: FieldList | null): void {
    if (this.#state === GateState.SHUT) return;
    this.#state = GateState.IDLE;
    this.#held = null;
    this.#sink.onComplete(trailers);
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
