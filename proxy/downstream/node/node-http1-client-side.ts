// Client side of one HTTP/1.1 exchange over node:http's request and response. Thread: worker.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../../core/clock.ts';
import type {
  ClientConnection,
  ClientEvents,
  ClientGone,
  ClientSide,
  ExchangeStarter,
  LocalReply,
  UpgradeRequest,
} from '../../../core/exchange-contract.ts';
import type { FieldList, ResponseHead } from '../../../core/head.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import { NO_EXCHANGE } from '../downstream-context.ts';
import type { NodeHttp1Head } from './node-http1-head.ts';
import { NodeHttp1RequestBody } from './node-http1-request-body.ts';
import {
  addTrailers,
  flushHead,
  framingOf,
  type ResponseFacts,
  type ResponseFraming,
  responseFields,
  writeFinalHead,
  writeInterimHead,
} from './node-http1-response.ts';

/** The connection, as the client side of an exchange uses it. */
export interface NodeHttp1Host {
  readonly client: ClientSocket;
  readonly listener: ListenerSnapshot;
  readonly clock: Clock;
  /** Whether another response may follow this one. */
  mayPersist(): boolean;
  /** The response has been handed to the kernel. */
  responseFlushed(): void;
  /** The rest of an unwanted request body has been received, or exceeds the limit. */
  restDiscarded(): void;
  /** Bounds how long the client may take no byte of pending writes; 0 removes the bound. */
  setSendTimeout(limitMs: number): void;
}

export class NodeHttp1ClientSide implements ClientSide {
  readonly #host: NodeHttp1Host;
  readonly #response: ServerResponse;
  /** Null where the head was refused. */
  readonly #head: NodeHttp1Head | null;
  readonly #method: string;
  readonly #version: string;
  readonly #body: NodeHttp1RequestBody;
  #events: ClientEvents = NO_EXCHANGE;
  #framing: ResponseFraming | null = null;
  /** Body bytes still to be written of a declared length. */
  #owedBytes = 0;
  #isEnded = false;
  /** The response is flushed or cut, or the client is gone: nothing is sent and no event is emitted any more. */
  #isOver = false;
  /** The client sent a malformed or stalled body; the connection ends after the response. */
  #isBroken = false;
  #willClose = false;
  /** Monotonic ms at which the request's first byte was received. */
  #receivedMs = 0;

