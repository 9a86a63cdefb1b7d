// The socket that undici gets: a Duplex over the real one that lets through only what the response gate has checked,
// and that says exactly what was sent and received, and why a connection ended. Thread: worker.

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { FailureKind } from '../../../core/failure.ts';
import type { FieldList } from '../../../core/head.ts';
import type { HeadScanner } from '../../http1/head-scanner.ts';
import { EndpointError } from '../../../net/endpoint-error.ts';
import type { EndpointLane } from '../endpoint-lane.ts';
import type { EndpointResponseHead } from './endpoint-response-head.ts';
import { lossKind } from '../../../net/failure-of-error.ts';
import { ResponseGate, type GateSink } from './response-gate.ts';

/** What is waiting in one direction of one connection before the other side is told to wait. */
const BUFFER_BYTES = 65_536;

/** The target that undici is given in place of `*`, which it can't send; the guard writes `*` (RFC 9112 section 3.2.4). */
export const ASTERISK_STAND_IN = '/*';

/** What a request on the connection is told. */
export interface GuardListener {
  onInterim(head: EndpointResponseHead): void;
}

type WriteDone = (error?: Error | null) => void;

export class GuardedSocket extends Duplex implements GateSink {
  readonly #socket: Socket;
  readonly #gate: ResponseGate;
  readonly #lane: EndpointLane;
  #listener: GuardListener | null = null;
  #requestCount = 0;
  #wasSent = false;
  #hasReceived = false;
  #isServing = false;
  #mustClose = false;
  #hasEnded = false;
  #wasEndedByEndpoint = false;
  /** The next bytes are the head of a request for `*`. */
  #isAsteriskDue = false;
  /** Of the response under way. */
  #finalHead: EndpointResponseHead | null = null;
  #trailers: FieldList | null = null;

  /** @param socket connected, with no listeners on it; the guard owns it from now on */
  constructor(socket: Socket, scanner: HeadScanner, lane: EndpointLane) {
    // Strings stay strings: undici writes heads as latin1, and the socket takes them so.
    super({ allowHalfOpen: false, decodeStrings: false, highWaterMark: BUFFER_BYTES });
    this.#socket = socket;
    this.#lane = lane;
    this.#gate = new ResponseGate(scanner, this);
    lane.add('connectionsOpened', 1);
    lane.add('connectionsOpen', 1);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onLost);
    socket.on('close', this.#onClose);
    this.on('error', ignore);
  }

  /**
   * A request is about to be written.
   * @param method as methodNumber says
   * @param isAsterisk whether its target stands in for `*`
   */
  begin(method: number, listener: GuardListener, isAsterisk: boolean): void {
    this.#isAsteriskDue = isAsterisk;
    this.#requestCount += 1;
    this.#isServing = true;
    this.#wasSent = false;
    this.#hasReceived = false;
    this.#finalHead = null;
    this.#trailers = null;
    this.#listener = listener;
    this.#gate.begin(method);
    if (this.isReused) this.#lane.add('connectionsReused', 1);
  }

  /** undici has handed on the whole response. */
  settle(): void {
    this.#isServing = false;
    this.#listener = null;
  }

  /** Whether an earlier request was served on this connection. */
  get isReused(): boolean {
    return this.#requestCount > 1;
  }

  /** Whether a byte of the current request was handed to the system: if not, none can have reached the endpoint. */
  get wasSent(): boolean {
    return this.#wasSent;
  }

  /** Whether a byte of the current response came. */
  get hasReceived(): boolean {
    return this.#hasReceived;
  }

  /** The head of the current response, or null until it came whole. */
  get finalHead(): EndpointResponseHead | null {
    return this.#finalHead;
  }

  /** Of the current response, once it is complete. */
  get trailers(): FieldList | null {
    return this.#trailers;
  }

