// The client's side of the exchanges on one fast connection, one after the other: their responses as bytes, and what
// the exchange is told. Behaves as NodeHttp1ClientSide does. Thread: worker.

import type { Socket } from 'node:net';
import type {
  ClientConnection,
  ClientEvents,
  ClientGone,
  ClientSide,
  LocalReply,
} from '../../../core/exchange-contract.ts';
import type { FieldList, ResponseHead } from '../../../core/head.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { WheelTimer } from '../../../core/timer-wheel.ts';
import { CHUNK_END, chunkHead, encodeLastChunk } from '../../http1/encoder.ts';
import { CONNECTION_CLOSE, type FieldLines } from '../../http1/field-line.ts';
import { Method } from '../../http1/message-head.ts';
import type { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import { SocketWriter } from '../../wire/socket-writer.ts';
import type { Flushable } from '../../wire/turn.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import type { Http1Context } from './http1-context.ts';
import { Http1RequestBody } from './http1-request-body.ts';
import { ReplyHead } from './reply-head.ts';
import { ResponseFraming, safeTrailers } from './response-encoder.ts';

/** What an exchange's side needs of the connection that it is on. */
export interface Http1Host {
  readonly client: ClientSocket;
  readonly listener: ListenerSnapshot;
  /** The fields that say to a client that its connection stays, and for how long. */
  readonly keepAliveLines: FieldLines;
  /** Whether this response may be followed by another one. */
  mayPersist(): boolean;
  /** The response has been handed to the system. */
  responseFlushed(): void;
  /** The exchange takes body bytes again: those that wait come now. */
  bodyResumed(): void;
}

/** While no exchange runs. */
const NO_EXCHANGE: ClientEvents = {
  onBodyData: () => undefined,
  onBodyEnd: () => undefined,
  onClientDrain: () => undefined,
  onResponseFlushed: () => undefined,
  onClientGone: () => undefined,
};

/** The head has not been sent. */
const UNSENT = -1;

/**
 * Under TLS every write is on its way for a moment, until node:tls has heard of its end; what takes longer than this
 * waits for the client. A timer of the socket for each response would be a tenth of all that it costs.
 */
const TLS_WRITE_MS = 20;

const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

export class Http1ClientSide implements ClientSide, Flushable {
  readonly connection: ClientConnection;
  readonly isSilentAfterFlush = true;
  readonly body: Http1RequestBody = new Http1RequestBody();
  readonly #host: Http1Host;
  readonly #context: Http1Context;
  readonly #socket: Socket;
  readonly #isTls: boolean;
  readonly #writer: SocketWriter;
  #events: ClientEvents = NO_EXCHANGE;
  #head: ScannedRequestHead | null = null;
  #framing: number = UNSENT;
  /** Body bytes still to be sent of a declared length. */
  #owedBytes = 0;
  #isWriteDue = false;
  #isEnded = false;
  /** Flushed, cut, or the client gone: nothing is done or told any more. */
  #isOver = true;
  /** The client broke its own request; after the answer the connection ends. */
  #isBroken = false;
  #willClose = false;
  #hasSendTimeout = false;
  /** Made where it is needed: under TLS. */
  #sendTimer: WheelTimer | null = null;

  constructor(host: Http1Host, context: Http1Context) {
    this.#host = host;
    this.#context = context;
    this.#socket = host.client.stream;
    this.connection = host.client.facts;
    this.#isTls = host.client.stream !== host.client.raw || 'encrypted' in host.client.stream;
    this.#writer = new SocketWriter(this.#socket, this.#isTls, context.memory);
  }

  /** Whether the connection must end after the response. */
  get willClose(): boolean {
    return this.#willClose;
  }

  /** Whether the whole response has been given to be sent. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether an exchange is under way. */
  get isBusy(): boolean {
    return !this.#isOver;
  }

  /** Begins an exchange. */
  begin(head: ScannedRequestHead, receivedMs: number): void {
    this.#head = head;
    this.body.begin(head.framing);
    this.#framing = UNSENT;
    this.#isEnded = false;
    this.#isOver = false;
    this.#isBroken = false;
    this.#willClose = false;
    this.#events = this.#context.starter.begin(this, head, null, receivedMs);
  }

  // ---- ClientSide

  sendInterim(head: ResponseHead): void {
    // 101 is a tunnel's, and 100 was not asked for: who expects it is on the general path.
    if (this.#isOver || this.#framing !== UNSENT || head.status <= 101) return;
    this.#writer.addText(this.#context.encoder.interim(head));
    this.#writeLater();
  }

  sendHead(head: ResponseHead, extra: FieldList): void {
    if (this.#isOver || this.#framing !== UNSENT) return;
    this.#addHead(head, extra);
    this.#writeLater();
  }

  sendData(chunk: Uint8Array): boolean {
    if (this.#isOver || this.#isEnded || this.#framing === ResponseFraming.NONE || chunk.byteLength === 0) return true;
    const writer = this.#writer;
    if (this.#framing === ResponseFraming.CHUNKED) {
      writer.addText(chunkHead(chunk.byteLength));
      writer.addChunk(chunk);
      writer.addText(CHUNK_END);
    } else {
      this.#owedBytes -= chunk.byteLength;
      // More than was declared would be read as the next response (response splitting).
      if (this.#owedBytes < 0) return this.#fail();
      writer.addChunk(chunk);
    }
    this.#writeLater();
    return !this.#socket.writableNeedDrain;
  }

  sendEnd(trailers: FieldList | null): void {
    if (this.#isOver || this.#isEnded) return;
    // Less than was declared: the client must not take it for the whole.
    if (this.#framing === UNSENT || (this.#framing === ResponseFraming.LENGTH && this.#owedBytes > 0)) {
      this.#fail();
      return;
    }
    if (this.#framing === ResponseFraming.CHUNKED) {
      const isTaken = trailers !== null && this.#head!.framing.acceptsTrailers;
      this.#writer.addText(encodeLastChunk(isTaken ? safeTrailers(trailers) : null));
    }
    this.#end();
  }

  sendLocalReply(reply: LocalReply): void {
    if (this.#isOver || this.#isEnded) return;
    if (this.#framing !== UNSENT) {
      this.#fail();
      return;
    }
    if (reply.mustClose) this.#willClose = true;
    const framing = this.#addHead(new ReplyHead(reply), []);
    if (framing === ResponseFraming.LENGTH && reply.body.byteLength > 0) this.#writer.addChunk(reply.body);
    this.#end();
  }

  cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#writer.drop();
    this.#host.client.reset();
  }

  resumeBody(): void {
    if (this.#isOver || this.#isEnded || !this.body.isOpen) return;
    this.body.resume();
    this.#host.bodyResumed();
  }

  pauseBody(): void {
    this.body.pause();
  }

  // ---- what the connection tells

  /** Uses up bytes of the request's body. @returns as Http1RequestBody.step */
  readBody(input: Parameters<Http1RequestBody['step']>[0]): ReturnType<Http1RequestBody['step']> {
    return this.body.step(input, this.#events);
  }

  /** The client takes bytes again. */
  drained(): void {
    this.#endSendTimeout();
    if (!this.#isOver && !this.#isEnded) this.#events.onClientDrain();
  }

  /** What the client sent doesn't parse any further, or came too slowly. */
  bodyFailed(why: ClientGone): void {
    if (this.#isOver || this.#isBroken) return;
    this.#isBroken = true;
    this.#willClose = true;
    this.body.discard();
    if (!this.#isEnded) this.#events.onClientGone(why);
  }

  /** Node's timer of the socket: it alone sees progress within one large write. */
  sendTimedOut(): void {
    if (this.#isOver || this.#socket.writableLength === 0) return;
    this.#isOver = true;
    this.#writer.drop();
    this.#events.onClientGone('send-timeout');
    this.#host.client.reset();
  }

  /** The connection has closed. */
  closed(): void {
    if (this.#sendTimer !== null) this.#context.wheel.cancel(this.#sendTimer);
    if (!this.#isOver) {
      this.#isOver = true;
      this.#writer.drop();
      // A broken request was told already, and is told once: what is left of it is its end.
      if (this.#isBroken) this.#events.onResponseFlushed();
      else this.#events.onClientGone('closed');
    }
    this.#release();
  }

  // ---- writing

  /** A reply to what is no request, at once: the connection ends behind it. */
  writeRefusal(reply: LocalReply): void {
    this.#writer.addText(
      this.#context.encoder.final(new ReplyHead(reply), [], ResponseFraming.LENGTH, CONNECTION_CLOSE),
    );
    this.#writer.addChunk(reply.body);
    this.#writer.write();
  }

  flush(): void {
    this.#isWriteDue = false;
    if (this.#isOver) return;
    if (this.#isEnded) this.#flushLast();
    else {
      if (!this.#writer.isEmpty) this.#writer.write();
      if (this.#socket.writableNeedDrain) this.#beginSendTimeout();
    }
  }

  #flushLast(): void {
    const socket = this.#socket;
    const isEmpty = this.#writer.isEmpty;
    if (!isEmpty) this.#writer.write(this.#isTls ? this.#onWritten : undefined);
    if (socket.writableLength === 0) {
      this.#flushed();
      return;
    }
    this.#watchSending();
    // Nothing more to write: called behind all that waits.
    if (isEmpty || !this.#isTls) socket.write('', 'latin1', this.#onWritten);
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (error || this.#isOver || !this.#isEnded) return;
    const { turn } = this.#context;
    turn.begin();
    this.#flushed();
    turn.end();
  };

  #flushed(): void {
    this.#isOver = true;
    this.#endSendTimeout();
    this.#events.onResponseFlushed();
    this.#release();
    this.#host.responseFlushed();
  }

  /** The exchange has ended: nothing of it is kept. */
  #release(): void {
    this.#events = NO_EXCHANGE;
    this.#head = null;
  }

  #writeLater(): void {
    if (this.#isWriteDue) return;
    this.#isWriteDue = true;
    this.#context.turn.later(this);
  }

  #addHead(head: ResponseHead, extra: FieldList): ResponseFraming {
    const framing = this.#framingOf(head);
    this.#framing = framing;
    this.#owedBytes = head.bodyLength;
    if (!this.#mayPersist()) this.#willClose = true;
    const persistence = this.#willClose ? CONNECTION_CLOSE : this.#host.keepAliveLines;
    this.#writer.addText(this.#context.encoder.final(head, extra, framing, persistence));
    return framing;
  }

  #framingOf(head: ResponseHead): ResponseFraming {
    const { status } = head;
    if (status === NO_CONTENT || status === NOT_MODIFIED) return ResponseFraming.NONE;
    if (this.#head!.message.method === Method.HEAD) return ResponseFraming.NONE;
    return head.hasLength && head.bodyLength >= 0 ? ResponseFraming.LENGTH : ResponseFraming.CHUNKED;
  }

  /** Not after a refusal, a Connection: close, or where more of the body is due than would be discarded. */
  #mayPersist(): boolean {
    return !this.#willClose && this.#head!.framing.isPersistent && this.#host.mayPersist() && !this.body.isRestTooLong;
  }

  #end(): void {
    this.#isEnded = true;
    this.body.discard();
    this.#writeLater();
  }

  /** The response can't be completed as begun: cut, and the exchange hears that it is over. */
  #fail(): true {
    this.#isOver = true;
    this.#writer.drop();
    this.#host.client.reset();
    this.#events.onClientGone('closed');
    return true;
  }

  // ---- patience

  #watchSending(): void {
    if (!this.#isTls || this.#socket.writableNeedDrain) {
      this.#beginSendTimeout();
      return;
    }
    const { wheel, turn } = this.#context;
    this.#sendTimer ??= new WheelTimer(() => this.#beginSendTimeout());
    wheel.arm(this.#sendTimer, TLS_WRITE_MS, turn.nowMs());
  }

  #beginSendTimeout(): void {
    if (this.#hasSendTimeout || this.#isOver) return;
    this.#hasSendTimeout = true;
    this.#socket.setTimeout(this.#host.listener.timeouts.sendIdleMs);
  }

  #endSendTimeout(): void {
    if (this.#sendTimer !== null) this.#context.wheel.cancel(this.#sendTimer);
    if (!this.#hasSendTimeout) return;
    this.#hasSendTimeout = false;
    this.#socket.setTimeout(0);
  }
}