  constructor(host: NodeHttp1Host, request: IncomingMessage, response: ServerResponse, head: NodeHttp1Head | null) {
    this.#host = host;
    this.#response = response;
    this.#head = head;
    this.#method = request.method ?? '';
    this.#version = request.httpVersion;
    this.#body = new NodeHttp1RequestBody(request, head?.bodyLength ?? 0, {
      limits: host.listener.limits,
      clock: host.clock,
      events: () => this.#events,
      discarded: () => host.restDiscarded(),
    });
    response.on('drain', () => this.drained());
    response.on('finish', () => this.#flushed());
    // A write to a socket that has just closed: 'close' follows.
    response.on('error', () => undefined);
    if (this.#version === '1.0') response.useChunkedEncodingByDefault = false;
  }

  get connection(): ClientConnection {
    return this.#host.client.facts;
  }

  /** Whether the connection must end after the response. */
  get willClose(): boolean {
    return this.#willClose;
  }

  /** Whether the whole response has been handed over for sending. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  get body(): NodeHttp1RequestBody {
    return this.#body;
  }

  /** Begins the exchange. @param upgrade as in ExchangeStarter.begin: the connection ends with the tunnel */
  begin(starter: ExchangeStarter, upgrade: UpgradeRequest | null, receivedMs: number): void {
    if (upgrade !== null) this.#willClose = true;
    this.#receivedMs = receivedMs;
    this.#events = starter.begin(this, this.#head!, upgrade, receivedMs);
  }

  /** Makes the response the last one of its connection. */
  closeAfter(): void {
    this.#willClose = true;
  }

  /** Answers a request that doesn't become an exchange. */
  refuse(reply: LocalReply): void {
    this.#willClose = true;
    this.sendLocalReply(reply);
  }

  // ---- ClientSide

  sendInterim(head: ResponseHead): void {
    // RFC 9110 section 15.2: never to HTTP/1.0. 101 is a tunnel's.
    if (this.#isOver || this.#framing !== null || this.#version === '1.0' || head.status === 101) return;
    if (head.status === 100) this.#sendContinue();
    else writeInterimHead(this.#response, head.status, head.endToEndFields());
  }

  sendHead(head: ResponseHead, extra: FieldList): void {
    if (this.#isOver || this.#framing !== null) return;
    this.#writeHead(head, head.reason, head.endToEndFields(), extra);
    // Flushed alone where no body byte follows in this turn (an event stream may be idle for long).
    if (this.#framing !== 'none') process.nextTick(flushHead, this.#response);
  }

  sendData(chunk: Uint8Array): boolean {
    if (this.#isOver || this.#isEnded || this.#framing === 'none') return true;
    this.#owedBytes -= chunk.byteLength;
    // More than was declared would be read as the next response (response splitting).
    if (this.#framing === 'length' && this.#owedBytes < 0) return this.#fail();
    const hasRoom = this.#response.write(chunk);
    if (!hasRoom) this.#host.setSendTimeout(this.#host.listener.timeouts.sendIdleMs);
    return hasRoom;
  }

  sendEnd(trailers: FieldList | null): void {
    if (this.#isOver || this.#isEnded) return;
    // Shorter than declared: the client must not take it for the whole.
    if (this.#framing === null || (this.#framing === 'length' && this.#owedBytes > 0)) {
      this.#fail();
      return;
    }
    if (trailers !== null && this.#framing === 'chunked' && this.#head?.acceptsTrailers === true) {
      addTrailers(this.#response, trailers);
    }
    this.#end(null);
  }

  sendLocalReply(reply: LocalReply): void {
    if (this.#isOver || this.#isEnded) return;
    if (this.#framing !== null) {
      this.#fail();
      return;
    }
    if (reply.mustClose) this.#willClose = true;
    const facts = { status: reply.status, bodyLength: reply.body.byteLength, hasLength: true };
    this.#writeHead(facts, reply.reason, reply.fields, []);
    this.#end(reply.body);
  }

  cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#host.client.reset();
  }

  resumeBody(): void {
    if (this.#isOver || this.#isEnded) return;
    this.#body.resume();
  }

  pauseBody(): void {
    this.#body.pause();
  }

  /** The socket takes bytes again. */
  drained(): void {
    if (this.#isOver || this.#isEnded) return;
    this.#host.setSendTimeout(0);
    this.#events.onClientDrain();
  }

  /** The request body is malformed, or stalled. */
  bodyFailed(why: ClientGone): void {
    if (this.#isOver || this.#isBroken) return;
    this.#isBroken = true;
    this.#willClose = true;
    this.#body.discard();
    if (!this.#isEnded) this.#events.onClientGone(why);
  }

  /** The client has half-closed after its whole request. */
  halfClosed(): void {
    if (this.#isOver || this.#isEnded) return;
    this.#host.client.startKeepAlive();
    this.#events.onClientHalfClosed(this.#host.clock.nowMs() - this.#receivedMs);
  }

  /** The client has read nothing, or too little, for the whole send timeout. */
  sendTimedOut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onClientGone('send-timeout');
    this.#host.client.reset();
  }

  /** The connection has closed. @param isTunnel whether a tunnel used it, which then reports to the exchange */
  closed(isTunnel: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (isTunnel && this.#framing === null) return;
    // A broken request was reported once already: its end is all that is left to report.
    if (this.#isBroken) this.#events.onResponseFlushed();
    else this.#events.onClientGone('closed');
  }

  /** Checks the idle limit of the body. */
  sweep(nowMs: number): void {
    if (this.#isOver || this.#isEnded) return;
    if (this.#body.isStalled(nowMs, this.#host.listener.timeouts.bodyIdleMs)) this.bodyFailed('body-timeout');
  }

  #writeHead(
    head: Pick<ResponseFacts, 'status' | 'bodyLength' | 'hasLength'>,
    reason: string,
    own: FieldList,
    extra: FieldList,
  ): void {
    const { status, bodyLength, hasLength } = head;
    const facts = { status, bodyLength, hasLength, method: this.#method, version: this.#version };
    const framing = framingOf(facts);
    this.#framing = framing;
    this.#owedBytes = bodyLength;
    if (framing === 'until-close' || !this.#mayPersist()) this.#willClose = true;
    const persistence = { isKept: !this.#willClose, keepAliveMs: this.#host.listener.timeouts.keepAliveMs };
    writeFinalHead(this.#response, status, reason, responseFields(own, extra, framing, facts, persistence));
  }

  /** Not after a refusal or a Connection: close, nor where more of the body is due than would be discarded. */
  #mayPersist(): boolean {
    if (this.#willClose || this.#head === null || !this.#head.isPersistent) return false;
    // The client may or may not send its body after a final response: only closing is safe (RFC 9110 section 10.1.1).
    if (this.#isAwaitingContinue) return false;
    return this.#host.mayPersist() && !this.#body.isRestTooLong;
  }

  #end(body: Uint8Array | null): void {
    this.#isEnded = true;
    this.#body.discard();
    if (body !== null && body.byteLength > 0 && this.#framing !== 'none') this.#response.end(body);
    else this.#response.end();
    if (this.#response.writableLength > 0) this.#host.setSendTimeout(this.#host.listener.timeouts.sendIdleMs);
  }

  /** Whether the client holds its body back. */
  get #isAwaitingContinue(): boolean {
    const { isOpen, hasBegun, wasContinued } = this.#body;
    return this.#head?.expectsContinue === true && isOpen && !hasBegun && !wasContinued;
  }

  #sendContinue(): void {
    if (this.#body.wasContinued) return;
    this.#body.wasContinued = true;
    writeInterimHead(this.#response, 100, []);
  }

  #flushed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#host.setSendTimeout(0);
    this.#events.onResponseFlushed();
    this.#host.responseFlushed();
  }

  /** The response can't be completed as begun: resets the connection and ends the exchange. */
  #fail(): true {
    this.#isOver = true;
    this.#host.client.reset();
    this.#events.onClientGone('closed');
    return true;
  }
}