  /** Whether another request may be sent on this connection. */
  get isReusable(): boolean {
    return !this.destroyed && !this.#mustClose && !this.#isServing && this.#gate.isIdle;
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  onInterim(head: EndpointResponseHead): void {
    this.#listener?.onInterim(head);
  }

  onFinalHead(head: EndpointResponseHead, plain: string): void {
    this.#finalHead = head;
    this.push(plain, 'latin1');
  }

  onBody(bytes: Buffer): void {
    if (!this.push(bytes)) this.#socket.pause();
  }

  onComplete(trailers: FieldList | null): void {
    this.#trailers = trailers;
  }

  onFault(kind: FailureKind, reason: string): void {
    this.destroy(new EndpointError(kind, reason));
  }

  /** Whatever the endpoint thinks it is answering, nobody may get it (response queue poisoning). */
  onExtraBytes(): void {
    this.#retire();
  }

  override _read(): void {
    if (!this.#hasEnded) this.#socket.resume();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: WriteDone): void {
    this.#send(chunk, encoding, done);
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: WriteDone): void {
    const last = chunks.length - 1;
    this.#socket.cork();
    for (const [index, { chunk, encoding }] of chunks.entries()) {
      this.#send(chunk, encoding, index === last ? done : undefined);
    }
    this.#socket.uncork();
  }

  override _final(done: WriteDone): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: WriteDone): void {
    this.#gate.shut();
    this.#listener = null;
    this.#socket.destroy();
    done(error);
  }

  #send(given: Buffer | string, encoding: BufferEncoding, done: WriteDone | undefined): void {
    const chunk = this.#isAsteriskDue ? this.#withAsterisk(given) : given;
    if (chunk === null) return;
    this.#wasSent = true;
    this.#lane.add('bytesSent', chunk.length);
    const socketEncoding = typeof chunk === 'string' ? encoding : undefined;
    this.#socket.write(chunk, socketEncoding, (error) => {
      if (error) this.#lose(error);
      // Where the response is complete already, the rest of the request has nowhere to go and nobody to tell.
      done?.(this.destroyed ? error : null);
    });
  }

  /** The head with `*` for its stand-in; null, and the connection destroyed, where undici wrote something else. */
  #withAsterisk(head: Buffer | string): string | null {
    this.#isAsteriskDue = false;
    const line = `OPTIONS ${ASTERISK_STAND_IN} `;
    if (typeof head === 'string' && head.startsWith(line)) return `OPTIONS * ${head.slice(line.length)}`;
    this.destroy(new EndpointError('unsendable-request', 'the request line is not the one that was asked for'));
    return null;
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#hasReceived = true;
    this.#lane.add('bytesReceived', bytes.length);
    this.#gate.feed(bytes);
  };

  /** Whether the endpoint, not we, has ended the connection. */
  get wasEndedByEndpoint(): boolean {
    return this.#wasEndedByEndpoint;
  }

  readonly #onEnd = (): void => {
    if (this.#gate.endsWithConnection) this.#finish();
    else this.#lose(new Error('closed by the endpoint'));
  };

  readonly #onLost = (error: Error): void => this.#lose(error);

  readonly #onClose = (): void => {
    this.#lane.add('connectionsOpen', -1);
    this.#lose(new Error('closed'));
  };

  /** The connection's end is the response's. */
  #finish(): void {
    this.#hasEnded = true;
    this.#mustClose = true;
    this.#gate.shut();
    this.push(null);
  }

  /** The connection is gone. A response that came whole before that may still be read. */
  #lose(cause: Error): void {
    if (this.destroyed || this.#hasEnded) return;
    if (this.#gate.isIdle) {
      this.#wasEndedByEndpoint = true;
      this.#retire();
      return;
    }
    const kind = lossKind({
      isReused: this.isReused,
      hasReceived: this.#hasReceived,
      hasHead: this.#finalHead !== null,
    });
    this.destroy(new EndpointError(kind, cause.message, cause));
  }

  /** Not to be used again: ends now where nothing is under way, else when undici has handed on the response. */
  #retire(): void {
    this.#mustClose = true;
    if (!this.#isServing) this.destroy();
  }
}

function ignore(): void {}
