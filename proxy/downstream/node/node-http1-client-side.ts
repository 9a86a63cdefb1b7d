// The client's side of one HTTP/1.1 exchange, over node:http's request and response. Thread: worker.

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
import type { NodeHttp1Head } from './node-http1-head.ts';
import { NodeHttp1RequestBody } from './node-http1-request-body.ts';
import { framingOf, type ResponseFacts, type ResponseFraming, responseFields } from './node-http1-response-fields.ts';
import { addTrailers, writeFinalHead, writeInterimHead } from './node-http1-writes.ts';

/** What an exchange's side needs of the connection that it is on. */
export interface NodeHttp1Host {
  readonly facts: ClientConnection;
  readonly listener: ListenerSnapshot;
  readonly clock: Clock;
  /** Whether this response may be followed by another one. */
  mayPersist(): boolean;
  /** The response has been handed to the system. */
  responseFlushed(): void;
  /** The rest of the request's body, which nobody wants, has come, or was too much. */
  restDiscarded(): void;
  /** Bounds how long the client may take no byte of what is being written; 0 is no bound. */
  setSendTimeout(limitMs: number): void;
  /** Ends the connection with a reset. */
  reset(): void;
}

/** A refused request's side: its response is Fairlead's own, and there is no exchange. */
const NO_EXCHANGE: ClientEvents = {
  onBodyData: () => undefined,
  onBodyEnd: () => undefined,
  onClientDrain: () => undefined,
  onResponseFlushed: () => undefined,
  onClientGone: () => undefined,
};

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
  /** Body bytes still to be sent of a declared length. */
  #owedBytes = 0;
  #isEnded = false;
  /** Flushed, cut, or the client gone: nothing is done or told any more. */
  #isOver = false;
  /** The client broke its own request; after the answer the connection ends. */
  #isBroken = false;
  #willClose = false;

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
    // Writing to a socket that has just closed: 'close' tells the rest.
    response.on('error', () => undefined);
    if (this.#version === '1.0') response.useChunkedEncodingByDefault = false;
  }

  get connection(): ClientConnection {
    return this.#host.facts;
  }

  /** Whether the connection must end after the response. */
  get willClose(): boolean {
    return this.#willClose;
  }

  /** Whether the whole response has been given to be sent. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  get body(): NodeHttp1RequestBody {
    return this.#body;
  }

  /** Begins the exchange. @param upgrade as in ExchangeStarter.begin: the connection ends with it */
  begin(starter: ExchangeStarter, upgrade: UpgradeRequest | null, receivedMs: number): void {
    if (upgrade !== null) this.#willClose = true;
    this.#events = starter.begin(this, this.#head!, upgrade, receivedMs);
  }

  /** Makes the response the last one of its connection. */
  closeAfter(): void {
    this.#willClose = true;
  }

  /** Answers what is not to become an exchange. */
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
    // Flushed alone where no body byte follows in this turn (a stream of events may be silent for long).
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
    // Less than was declared: the client must not take it for the whole.
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
    this.#host.reset();
  }

  resumeBody(): void {
    if (this.#isOver || this.#isEnded) return;
    if (this.#body.isOpen) this.#sendContinue();
    this.#body.resume();
  }

  pauseBody(): void {
    this.#body.pause();
  }

  // ---- what the connection tells

  /** The client takes bytes again. */
  drained(): void {
    if (this.#isOver || this.#isEnded) return;
    this.#host.setSendTimeout(0);
    this.#events.onClientDrain();
  }

  /** What the client sent doesn't parse any further, or came too slowly. */
  bodyFailed(why: ClientGone): void {
    if (this.#isOver || this.#isBroken) return;
    this.#isBroken = true;
    this.#willClose = true;
    this.#body.discard();
    if (!this.#isEnded) this.#events.onClientGone(why);
  }

  /** The client has taken nothing for too long. */
  sendTimedOut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onClientGone('send-timeout');
    this.#host.reset();
  }

  /** The connection has closed. @param isTunnel whether others spoke on it: they tell the exchange */
  closed(isTunnel: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (isTunnel && this.#framing === null) return;
    // A broken request was told already, and is told once: what is left of it is its end.
    if (this.#isBroken) this.#events.onResponseFlushed();
    else this.#events.onClientGone('closed');
  }

  /** Looks at the idle limit of the body. */
  sweep(nowMs: number): void {
    if (this.#isOver || this.#isEnded) return;
    if (this.#body.isStalled(nowMs, this.#host.listener.timeouts.bodyIdleMs)) this.bodyFailed('body-timeout');
  }

  // ---- inside

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

  /** Not after a refusal, a Connection: close, or where more of the body is due than would be discarded. */
  #mayPersist(): boolean {
    if (this.#willClose || this.#head === null || !this.#head.isPersistent) return false;
    // The client may or may not send its body after a final response: only closing is safe (RFC 9110 section 10.1.1).
    if (this.#body.isOpen && this.#head.expectsContinue && !this.#body.wasContinued) return false;
    return this.#host.mayPersist() && !this.#body.isRestTooLong;
  }

  #end(body: Uint8Array | null): void {
    this.#isEnded = true;
    this.#body.discard();
    if (body !== null && body.byteLength > 0 && this.#framing !== 'none') this.#response.end(body);
    else this.#response.end();
    if (this.#response.writableLength > 0) this.#host.setSendTimeout(this.#host.listener.timeouts.sendIdleMs);
  }

  #sendContinue(): void {
    if (this.#body.wasContinued || this.#framing !== null || this.#head?.expectsContinue !== true) return;
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

  /** The response can't be completed as begun: cut, and the exchange hears that it is over. */
  #fail(): true {
    this.#isOver = true;
    this.#host.reset();
    this.#events.onClientGone('closed');
    return true;
  }
}

function flushHead(response: ServerResponse): void {
  // Not flushHeaders(): it writes the head as UTF-8, and a field's bytes above 0x7f would become two.
  if (!response.writableEnded && !response.destroyed) response.write('', 'latin1');
}
