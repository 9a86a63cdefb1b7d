// One HTTP/2 client connection: its streams as exchanges, its limits, and its end. Thread: worker.

import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Clock } from '../../../core/clock.ts';
import type { ClientConnection } from '../../../core/exchange-contract.ts';
import type { FieldList } from '../../../core/head.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import type { DownstreamContext, DrainableConnection } from '../downstream-context.ts';
import { NodeHttp2ClientSide, type NodeHttp2Host } from './node-http2-client-side.ts';
import { trustedOnlyFor } from '../trusted-only-fields.ts';
import { readNodeHttp2Head } from './node-http2-head.ts';
import { NodeHttp2Window } from './node-http2-window.ts';
import { jittered } from '../accept/connection-ledger.ts';
import type { Http2Counts } from '../accept/http2-counts.ts';
import type { Swept } from '../accept/sweeper.ts';

/** Streams that a client may reset at once, before any response: in one burst, and per second in the long run. */
const RESET_BURST = 1000;
const RESETS_PER_S = 100;

/** nghttp2's NGHTTP2_ERR_PROTO, as node:http2 reports it. */
const ERR_PROTO = -505;
/** Faults of single streams that one connection may have. */
const MAX_STREAM_FAULTS = 100;
/** Time for a PING to come back after a protocol error. */
const FAULT_PING_MS = 2000;

export class NodeHttp2Connection implements NodeHttp2Host, Swept, DrainableConnection {
  readonly client: ClientSocket;
  readonly listener: ListenerSnapshot;
  readonly #context: DownstreamContext;
  readonly #session: ServerHttp2Session;
  readonly #window: NodeHttp2Window;
  readonly #counts: Http2Counts;
  readonly #sides = new Set<NodeHttp2ClientSide>();
  #requestsLeft: number;
  #hadRequest = false;
  /** Monotonic ms since which no stream has been open. */
  #idleSinceMs: number;
  #resetTokens = RESET_BURST;
  #resetMs: number;
  #streamFaults = 0;
  /** Monotonic ms of a protocol error after which no PING has come back; -1: none. */
  #faultMs = -1;

