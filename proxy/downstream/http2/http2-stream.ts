// One HTTP/2 stream as the client side of an exchange; reused for other streams of its connection. Behaves as
// NodeHttp2ClientSide does. Thread: worker.

import type {
  ClientConnection,
  ClientEvents,
  ClientGone,
  ClientSide,
  LocalReply,
} from '../../../core/exchange-contract.ts';
import { type FieldList, type ResponseHead, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { Method } from '../../http1/message-head.ts';
import { ErrorCode } from '../../http2/error-code.ts';
import { type KnownParts, ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import { Added } from '../added.ts';
import { NO_EXCHANGE } from '../downstream-context.ts';
import type { Http2Context } from './http2-context.ts';
import type { Http2Output } from './http2-output.ts';
import { Http2RequestBody } from './http2-request-body.ts';
import { Http2Response, type ResponseOwner } from './http2-response.ts';
import type { ReceiveBudget } from './receive-budget.ts';
import { beginUpgrade } from './stream-socket.ts';

/** The connection, as its streams use it. */
export interface Http2Host {
  readonly facts: ClientConnection;
  readonly output: Http2Output;
  readonly budget: ReceiveBudget;
  /** Adds HEADERS of a response. */
  addHead(stream: number, head: ResponseHead, extra: FieldList): void;
  /** Adds trailers. @returns false where none of them may be sent */
  addTrailers(stream: number, trailers: FieldList): boolean;
  /** Adds RST_STREAM. */
  addReset(stream: number, code: ErrorCode): void;
  /** Returns credit for received bytes. */
  addCredit(stream: number, creditBytes: number): void;
  /** DATA of so many bytes has been added. */
  dataAdded(sizeBytes: number): void;
  /** No frame of the stream follows. */
  streamClosed(stream: Http2Stream): void;
  /** The exchange has ended, and nothing refers to the stream any more. */
  streamReusable(stream: Http2Stream): void;
}

/** The request that a header block holds. */
export interface RequestParts extends KnownParts {
  /** Of an extended CONNECT, or ''. */
  readonly protocol: string;
}

export class Http2Stream implements ClientSide, ResponseOwner {
  readonly connection: ClientConnection;
  readonly output: Http2Output;
  readonly isSilentAfterFlush = true;
  readonly head: ScannedRequestHead = new ScannedRequestHead();
  readonly body: Http2RequestBody;
  readonly response: Http2Response;
  id = 0;
  /** Monotonic ms. */
  beganMs = 0;
  /** END_STREAM was added, or RST_STREAM was sent or received: no frame may follow. */
  isClosed = true;
  readonly #host: Http2Host;
  readonly #context: Http2Context;
  #events: ClientEvents = NO_EXCHANGE;
  /** The exchange gets no event any more, and sends nothing. */
  #isOver = true;
  /** The client's body failed, which was reported. */
  #isBroken = false;
  #wasContinued = false;

  constructor(host: Http2Host, context: Http2Context) {
    this.#host = host;
    this.#context = context;
    this.connection = host.facts;
    this.output = host.output;
    this.body = new Http2RequestBody(host.budget);
    this.response = new Http2Response(this, context.frames);
    this.head.version = '2.0';
  }

  /**
   * Begins a request, whose head has been read into `head`.
   * @param windowBytes the client's initial window
   * @param request parts of the head
   */
  begin(id: number, isComplete: boolean, windowBytes: number, request: RequestParts): void {
    const { head } = this;
    const { protocol } = request;
    head.beginOf(request);
    this.#reset(id);
    this.response.begin(id, windowBytes, head.message.method === Method.HEAD);
    const { starter } = this.#context;
    const { beganMs } = this;
    this.body.begin(head.framing.declaredBytes, head.bodyLength !== 0 || protocol !== '', isComplete, beganMs);
    this.#events =
      protocol === '' ? starter.begin(this, head, null, beganMs) : beginUpgrade(starter, this, head, protocol, beganMs);
  }

  /** Answers a request whose head was refused. */
  refuse(id: number, isComplete: boolean, windowBytes: number, reply: LocalReply): void {
    this.#reset(id);
    this.response.begin(id, windowBytes, false);
    this.body.begin(UNKNOWN_LENGTH, false, isComplete, this.beganMs);
    this.sendLocalReply(reply);
  }

  #reset(id: number): void {
    this.id = id;
    this.beganMs = this.#context.turn.nowMs();
    this.isClosed = false;
    this.#isOver = false;
    this.#isBroken = false;
    this.#wasContinued = false;
  }

  // ---- ClientSide

  sendInterim(head: ResponseHead): void {
    if (this.#cannotSend || this.response.isHeadSent || head.status === 101) return;
    if (head.status === 100) {
      if (!this.head.expectsContinue || this.#wasContinued || this.body.hasBegun) return;
      this.#wasContinued = true;
    }
    this.addHead(head, []);
  }

  sendHead(head: ResponseHead, extra: FieldList): void {
    if (!this.#cannotSend && !this.response.isHeadSent) this.response.addHead(head, extra);
  }

  sendData(chunk: Uint8Array): boolean {
    if (this.#cannotSend) return true;
    const added = this.response.addData(chunk);
    if (added === Added.OVERRUN) this.abort();
    return added !== Added.FULL;
  }

  sendEnd(trailers: FieldList | null): void {
    if (this.#cannotSend || this.response.isEnded) return;
    this.body.discard();
    if (!this.response.addEnd(trailers)) this.abort();
  }

  sendLocalReply(reply: LocalReply): void {
    if (this.#cannotSend || this.response.isEnded) return;
    if (this.response.isHeadSent) {
      this.abort();
      return;
    }
    this.body.discard();
    // `mustClose` is for framing that can't be trusted any more; here the end of a stream is certain.
    this.response.addLocalReply(reply);
  }

  cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#closeBy(ErrorCode.INTERNAL_ERROR);
  }

  resumeBody(): void {
    if (this.#cannotSend || this.response.isEnded || !this.body.isOpen) return;
    this.consumed(this.body.resume(this.#events));
  }

  pauseBody(): void {
    this.body.pause();
  }

  get #cannotSend(): boolean {
    return this.#isOver || this.isClosed;
  }

  // ---- frames of the client

  /** Part of the body has been received. @returns false where the body is longer than declared */
  received(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.body.count(end - start)) return false;
    this.consumed(this.body.add(bytes, start, end, this.#events));
    return true;
  }

  /** Returns credit for bytes that have been taken or dropped; padding counts, too. */
  consumed(sizeBytes: number): void {
    if (this.isClosed || this.body.isComplete || sizeBytes === 0) return;
    const credit = this.body.window.consume(sizeBytes, this.#context.turn.nowMs());
    if (credit > 0) this.#host.addCredit(this.id, credit);
  }

  /** The client has ended its side. @returns false where the body is shorter than declared */
  complete(trailers: FieldList | null): boolean {
    return this.body.complete(trailers, this.#events);
  }

  /** A malformed message, or a fault of flow control: the stream is reset, and the exchange ends (RFC 9113 section 8.1.1). */
  fail(code: ErrorCode): void {
    if (this.isClosed) return;
    this.#closeBy(code);
    this.#bodyFailed('malformed-body');
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onResponseFlushed();
  }

  /** RST_STREAM of the client, or the end of its connection. */
  lost(): void {
    this.isClosed = true;
    this.#release();
    if (this.#isOver) return;
    this.#isOver = true;
    // A broken request was reported once already: its end is all that is left to report.
    if (this.#isBroken) this.#events.onResponseFlushed();
    else this.#events.onClientGone('closed');
  }

  // ---- timeouts, compared by the sweep of the connection

  /** Whether bytes of the body are due. A tunnel has a timeout of its own, and no body. */
  get isAwaitingBody(): boolean {
    return this.head.bodyLength !== 0 && this.body.isFlowing && !this.response.isEnded && !this.body.isComplete;
  }

  bodyTimedOut(): void {
    this.#bodyFailed('body-timeout');
  }

  /** The client has read nothing, or too little, for the whole send timeout. */
  sendTimedOut(): void {
    this.#end('send-timeout');
  }

  /** The response can't be completed as begun: resets the stream and ends the exchange. */
  abort(): void {
    this.#end('closed');
  }

  #end(why: ClientGone): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#closeBy(ErrorCode.INTERNAL_ERROR);
    this.#events.onClientGone(why);
  }

  // ---- ResponseOwner

  addHead(head: ResponseHead, extra: FieldList): void {
    this.#host.addHead(this.id, head, extra);
  }

  addTrailers(trailers: FieldList): boolean {
    return this.#host.addTrailers(this.id, trailers);
  }

  dataAdded(sizeBytes: number): void {
    this.#host.dataAdded(sizeBytes);
  }

  responseDrained(): void {
    this.#events.onClientDrain();
  }

  /** A client that is still sending its body is stopped by NO_ERROR (RFC 9113 section 8.1). */
  responseEnded(): void {
    if (!this.body.isComplete) this.#host.addReset(this.id, ErrorCode.NO_ERROR);
    this.isClosed = true;
    this.#release();
    this.#host.streamClosed(this);
  }

  responseFlushed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onResponseFlushed();
    this.#events = NO_EXCHANGE;
    this.#host.streamReusable(this);
  }

  // ---- the end

  #closeBy(code: ErrorCode): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#release();
    this.#host.addReset(this.id, code);
    this.#host.streamClosed(this);
  }

  #release(): void {
    this.response.drop();
    this.body.release();
  }

  #bodyFailed(why: ClientGone): void {
    if (this.#isOver || this.#isBroken) return;
    this.#isBroken = true;
    this.body.discard();
    if (!this.response.isEnded) this.#events.onClientGone(why);
  }
}
