// One HTTP/1.1 connection to an endpoint: one attempt at a time, and what becomes of the connection after it.
// Thread: worker.

import type { Socket } from 'node:net';
import { failureOf, type FailureKind } from '../../../core/failure.ts';
import { type FieldList, type ResponseHead, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { ENDPOINT_FIELD } from '../../../core/memory/lane-fields.ts';
import { WheelTimer } from '../../../core/timer-wheel.ts';
import { CHUNK_END, chunkHead, encodeLastChunk } from '../../http1/encoder.ts';
import { FieldKind } from '../../http1/field-kind.ts';
import type { HeadScanner } from '../../http1/head-scanner.ts';
import { EndpointResponseHead } from '../undici/endpoint-response-head.ts';
import { lossKind } from '../../../net/failure-of-error.ts';
import { methodNumber } from '../undici/response-gate.ts';
import type { ConnectionParts } from './connection-parts.ts';
import type { Http1Attempt, LeasedConnection } from './http1-attempt.ts';
import { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import { announcesBody, keepAliveMsOf } from './response-persistence.ts';
import { ResponseReader, type ResponseSink } from './response-reader.ts';
import type { Freed } from './reuse-delay.ts';
import { SocketWriter } from '../../wire/socket-writer.ts';
import type { Flushable } from '../../wire/turn.ts';

const F = ENDPOINT_FIELD;

/** Whoever keeps connections to one endpoint. */
export interface ConnectionOwner {
  readonly parts: ConnectionParts;
  readonly scanner: HeadScanner;
  /** How long an idle connection is kept where its endpoint gives no hint, in ms. */
  readonly keepAliveMs: number;
  /** Adds to a field of the endpoint's block in the worker's lane. @param field of ENDPOINT_FIELD */
  count(field: number, amount: number): void;
  /** The connection has served its attempt. */
  onFree(connection: EndpointConnection): void;
  /** It was free for so long that its endpoint had time to close it, or to send what doesn't belong to its response. */
  onIdle(connection: EndpointConnection): void;
  /** The connection will serve no other attempt. */
  onLost(connection: EndpointConnection): void;
  /** The endpoint has ended the connection while it was idle. */
  onIdleDeath(): void;
  /** Nothing is left of the connection. */
  onClosed(connection: EndpointConnection): void;
}

export class EndpointConnection implements LeasedConnection, ResponseSink, Flushable, Freed {
  /** How the socket reads: into a buffer that it is given, without a stream (net.connect's `onread`). */
  readonly onread: { buffer: () => Uint8Array; callback: (size: number, bytes: Uint8Array) => boolean };
  readonly #owner: ConnectionOwner;
  readonly #parts: ConnectionParts;
  readonly #reader: ResponseReader;
  readonly #idleTimer: WheelTimer;
  #socket: Socket | null = null;
  #writer: SocketWriter | null = null;
  #isTls = false;
  #isClosed = false;
  /** The endpoint has sent FIN. */
  #hasEnded = false;
  #isWriteDue = false;
  /** A buffer of its own while a body comes; null: the worker's shared one. */
  #bodyBuffer: Buffer | null = null;

  #attempt: Http1Attempt | null = null;
  #requestCount = 0;
  /** Bytes that were sent before the attempt under way. */
  #sentBefore = 0;
  #hasReceived = false;
  #hasHead = false;
  #isRequestEnded = true;
  #isChunking = false;
  /** Bytes of the request's body that were announced and have not come yet. */
  #owedBytes = 0;
  /** Whether the endpoint lets the connection be used again, and for how long. */
  #isPersistent = true;
  #keepAliveMs = 0;
  #idleUntilMs = 0;
  #restsDue = 0;

  constructor(owner: ConnectionOwner) {
    this.#owner = owner;
    this.#parts = owner.parts;
    this.#reader = new ResponseReader(owner.scanner, this);
    this.#idleTimer = new WheelTimer(() => this.#idleTimeOver());
    this.onread = {
      buffer: () => this.#bodyBuffer ?? owner.parts.memory.shared,
      callback: (size, bytes) => this.#onRead(size, bytes as Buffer),
    };
  }

  /** Takes over a connected socket. @param isTls such a socket can't read into a given buffer and is read as a stream */
  open(socket: Socket, isTls: boolean): void {
    this.#socket = socket;
    this.#isTls = isTls;
    this.#writer = new SocketWriter(socket, isTls, this.#parts.memory);
    this.#owner.count(F.connectionsOpened, 1);
    this.#owner.count(F.connectionsOpen, 1);
    socket.on('error', ignore);
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onEnd());
    socket.on('close', () => this.#onClose());
    if (!isTls) return;
    socket.on('data', (bytes: Buffer) => {
      if (!this.#onRead(bytes.length, bytes)) socket.pause();
    });
  }

  // ---- the attempt

  /** Sends an attempt's head: the connection is leased to it. */
  begin(attempt: Http1Attempt): void {
    const { bodyLength } = attempt.request.head;
    const isReused = this.#requestCount > 0;
    this.#attempt = attempt;
    attempt.connection = this;
    this.#requestCount += 1;
    if (isReused) this.#owner.count(F.connectionsReused, 1);
    this.#sentBefore = this.#writer!.sentBytes;
    this.#hasReceived = false;
    this.#hasHead = false;
    this.#isRequestEnded = bodyLength === 0;
    this.#isChunking = bodyLength === UNKNOWN_LENGTH;
    this.#owedBytes = this.#isChunking ? Number.POSITIVE_INFINITY : bodyLength;
    this.#reader.expect(methodOf(attempt));
    attempt.events.onLease(isReused);
    if (attempt.isOver) return;
    this.#writer!.addText(attempt.headText);
    this.#writeLater();
    if (!this.#isRequestEnded) attempt.events.onBodyWanted();
  }

  /** Whether the endpoint takes more at once. */
  sendBody(chunk: Uint8Array): boolean {
    if (this.#isRequestEnded || chunk.byteLength === 0) return true;
    this.#owedBytes -= chunk.byteLength;
    // More than was announced would be read as the next request (request smuggling).
    if (this.#owedBytes < 0) {
      this.#fail('unsendable-request', 'the body is longer than announced');
      return true;
    }
    const writer = this.#writer!;
    if (this.#isChunking) writer.addText(chunkHead(chunk.byteLength));
    writer.addChunk(chunk);
    if (this.#isChunking) writer.addText(CHUNK_END);
    this.#writeLater();
    return !this.#socket!.writableNeedDrain;
  }

  endBody(trailers: FieldList | null): void {
    if (this.#isRequestEnded) return;
    if (!this.#isChunking && this.#owedBytes > 0) {
      this.#fail('unsendable-request', 'the body is shorter than announced');
      return;
    }
    this.#isRequestEnded = true;
    if (!this.#isChunking) return;
    this.#writer!.addText(encodeLastChunk(trailers));
    this.#writeLater();
  }

  resume(): void {
    const { turn } = this.#parts;
    turn.begin();
    this.#reader.resume();
    if (this.#hasEnded) this.#finish();
    if (!this.#isClosed && !this.#reader.isStopped) this.#socket!.resume();
    turn.end();
  }

  /** Nobody wants what is still to come. */
  abandon(): void {
    this.#attempt = null;
    this.destroy();
  }

  flush(): void {
    this.#isWriteDue = false;
    if (!this.#isClosed && !this.#socket!.destroyed) this.#writer!.write();
  }

  #writeLater(): void {
    if (this.#isWriteDue) return;
    this.#isWriteDue = true;
    this.#parts.turn.later(this);
  }

  // ---- ResponseSink

  onInterimHead(): void {
    this.#attempt!.events.onInterim(this.#responseHead());
  }

  onFinalHead(): void {
    const { message, framing } = this.#reader.head;
    this.#hasHead = true;
    this.#isPersistent = framing.isPersistent && !announcesBody(message);
    this.#keepAliveMs = message.has(FieldKind.KEEP_ALIVE)
      ? keepAliveMsOf(message, this.#owner.keepAliveMs)
      : this.#owner.keepAliveMs;
    this.#attempt!.events.onHead(this.#responseHead());
  }

  #responseHead(): ResponseHead {
    const { head } = this.#reader;
    return this.#attempt!.isImmediate ? head : new EndpointResponseHead(head.message, head.framing);
  }

  onBody(bytes: Buffer, start: number, end: number): boolean {
    const attempt = this.#attempt!;
    const chunk = bytes.subarray(start, end);
    return attempt.events.onData(attempt.isImmediate ? chunk : Buffer.from(chunk));
  }

  /** The connection is free, or gone, before the exchange hears of it. A response to half a request is its last. */
  onComplete(trailers: FieldList | null, hasMore: boolean): void {
    const attempt = this.#attempt!;
    this.#attempt = null;
    attempt.connection = null;
    attempt.isOver = true;
    if (hasMore || this.#hasEnded || !this.#isPersistent || !this.#isRequestEnded || this.#keepAliveMs <= 0) {
      this.destroy();
    } else this.#rest();
    attempt.events.onEnd(trailers);
  }

  onFault(kind: FailureKind, reason: string): void {
    this.#fail(kind, reason);
  }

  /** Whatever the endpoint thinks it is answering, nobody may get it (response queue poisoning). */
  onExtraBytes(): void {
    this.destroy();
  }

  // ---- the socket

  /** @returns whether reading goes on */
  #onRead(size: number, bytes: Buffer): boolean {
    const { turn } = this.#parts;
    this.#owner.count(F.bytesReceived, size);
    this.#hasReceived = true;
    turn.begin();
    this.#reader.feed(bytes, 0, size);
    turn.end();
    if (this.#bodyBuffer !== null || this.#reader.isInBody) this.#chooseBuffer();
    return !this.#reader.isStopped;
  }

  /** What the next read goes into: while a body is under way memory of its own, which may be handed on as it is. */
  #chooseBuffer(): void {
    if (this.#isTls) return;
    const { memory } = this.#parts;
    if (this.#bodyBuffer !== null && memory.wasKept(this.#bodyBuffer)) this.#bodyBuffer = null;
    if (this.#reader.isInBody) this.#bodyBuffer ??= memory.takeBody();
    else this.#giveBuffer();
  }

  #giveBuffer(): void {
    if (this.#bodyBuffer !== null) this.#parts.memory.giveBody(this.#bodyBuffer);
    this.#bodyBuffer = null;
  }

  #onDrain(): void {
    if (this.#attempt === null || this.#isRequestEnded) return;
    const { turn } = this.#parts;
    turn.begin();
    this.#attempt.events.onEndpointDrain();
    turn.end();
  }

  #onEnd(): void {
    this.#hasEnded = true;
    const { turn } = this.#parts;
    turn.begin();
    this.#finish();
    turn.end();
  }

  /** The endpoint's side has ended; what is held for the exchange counts before that. */
  #finish(): void {
    if (this.#reader.isStopped || this.#reader.finish()) return;
    this.#lost('closed by the endpoint');
  }

  #onClose(): void {
    this.#owner.count(F.connectionsOpen, -1);
    const { turn } = this.#parts;
    turn.begin();
    if (!(this.#hasEnded && this.#reader.isStopped)) this.#lost('closed');
    turn.end();
    this.#owner.onClosed(this);
  }

  #lost(reason: string): void {
    if (this.#isClosed) return;
    if (this.#attempt === null) {
      this.destroy();
      this.#owner.onIdleDeath();
      return;
    }
    const facts = { isReused: this.#requestCount > 1, hasReceived: this.#hasReceived, hasHead: this.#hasHead };
    this.#fail(lossKind(facts), reason);
  }

  #fail(kind: FailureKind, reason: string): void {
    const attempt = this.#attempt!;
    const wasSent = this.#writer!.sentBytes > this.#sentBefore;
    this.#attempt = null;
    this.destroy();
    attempt.fail(failureOf(kind, wasSent, new Error(reason)));
  }

  // ---- the end

  /** Ends the connection now; an attempt on it hears that it was cancelled. */
  cancel(): void {
    if (this.#attempt === null) this.destroy();
    else this.#fail('cancelled', 'the transport was closed');
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isRequestEnded = true;
    this.#reader.shut();
    this.#countSent();
    this.#writer!.drop();
    this.#parts.wheel.cancel(this.#idleTimer);
    this.#owner.onLost(this);
    this.#socket!.destroy();
  }

  #countSent(): void {
    this.#owner.count(F.bytesSent, this.#writer!.sentBytes - this.#sentBefore);
    this.#sentBefore = this.#writer!.sentBytes;
  }

  // ---- idleness

  /** Asked for each time that it was freed: only the last one counts. */
  rested(): void {
    this.#restsDue -= 1;
    if (this.#restsDue === 0 && this.#attempt === null && !this.#isClosed) this.#owner.onIdle(this);
  }

  #rest(): void {
    this.#countSent();
    this.#idleUntilMs = this.#parts.turn.nowMs() + this.#keepAliveMs;
    if (!this.#idleTimer.isArmed()) this.#armIdleTimer(this.#keepAliveMs);
    this.#restsDue += 1;
    this.#parts.reuse.add(this);
    this.#owner.onFree(this);
  }

  /** Armed once for many requests: when it fires it looks whether the connection has been idle for so long. */
  #armIdleTimer(delayMs: number): void {
    const { wheel, turn } = this.#parts;
    wheel.arm(this.#idleTimer, delayMs, turn.nowMs());
  }

  #idleTimeOver(): void {
    if (this.#attempt !== null) return;
    const leftMs = this.#idleUntilMs - this.#parts.turn.nowMs();
    if (leftMs > 0) this.#armIdleTimer(leftMs);
    else this.destroy();
  }
}

function methodOf(attempt: Http1Attempt): number {
  const { head } = attempt.request;
  return head instanceof ScannedRequestHead ? head.message.method : methodNumber(head.method);
}

function ignore(): void {
  // What follows from an error follows from 'close', which comes after it.
}
