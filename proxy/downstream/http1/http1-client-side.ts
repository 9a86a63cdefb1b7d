// Client side of the exchanges on one connection of the HTTP/1.1 engine, one after the other: their state, and the events
// that the exchange receives. Behaves as NodeHttp1ClientSide does. Thread: worker.

import type {
  ClientConnection,
  ClientEvents,
  ClientGone,
  ClientSide,
  LocalReply,
} from '../../../core/exchange-contract.ts';
import type { FieldList, ResponseHead } from '../../../core/head.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { CONNECTION_CLOSE, type FieldLines } from '../../http1/field-line.ts';
import { Method } from '../../http1/message-head.ts';
import type { HeldBytes } from '../../wire/held-bytes.ts';
import type { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import { Added } from '../added.ts';
import { NO_EXCHANGE } from '../downstream-context.ts';
import type { Http1Context } from './http1-context.ts';
import { type BodyStep, Http1RequestBody } from './http1-request-body.ts';
import { type ResponseOwner, ResponseWriter } from './response-writer.ts';

/** The connection, as its client side uses it. */
export interface Http1Host {
  readonly client: ClientSocket;
  readonly listener: ListenerSnapshot;
  /** Fields of a response after which the connection stays open. */
  readonly keepAliveLines: FieldLines;
  /** Whether another response may follow this one. */
  mayPersist(): boolean;
  /** The response has been handed to the kernel. */
  responseFlushed(): void;
  /** The exchange takes body bytes again: process those that are held. */
  bodyResumed(): void;
}

export class Http1ClientSide implements ClientSide, ResponseOwner {
  readonly connection: ClientConnection;
  readonly isSilentAfterFlush = true;
  readonly body: Http1RequestBody = new Http1RequestBody();
  readonly #host: Http1Host;
  readonly #context: Http1Context;
  readonly #response: ResponseWriter;
  #events: ClientEvents = NO_EXCHANGE;
  #head: ScannedRequestHead | null = null;
  /** The response is flushed or cut, or the client is gone: nothing is sent and no event is emitted any more. */
  #isOver = true;
  /** The client sent a malformed or stalled body; the connection ends after the response. */
  #isBroken = false;
  #willClose = false;
  /** The request body goes on after the end of the response. */
  #keepsBody = false;
  /** Whether the response was flushed while the body was kept. */
  #isFlushed = false;
  #wasContinued = false;
  /** Monotonic ms at which the request's first byte was received. */
  #receivedMs = 0;

  constructor(host: Http1Host, context: Http1Context) {
    this.#host = host;
    this.#context = context;
    this.connection = host.client.facts;
    this.#response = new ResponseWriter(this, context, host.client, host.listener.timeouts.sendIdleMs);
  }

  /** Whether the connection must end after the response. */
  get willClose(): boolean {
    return this.#willClose;
  }

  /** Whether the whole response has been handed over for sending. */
  get isEnded(): boolean {
    return this.#response.isEnded;
  }

  /** Whether an exchange is in progress. */
  get isBusy(): boolean {
    return !this.#isOver;
  }

  /** Begins an exchange. */
  begin(head: ScannedRequestHead, receivedMs: number): void {
    this.#head = head;
    this.body.begin(head.framing);
    this.#response.begin(head.message.method === Method.HEAD, head.version !== '1.0');
    this.#isOver = false;
    this.#isBroken = false;
    this.#willClose = false;
    this.#keepsBody = false;
    this.#isFlushed = false;
    this.#wasContinued = false;
    this.#receivedMs = receivedMs;
    this.#events = this.#context.starter.begin(this, head, null, receivedMs);
  }

  // ---- ClientSide

  sendInterim(head: ResponseHead): void {
    // HTTP/1.0 has no interim responses (RFC 9110 section 15.2).
    if (this.#isOver || this.#response.isHeadSent || this.#head!.version === '1.0') return;
    // 101 belongs to a tunnel.
    if (head.status > 101) this.#response.addInterim(head);
    else if (head.status === 100 && !this.#wasContinued) {
      this.#wasContinued = true;
      this.#response.addContinue();
    }
  }

  sendHead(head: ResponseHead, extra: FieldList): void {
    if (this.#isOver || this.#response.isHeadSent) return;
    this.#response.addHead(head, extra, this.#persistenceLines(head.status));
  }

  sendData(chunk: Uint8Array): boolean {
    if (this.#isOver) return true;
    const added = this.#response.addData(chunk);
    if (added === Added.OVERRUN) this.#fail();
    return added !== Added.FULL;
  }

  sendEnd(trailers: FieldList | null): void {
    if (this.#isOver || this.isEnded) return;
    // Before the end is added: outside a turn it is flushed at once.
    if (!this.#keepsBody) this.body.discard();
    if (!this.#response.addEnd(this.#head!.framing.acceptsTrailers ? trailers : null)) this.#fail();
  }

  sendLocalReply(reply: LocalReply): void {
    if (this.#isOver || this.isEnded) return;
    if (this.#response.isHeadSent) {
      this.#fail();
      return;
    }
    if (reply.mustClose) this.#willClose = true;
    const persistence = this.#persistenceLines(reply.status);
    this.body.discard();
    this.#response.addLocalReply(reply, persistence);
  }

  cut(): void {
    if (!this.#isOver) this.#reset();
  }

  keepBody(): void {
    this.#keepsBody = true;
  }

  releaseBody(): void {
    this.#keepsBody = false;
    this.body.discard();
    if (this.#isFlushed && !this.#isOver) this.responseFlushed();
  }

  resumeBody(): void {
    if (this.#isOver || (this.isEnded && !this.#keepsBody) || !this.body.isOpen) return;
    this.body.resume();
    this.#host.bodyResumed();
  }

  pauseBody(): void {
    this.body.pause();
  }

  // ---- events of the connection

  /** Consumes bytes of the request body. */
  readBody(input: HeldBytes): BodyStep {
    return this.body.step(input, this.#events);
  }

  /** Subscribes to the socket's write events. */
  attach(): void {
    this.#host.client.stream.on('drain', this.#onDrain).on('timeout', this.#onTimeout);
  }

  /** Unsubscribes: the connection is handed off. */
  detach(): void {
    this.#host.client.stream.off('drain', this.#onDrain).off('timeout', this.#onTimeout);
  }

  readonly #onDrain = (): void => {
    const { turn } = this.#context;
    turn.begin();
    this.#response.drained();
    if (!this.#isOver && !this.isEnded) this.#events.onClientDrain();
    turn.end();
  };

  readonly #onTimeout = (): void => this.sendTimedOut();

  /** The client has half-closed after its whole request. */
  halfClosed(): void {
    if (this.#isOver || this.isEnded) return;
    this.#host.client.startKeepAlive();
    this.#events.onClientHalfClosed(this.#context.turn.nowMs() - this.#receivedMs);
  }

  /** The request body is malformed, or stalled. */
  bodyFailed(why: ClientGone): void {
    if (this.#isOver || this.#isBroken) return;
    this.#isBroken = true;
    this.#willClose = true;
    this.body.discard();
    if (!this.isEnded || this.#keepsBody) this.#events.onClientGone(why);
  }

  /** The client has read nothing, or too little, for the whole send timeout. */
  sendTimedOut(): void {
    if (this.#isOver || this.#host.client.stream.writableLength === 0) return;
    this.#isOver = true;
    this.#response.abort();
    this.#events.onClientGone('send-timeout');
    this.#host.client.reset();
  }

  /** The connection has closed. */
  closed(): void {
    this.#response.abort();
    if (!this.#isOver) {
      this.#isOver = true;
      // A broken request was reported once already: its end is all that is left to report.
      if (this.#isBroken) this.#events.onResponseFlushed();
      else this.#events.onClientGone('closed');
    }
    this.#release();
  }

  // ---- ResponseOwner

  responseFlushed(): void {
    this.#isFlushed = true;
    if (this.#keepsBody) return;
    this.#isOver = true;
    this.#events.onResponseFlushed();
    this.#release();
    this.#host.responseFlushed();
  }

  /** Answers an unparsable request. */
  writeRefusal(reply: LocalReply): void {
    this.#response.writeRefusal(reply);
  }

  /** Drops references to an exchange that has ended. */
  #release(): void {
    this.#events = NO_EXCHANGE;
    this.#head = null;
  }

  #persistenceLines(status: number): FieldLines {
    if (!this.#mayPersist(status)) this.#willClose = true;
    return this.#willClose ? CONNECTION_CLOSE : this.#host.keepAliveLines;
  }

  /** Whether the client holds its body back. */
  get #isAwaitingContinue(): boolean {
    return this.#head!.expectsContinue && !this.#wasContinued && this.body.isOpen && !this.body.hasBegun;
  }

  /**
   * Not after a refusal or a Connection: close, nor where more of the body is due than would be discarded. After a success
   * the endpoint may take the rest; a close that is announced would stop the client.
   */
  #mayPersist(status: number): boolean {
    const isRestTooLong = status >= 300 && this.body.isRestTooLong;
    if (this.#willClose || !this.#head!.framing.isPersistent || isRestTooLong) return false;
    // The client may or may not send its body after a final response: only closing is safe (RFC 9110 section 10.1.1).
    return !this.#isAwaitingContinue && this.#host.mayPersist();
  }

  #reset(): void {
    this.#isOver = true;
    this.#response.abort();
    this.#host.client.reset();
  }

  /** The response can't be completed as begun: resets the connection and ends the exchange. */
  #fail(): void {
    this.#reset();
    this.#events.onClientGone('closed');
  }
}
