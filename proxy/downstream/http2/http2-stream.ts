// One HTTP/2 stream as the client side of an exchange; reused for other streams of its connection. Behaves as
// NodeHttp2ClientSide does. Thread: worker.

import type { ClientConnection, LocalReply } from '../../../core/exchange-contract.ts';
import { type FieldList, type ResponseHead, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { Method } from '../../http1/message-head.ts';
import type { ErrorCode } from '../../http2/error-code.ts';
import { type KnownParts, ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import { Added } from '../added.ts';
import type { Http2Context } from './http2-context.ts';
import type { Http2Output } from './http2-output.ts';
import { Http2RequestBody } from './http2-request-body.ts';
import { Http2Response, type ResponseOwner } from './http2-response.ts';
import type { ReceiveBudget } from './receive-budget.ts';
import { type EndingStream, StreamEnding } from './stream-ending.ts';
import { beginUpgrade, type TunnelSide } from './stream-socket.ts';

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

export class Http2Stream implements TunnelSide, ResponseOwner, EndingStream {
  readonly connection: ClientConnection;
  readonly output: Http2Output;
  readonly isSilentAfterFlush = true;
  readonly head: ScannedRequestHead = new ScannedRequestHead();
  readonly body: Http2RequestBody;
  readonly response: Http2Response;
  readonly ending: StreamEnding;
  id = 0;
  /** Monotonic ms. */
  beganMs = 0;
  readonly #host: Http2Host;
  readonly #context: Http2Context;
  #wasContinued = false;

  constructor(host: Http2Host, context: Http2Context) {
    this.#host = host;
    this.#context = context;
    this.connection = host.facts;
    this.output = host.output;
    this.body = new Http2RequestBody(host.budget);
    this.response = new Http2Response(this, context.frames);
    this.ending = new StreamEnding(this);
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
    this.ending.events =
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
    this.ending.begin();
    this.#wasContinued = false;
  }

  // ---- ClientSide

  sendInterim(head: ResponseHead): void {
    if (this.#cannotSend || this.response.isHeadSent || head.status === 101) return;
    if (head.status === 100) {
      if (this.#wasContinued) return;
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
    if (!this.ending.keepsBody) this.body.discard();
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
    this.ending.cut();
  }

  resumeBody(): void {
    const { events, keepsBody } = this.ending;
    if (this.#cannotSend || (this.response.isEnded && !keepsBody) || !this.body.isOpen) return;
    this.consumed(this.body.resume(events));
    this.ending.bodyTaken();
  }

  pauseBody(): void {
    this.body.pause();
  }

  keepBody(): void {
    this.ending.isBodyKept = true;
  }

  /** Of an upload, or of a tunnel. */
  releaseBody(): void {
    this.ending.releaseBody();
  }

  openTunnel(): void {
    this.ending.isTunnel = true;
  }

  get #cannotSend(): boolean {
    return this.ending.isOver || this.ending.isClosed;
  }

  // ---- frames of the client

  /** Part of the body has been received. @returns false where the body is longer than declared */
  received(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.body.count(end - start)) return false;
    this.consumed(this.body.add(bytes, start, end, this.ending.events));
    return true;
  }

  /** Returns credit for bytes that have been taken or dropped; padding counts, too. */
  consumed(sizeBytes: number): void {
    if (this.ending.isClosed || this.body.isComplete || sizeBytes === 0) return;
    const credit = this.body.window.consume(sizeBytes, this.#context.turn.nowMs());
    if (credit > 0) this.#host.addCredit(this.id, credit);
  }

  /** The client has ended its side. @returns false where the body is shorter than declared */
  complete(trailers: FieldList | null): boolean {
    const hasDeclaredLength = this.body.complete(trailers, this.ending.events);
    this.ending.bodyTaken();
    return hasDeclaredLength;
  }

  // ---- timeouts, compared by the sweep of the connection

  /** Whether bytes of the body are due. A tunnel has a timeout of its own, and no body. */
  get isAwaitingBody(): boolean {
    const isWanted = !this.response.isEnded || this.ending.keepsBody;
    return this.head.bodyLength !== 0 && this.body.isFlowing && isWanted && !this.body.isComplete;
  }

  bodyTimedOut(): void {
    this.ending.bodyFailed('body-timeout');
  }

  /** The client has read nothing, or too little, for the whole send timeout. */
  sendTimedOut(): void {
    this.ending.abort('send-timeout');
  }

  /** The response can't be completed as begun: resets the stream and ends the exchange. */
  abort(): void {
    this.ending.abort('closed');
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
    this.ending.events.onClientDrain();
  }

  responseEnded(): void {
    this.ending.responseEnded();
  }

  responseFlushed(): void {
    this.ending.responseFlushed();
  }

  lost(): void {
    this.ending.lost();
  }

  // ---- EndingStream

  addReset(code: ErrorCode): void {
    this.#host.addReset(this.id, code);
  }

  frameless(): void {
    this.#host.streamClosed(this);
  }

  reusable(): void {
    this.#host.streamReusable(this);
  }
}
