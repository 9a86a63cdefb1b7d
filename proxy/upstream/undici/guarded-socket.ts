// The socket that undici gets: a Duplex that writes our own request in place of undici's, and passes on only what the
// response reader has checked. Knows exactly what was sent and received, and why a connection ended. Thread: worker.

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { FailureKind } from '../../../core/failure.ts';
import type { FieldList } from '../../../core/head.ts';
import { EndpointError } from '../../../net/endpoint-error.ts';
import { LEAST_IDLE_TIMEOUT_MS, lossKind } from '../../../net/failure-of-error.ts';
import { CHUNK_END, chunkHead, LAST_CHUNK } from '../../http1/encoder.ts';
import { BodyKind } from '../../http1/framing.ts';
import type { HeadScanner } from '../../http1/head-scanner.ts';
import type { EndpointLane } from '../endpoint-lane.ts';
import { EndpointResponseHead } from '../endpoint-response-head.ts';
import { announcedTimeoutMs } from '../response-persistence.ts';
import { ResponseReader, type ResponseSink } from '../response-reader.ts';
import { isReusable, PLACEHOLDER_LINE, placeholderHead } from './placeholder.ts';
import { RequestWriter } from './request-writer.ts';

/** Bytes buffered in one direction of a connection before the sender is paused. */
const BUFFER_BYTES = 65_536;

/** The attempt on a connection. */
export interface GuardListener {
  /** The request's head was written; its body may follow. */
  onHeadSent(): void;
  /** The socket has room again after `sendBody` returned false. */
  onSocketDrain(): void;
  onInterim(head: EndpointResponseHead): void;
}

/** Objects of a pool that its sockets use. */
export interface GuardParts {
  readonly scanner: HeadScanner;
  readonly lane: EndpointLane;
  readonly onFault: (kind: FailureKind, reason: string) => void;
}

/** A request to write. */
export interface GuardedRequest {
  /** The encoded head. */
  readonly headText: string;
  /** As methodNumber returns it. */
  readonly method: number;
  /** As in RequestHead. */
  readonly bodyLength: number;
}

type WriteDone = (error?: Error | null) => void;

export class GuardedSocket extends Duplex implements ResponseSink {
  readonly writer: RequestWriter;
  readonly #socket: Socket;
  readonly #reader: ResponseReader;
  readonly #lane: EndpointLane;
  readonly #reportFault: GuardParts['onFault'];
  #listener: GuardListener | null = null;
  /** The head to write in place of undici's next bytes. */
  #dueHead: string | null = null;
  #requestCount = 0;
  #hasReceived = false;
  #isServing = false;
  #mustClose = false;
  #hasEnded = false;
  /** Monotonic ms of the end of the last response, and the idle time before the current request. */
  #settledMs = 0;
  #idledMs = 0;
  #wasClosedByEndpoint = false;
  #announcedMs = -1;
  /** Of the current response. */
  #isComplete = false;
  #finalHead: EndpointResponseHead | null = null;
  #trailers: FieldList | null = null;

