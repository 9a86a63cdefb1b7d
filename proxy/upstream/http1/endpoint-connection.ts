// One HTTP/1.1 connection to an endpoint: serves one attempt at a time, then becomes idle or closes. Thread: worker.

import { failureOf, type FailureKind } from '../../../core/failure.ts';
import type { FieldList, ResponseHead } from '../../../core/head.ts';
import { ENDPOINT_FIELD } from '../../../core/memory/lane-fields.ts';
import type { TimerWheel } from '../../../core/timer-wheel.ts';
import { LEAST_IDLE_TIMEOUT_MS, lossKind } from '../../../net/failure-of-error.ts';
import { CHUNK_END, chunkHead, encodeLastChunk } from '../../http1/encoder.ts';
import type { HeadScanner } from '../../http1/head-scanner.ts';
import { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import type { Turn } from '../../wire/turn.ts';
import type { WireMemory } from '../../wire/wire-memory.ts';
import { EndpointResponseHead } from '../endpoint-response-head.ts';
import type { IdleClose } from '../idle-deaths.ts';
import { RequestBodyFraming } from '../request-body-framing.ts';
import { announcedTimeoutMs, announcesForbiddenBody, KEEP_ALIVE_MARGIN_MS } from '../response-persistence.ts';
import { methodNumber, ResponseReader, type ResponseSink } from '../response-reader.ts';
import { ConnectionIdleness, type IdleOwner } from './connection-idleness.ts';
import { EndpointSocket, Input, type SocketUser } from './endpoint-socket.ts';
import type { Http1Attempt, LeasedConnection } from './http1-attempt.ts';
import type { ReuseDelay } from './reuse-delay.ts';

const F = ENDPOINT_FIELD;

/** Worker objects that all connections share. */
export interface ConnectionParts {
  readonly wheel: TimerWheel;
  readonly turn: Turn;
  readonly memory: WireMemory;
  readonly reuse: ReuseDelay;
}

/** The pool of a connection. */
export interface ConnectionOwner {
  readonly parts: ConnectionParts;
  readonly scanner: HeadScanner;
  /** How long an idle connection is kept if its endpoint announces no timeout, in ms. */
  readonly keepAliveMs: number;
  /** Adds to a field of the endpoint's block in the worker's lane. @param field of ENDPOINT_FIELD */
  count(field: number, amount: number): void;
  /** The connection has served its attempt. */
  onFree(connection: EndpointConnection): void;
  /** The delay before reuse has passed: the endpoint had time to close the connection or to send extra bytes. */
  onIdle(connection: EndpointConnection): void;
  /** The connection will serve no other attempt. */
  onLost(connection: EndpointConnection): void;
  /** The endpoint has closed the connection while it was idle. */
  onIdleClose(close: IdleClose): void;
  /** A response broke the protocol. */
  onFault(kind: FailureKind, reason: string): void;
  /** The socket is closed. */
  onClosed(connection: EndpointConnection): void;
}

export class EndpointConnection implements LeasedConnection, ResponseSink, SocketUser, IdleOwner {
  readonly socket: EndpointSocket;
  readonly #owner: ConnectionOwner;
  readonly #turn: Turn;
  readonly #reader: ResponseReader;
  readonly #idleness: ConnectionIdleness;
  readonly #body = new RequestBodyFraming();
  #isClosed = false;

  #attempt: Http1Attempt | null = null;
  #requestCount = 0;
  /** Bytes sent before the current attempt. */
  #sentBefore = 0;
  #hasReceived = false;
  #hasHead = false;
  /** How long the connection was idle before the current attempt, in ms. */
  #idledMs = 0;
  /** Whether the current response lets the connection be reused, and the idle timeout that it announces (-1: none). */
  #isPersistent = true;
  #announcedMs = -1;

  constructor(owner: ConnectionOwner) {
    const { wheel, turn, memory, reuse } = owner.parts;
    this.#owner = owner;
    this.#turn = turn;
    this.socket = new EndpointSocket(this, turn, memory);
    this.#reader = new ResponseReader(owner.scanner, this);
    this.#idleness = new ConnectionIdleness(wheel, turn, reuse, this);
  }

  // ---- the attempt

  /** Leases the connection to an attempt and sends its head. */
  begin(attempt: Http1Attempt): void {
    const isReused = this.#requestCount > 0;
    this.#attempt = attempt;
    attempt.connection = this;
    this.#requestCount += 1;
    if (isReused) this.#owner.count(F.connectionsReused, 1);
    this.#sentBefore = this.socket.sentBytes;
    this.#hasReceived = false;
    this.#hasHead = false;
    this.#idledMs = this.#idleness.idleMs;
    this.#body.begin(attempt.request.head.bodyLength);
    this.#reader.expect(methodOf(attempt));
    attempt.events.onLease(isReused);
    if (attempt.isOver) return;
    const hasBody = !this.#body.isEnded;
    if (hasBody) this.socket.expectBody();
    this.socket.writer.addText(attempt.headText);
    this.socket.writeLater();
    if (hasBody) attempt.events.onBodyWanted();
  }

  /** @returns whether the endpoint has room for more */
  sendBody(chunk: Uint8Array): boolean {
    const body = this.#body;
    if (body.isEnded || chunk.byteLength === 0) return true;
    if (!body.add(chunk.byteLength)) {
      this.#fail('unsendable-request', 'the body is longer than announced');
      return true;
    }
    const { writer } = this.socket;
    if (body.isChunked) writer.addText(chunkHead(chunk.byteLength));
    writer.addChunk(chunk);
    if (body.isChunked) writer.addText(CHUNK_END);
    this.socket.writeLater();
    return this.socket.hasRoom;
  }

  endBody(trailers: FieldList | null): void {
    if (this.#body.isEnded) return;
    if (!this.#body.end()) {
      this.#fail('unsendable-request', 'the body is shorter than announced');
      return;
    }
    if (this.#body.isChunked) {
      this.socket.writer.addText(encodeLastChunk(trailers));
      this.socket.writeLater();
    }
    if (this.#reader.isIdle) this.#complete(null);
  }

  resume(): void {
    this.#turn.begin();
    this.#reader.resume();
    if (this.socket.input !== Input.OPEN) this.onInputEnd();
    if (!this.#isClosed && !this.#reader.isStopped) this.socket.resume();
    this.#turn.end();
  }

  /** The exchange discards the rest of the response. */
  abandon(): void {
    this.#attempt = null;
    this.destroy();
  }

  // ---- ResponseSink

  onInterimHead(): void {
    const attempt = this.#attempt!;
    attempt.events.onInterim(headFor(attempt, this.#reader));
  }

  onFinalHead(): void {
    const attempt = this.#attempt!;
    const { message, framing } = this.#reader.head;
    this.#hasHead = true;
    this.#isPersistent = framing.isPersistent && !announcesForbiddenBody(message);
    this.#announcedMs = announcedTimeoutMs(message);
    attempt.events.onHead(headFor(attempt, this.#reader));
  }

  onBody(bytes: Buffer, start: number, end: number): boolean {
    const attempt = this.#attempt!;
    const chunk = bytes.subarray(start, end);
    return attempt.events.onData(attempt.isImmediate ? chunk : Buffer.from(chunk));
  }

  /** An endpoint that keeps the connection open reads the rest of the request (RFC 9112 section 9.3). */
  onComplete(trailers: FieldList | null, hasMore: boolean): void {
    const { input, writeError } = this.socket;
    const isBroken = hasMore || input !== Input.OPEN || writeError !== null;
    if (isBroken) this.#isPersistent = false;
    const mayReadOn = this.#isPersistent && !this.#body.isEnded;
    if (mayReadOn && this.#attempt!.events.onEarlyEnd?.(trailers) === true) return;
    this.#complete(trailers);
  }

  /** Frees or closes the connection before the exchange gets the event. A response to half a request is the last one. */
  #complete(trailers: FieldList | null): void {
    const attempt = this.#attempt!;
    this.#attempt = null;
    attempt.connection = null;
    attempt.isOver = true;
    const keepAliveMs = this.#announcedMs < 0 ? this.#owner.keepAliveMs : this.#announcedMs - KEEP_ALIVE_MARGIN_MS;
    if (!this.#isPersistent || !this.#body.isEnded || keepAliveMs <= 0) this.destroy();
    else {
      this.socket.countSent();
      this.#idleness.begin(keepAliveMs);
      this.#owner.onFree(this);
    }
    attempt.events.onEnd(trailers);
  }

  onFault(kind: FailureKind, reason: string): void {
    this.#owner.onFault(kind, reason);
    this.#fail(kind, reason);
  }

  /** Bytes that answer no request must reach nobody (response queue poisoning). */
  onExtraBytes(): void {
    if (this.#attempt === null) this.destroy();
    else this.#fail('malformed-response', 'bytes after the response');
  }

  // ---- the socket

  get isInBody(): boolean {
    return this.#reader.isInBody;
  }

  get isStopped(): boolean {
    return this.#reader.isStopped;
  }

  onBytes(bytes: Buffer, size: number): void {
    this.#hasReceived = true;
    this.#reader.feed(bytes, 0, size);
  }

  onDrain(): void {
    if (!this.#body.isEnded) this.#attempt?.events.onEndpointDrain();
  }

  /** Takes effect after the bytes that are held for the exchange were delivered. */
  onInputEnd(): void {
    if (this.#reader.isStopped) return;
    const { input, writeError } = this.socket;
    if (input === Input.FIN && this.#reader.finish()) return;
    this.#lost(writeError?.message ?? (input === Input.FIN ? 'closed by the endpoint' : 'connection lost'));
  }

  onClosed(): void {
    this.#owner.onClosed(this);
  }

  count(field: number, amount: number): void {
    this.#owner.count(field, amount);
  }

  #lost(reason: string): void {
    if (this.#isClosed) return;
    if (this.#attempt === null) {
      this.#owner.onIdleClose({ idleMs: this.#idleness.idleMs, announcedMs: this.#announcedMs });
      this.destroy();
      return;
    }
    const isReused = this.#requestCount > 1;
    const wasCutInUse = this.socket.input === Input.LOST && this.#idledMs < LEAST_IDLE_TIMEOUT_MS;
    const facts = { isReused, hasReceived: this.#hasReceived, hasHead: this.#hasHead, wasCutInUse };
    this.#fail(lossKind(facts), reason);
  }

  #fail(kind: FailureKind, reason: string): void {
    const attempt = this.#attempt!;
    const wasSent = this.socket.sentBytes > this.#sentBefore;
    this.#attempt = null;
    this.destroy();
    attempt.fail(failureOf(kind, wasSent, new Error(reason)));
  }

  // ---- the end

  /** Closes the connection; an attempt on it fails as cancelled. */
  cancel(): void {
    if (this.#attempt === null) this.destroy();
    else this.#fail('cancelled', 'the transport was closed');
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#body.abandon();
    this.#reader.shut();
    this.#idleness.stop();
    this.#owner.onLost(this);
    this.socket.destroy();
  }

  // ---- idleness

  get isIdle(): boolean {
    return this.#attempt === null && !this.#isClosed;
  }

  onReusable(): void {
    this.#owner.onIdle(this);
  }

  onKeepAliveTimeout(): void {
    this.destroy();
  }
}

/** The head that was read, in memory of its own unless the exchange uses it at once. */
function headFor({ isImmediate }: Http1Attempt, { head }: ResponseReader): ResponseHead {
  return isImmediate ? head : new EndpointResponseHead(head.message, head.framing);
}

function methodOf(attempt: Http1Attempt): number {
  const { head } = attempt.request;
  return head instanceof ScannedRequestHead ? head.message.method : methodNumber(head.method);
}