  constructor(
    context: DownstreamContext,
    client: ClientSocket,
    listener: ListenerSnapshot,
    session: ServerHttp2Session,
  ) {
    this.client = client;
    this.listener = listener;
    this.#context = context;
    this.#session = session;
    this.#window = new NodeHttp2Window(session, client.stream, listener.limits.streams);
    this.#counts = context.ledger.http2Opened(client.facts.listenerIndex);
    this.#requestsLeft = jittered(listener.limits.requestsPerConnection, context.random);
    this.#idleSinceMs = context.clock.nowMs();
    this.#resetMs = this.#idleSinceMs;
    this.#tolerateStreamFaults();
    session.on('stream', (stream, _headers, _flags, rawFields) => this.#onStream(stream, rawFields));
    session.on('error', (error) => this.#onError(error));
    session.on('goaway', () => this.#counts.goawayReceived());
    session.on('close', () => this.#closed());
    // A half-closed client has gone: without WINDOW_UPDATE it can't receive a response.
    client.stream.on('end', () => session.destroy(undefined, constants.NGHTTP2_CANCEL));
    context.sweeper.add(this);
  }

  get facts(): ClientConnection {
    return this.client.facts;
  }

  get clock(): Clock {
    return this.#context.clock;
  }

  isOpen(): boolean {
    return !this.#session.destroyed;
  }

  sideClosed(side: NodeHttp2ClientSide, isRapidReset: boolean): void {
    const nowMs = this.clock.nowMs();
    if (this.#sides.delete(side)) this.#counts.streams(-1);
    if (this.#sides.size === 0) this.#idleSinceMs = nowMs;
    if (isRapidReset && !this.#mayReset(nowMs)) this.#session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Takes a token of the bucket for rapid resets. */
  #mayReset(nowMs: number): boolean {
    const refill = ((nowMs - this.#resetMs) * RESETS_PER_S) / 1000;
    this.#resetTokens = Math.min(RESET_BURST, this.#resetTokens + refill) - 1;
    this.#resetMs = nowMs;
    return this.#resetTokens >= 0;
  }

  sweep(nowMs: number): void {
    this.#window.sweep(this.#sides.size);
    for (const side of this.#sides) side.sweep(nowMs);
    if (this.#faultMs >= 0 && nowMs - this.#faultMs > FAULT_PING_MS) this.client.stream.destroy();
    if (this.#sides.size > 0) return;
    const { keepAliveMs, headMs } = this.listener.timeouts;
    // A head that never becomes complete (CONTINUATION by the byte) opens no stream, and so falls under these, too.
    if (nowMs - this.#idleSinceMs > (this.#hadRequest ? keepAliveMs : headMs)) this.#end();
  }

  /** Sends GOAWAY: open streams finish, and the client may safely send later requests elsewhere. */
  startDrain(): void {
    this.#session.close();
  }

  /** Resets each stream first: a client may take the end of a connection for the end of a body. */
  destroy(): void {
    for (const side of this.#sides) side.abort();
    setImmediate(() => this.client.reset());
  }

  evict(mayBeIdle: boolean): boolean {
    if (this.#sides.size > 0 || (this.#hadRequest && !mayBeIdle)) return false;
    this.#session.destroy(undefined, constants.NGHTTP2_NO_ERROR);
    setImmediate(() => this.client.stream.destroy());
    return true;
  }

  #onStream(stream: ServerHttp2Stream, rawFields: FieldList): void {
    const { starter } = this.#context;
    this.#hadRequest = true;
    const { limits, underscoreFields } = this.listener;
    const trustedOnly = trustedOnlyFor(this.listener, this.facts);
    const head = readNodeHttp2Head(rawFields, !stream.endAfterHeaders, limits, underscoreFields, trustedOnly);
    const isRefused = typeof head === 'string';
    const side = new NodeHttp2ClientSide(this, stream, isRefused ? null : head);
    this.#sides.add(side);
    this.#counts.streams(1);
    stream.on('aborted', () => this.#counts.resetReceived());
    this.#window.onStream(this.#sides.size);
    if (isRefused) side.sendLocalReply(starter.refuse(this.facts, head));
    else side.begin(starter, this.clock.nowMs());
    this.#requestsLeft -= 1;
    if (this.#requestsLeft <= 0) this.#session.close();
  }

  /** Sends GOAWAY; where that was done before, the client doesn't close, and the socket is destroyed. */
  #end(): void {
    if (this.#session.closed) this.client.stream.destroy();
    else this.#session.close();
  }

  /**
   * node:http2 destroys a session at every protocol error, although nghttp2 has reset the stream alone where the fault is
   * the stream's (RFC 9113 section 5.4.2: DATA beyond content-length). A fault of the connection ends it
   * in any case: nghttp2 sends GOAWAY, and reads nothing more.
   */
  #tolerateStreamFaults(): void {
    const session = this.#session;
    const destroy = session.destroy.bind(session);
    session.destroy = (error?: Error, code?: number): void => {
      // node:http2 itself passes a number in place of an error, too.
      const isStreamFault = error instanceof Error && 'errno' in error && error.errno === ERR_PROTO;
      if (isStreamFault && ++this.#streamFaults <= MAX_STREAM_FAULTS) this.#checkAlive();
      else destroy(error, code);
    };
  }

  /** A session that nghttp2 has terminated answers nothing more: no PING comes back. */
  #checkAlive(): void {
    if (this.#faultMs < 0) this.#faultMs = this.clock.nowMs();
    this.#session.ping(() => (this.#faultMs = -1));
  }

  #onError(error: Error & { code?: string }): void {
    const { peerAddress, listenerName } = this.facts;
    const fields = { listener: listenerName, peer: peerAddress, error: error.code ?? error.message };
    this.#context.log.debug(fields, 'HTTP/2 connection failed');
  }

  #closed(): void {
    this.#counts.closed();
    this.#context.sweeper.delete(this);
  }
}