  /** @param socket connected, without listeners; the guard owns it from now on */
  constructor(socket: Socket, { scanner, lane, onFault }: GuardParts) {
    // Strings stay strings: undici writes heads as latin1.
    super({ allowHalfOpen: false, decodeStrings: false, highWaterMark: BUFFER_BYTES });
    this.#socket = socket;
    this.#lane = lane;
    this.#reportFault = onFault;
    this.#reader = new ResponseReader(scanner, this);
    lane.add('connectionsOpened', 1);
    lane.add('connectionsOpen', 1);
    this.writer = new RequestWriter(socket, lane);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('error', this.#onLost);
    socket.on('close', this.#onClose);
    this.on('error', ignore);
  }

  // ---- the request

  /** undici is about to write its placeholder: the request takes its place. */
  begin({ headText, method, bodyLength }: GuardedRequest, listener: GuardListener): void {
    this.#dueHead = headText;
    this.#requestCount += 1;
    this.#isServing = true;
    this.#idledMs = performance.now() - this.#settledMs;
    this.#hasReceived = false;
    this.#isComplete = false;
    this.#finalHead = null;
    this.#trailers = null;
    this.#listener = listener;
    this.writer.begin(bodyLength);
    this.#reader.expect(method);
    if (this.isReused) this.#lane.add('connectionsReused', 1);
  }

  /** undici has delivered the whole response. */
  settle(): void {
    this.#isServing = false;
    this.#settledMs = performance.now();
    this.#listener = null;
    if (!this.writer.isEnded || this.writer.writeError !== null) this.#mustClose = true;
  }

  // ---- facts

  /** Whether the connection has served an earlier request. */
  get isReused(): boolean {
    return this.#requestCount > 1;
  }

  /** Whether a byte of the current response was received. */
  get hasReceived(): boolean {
    return this.#hasReceived;
  }

  /** The head of the current response; null until it is complete. */
  get finalHead(): EndpointResponseHead | null {
    return this.#finalHead;
  }

  /** The trailers of the current response, once it is complete. */
  get trailers(): FieldList | null {
    return this.#trailers;
  }

  /** Whether another request may be sent on this connection. */
  get isReusable(): boolean {
    return !this.destroyed && !this.#mustClose && !this.#isServing && this.#reader.isIdle;
  }

  /** Whether the endpoint, not we, has closed the idle connection. */
  get wasClosedByEndpoint(): boolean {
    return this.#wasClosedByEndpoint;
  }

  /** The idle timeout that the last response announced, in ms; -1 if none. */
  get announcedMs(): number {
    return this.#announcedMs;
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  // ---- ResponseSink

  onInterimHead(): void {
    const { message, framing } = this.#reader.head;
    this.#listener?.onInterim(new EndpointResponseHead(message, framing));
  }

  onFinalHead(): void {
    const { message, framing } = this.#reader.head;
    this.#finalHead = new EndpointResponseHead(message, framing);
    this.#announcedMs = announcedTimeoutMs(message);
    if (!isReusable(message, framing)) this.#mustClose = true;
    this.push(placeholderHead(message, framing), 'latin1');
  }

  /** undici gets chunked bodies in chunks of ours, without extensions and trailers. */
  onBody(bytes: Buffer, start: number, end: number): boolean {
    const isChunked = this.#reader.head.framing.body === BodyKind.CHUNKED;
    if (isChunked) this.push(chunkHead(end - start), 'latin1');
    let hasRoom = this.push(bytes.subarray(start, end));
    if (isChunked) hasRoom = this.push(CHUNK_END, 'latin1');
    if (!hasRoom) this.#socket.pause();
    return true;
  }

  onComplete(trailers: FieldList | null, hasMore: boolean): void {
    this.#trailers = trailers;
    // Bytes that answer no request must reach nobody (response queue poisoning).
    if (hasMore) this.#mustClose = true;
    this.#isComplete = true;
    if (this.#hasEnded) this.push(null);
    else if (this.#reader.head.framing.body === BodyKind.CHUNKED) this.push(LAST_CHUNK, 'latin1');
  }

  onFault(kind: FailureKind, reason: string): void {
    this.#reportFault(kind, reason);
    this.destroy(new EndpointError(kind, reason));
  }

  onExtraBytes(): void {
    this.#retire();
  }

  // ---- Duplex, for undici

  override _read(): void {
    if (!this.#hasEnded) this.#socket.resume();
  }

  override _write(chunk: Buffer | string, _encoding: BufferEncoding, done: WriteDone): void {
    const head = this.#dueHead;
    this.#dueHead = null;
    if (head === null || typeof chunk !== 'string' || !chunk.startsWith(PLACEHOLDER_LINE)) {
      done(new EndpointError('internal', 'undici wrote bytes other than its placeholder request'));
      return;
    }
    this.writer.sendHead(head);
    done();
    this.#listener?.onHeadSent();
  }

  override _final(done: WriteDone): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: WriteDone): void {
    this.#reader.shut();
    this.writer.abandon();
    this.#listener = null;
    this.#socket.destroy();
    done(error);
  }

  // ---- the socket

  readonly #onData = (bytes: Buffer): void => {
    this.#hasReceived = true;
    this.#lane.add('bytesReceived', bytes.length);
    this.#reader.feed(bytes, 0, bytes.length);
  };

  readonly #onDrain = (): void => this.#listener?.onSocketDrain();

  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    if (this.#reader.finish()) this.#mustClose = true;
    else this.#lose(this.writer.writeError ?? new Error('closed by the endpoint'));
  };

  readonly #onLost = (error: Error): void => this.#lose(error);

  readonly #onClose = (): void => {
    this.#lane.add('connectionsOpen', -1);
    this.#lose(this.writer.writeError ?? new Error('connection lost'));
  };

  /** The connection is gone. undici may still deliver a response that was complete before. */
  #lose(cause: Error): void {
    if (this.destroyed) return;
    if (this.#reader.isIdle) {
      this.#wasClosedByEndpoint = true;
      this.#retire();
      return;
    }
    if (this.#isComplete) return;
    const kind = lossKind({
      isReused: this.isReused,
      hasReceived: this.#hasReceived,
      hasHead: this.#finalHead !== null,
      wasCutInUse: !this.#hasEnded && this.#idledMs < LEAST_IDLE_TIMEOUT_MS,
    });
    this.destroy(new EndpointError(kind, cause.message, cause));
  }

  /** Makes the connection unusable: closes it now if it is idle, otherwise after the response. */
  #retire(): void {
    this.#mustClose = true;
    if (!this.#isServing) this.destroy();
  }
}

function ignore(): void {}
