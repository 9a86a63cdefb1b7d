// One HTTP/2 connection of a client: its streams as exchanges, its limits, and how it ends. Thread: worker.

import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Clock } from '../../../core/clock.ts';
import type { ClientConnection } from '../../../core/exchange-contract.ts';
import type { FieldList } from '../../../core/head.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import type { DownstreamContext, DrainableConnection } from '../downstream-context.ts';
import { NodeHttp2ClientSide, type NodeHttp2Host } from './node-http2-client-side.ts';
import { readNodeHttp2Head } from './node-http2-head.ts';
import { NodeHttp2Window } from './node-http2-window.ts';
import { jittered } from '../accept/connection-ledger.ts';
import type { Swept } from '../accept/sweeper.ts';

export class NodeHttp2Connection implements NodeHttp2Host, Swept, DrainableConnection {
  readonly client: ClientSocket;
  readonly listener: ListenerSnapshot;
  readonly #context: DownstreamContext;
  readonly #session: ServerHttp2Session;
  readonly #window: NodeHttp2Window;
  readonly #sides = new Set<NodeHttp2ClientSide>();
  #requestsLeft: number;
  #hadRequest = false;
  /** Monotonic ms since when no stream is open. */
  #idleSinceMs: number;

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
    this.#window = new NodeHttp2Window(session, client.stream);
    this.#requestsLeft = jittered(listener.limits.requestsPerConnection, context.random);
    this.#idleSinceMs = context.clock.nowMs();
    session.on('stream', (stream, _headers, _flags, rawFields) => this.#onStream(stream, rawFields));
    session.on('error', (error) => this.#onError(error));
    session.on('close', () => this.#closed());
    // Half-closed is gone: without its window updates and resets a client can't take part any more.
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

  sideClosed(side: NodeHttp2ClientSide): void {
    this.#sides.delete(side);
    if (this.#sides.size === 0) this.#idleSinceMs = this.clock.nowMs();
  }

  sweep(nowMs: number): void {
    this.#window.sweep(this.#sides.size);
    for (const side of this.#sides) side.sweep(nowMs);
    if (this.#sides.size > 0) return;
    const { keepAliveMs, headMs } = this.listener.timeouts;
    // A head that never becomes whole (CONTINUATION by the byte) opens no stream, and so falls under these, too.
    if (nowMs - this.#idleSinceMs > (this.#hadRequest ? keepAliveMs : headMs)) this.#end();
  }

  /** GOAWAY: streams that are open finish, and what the client sends meanwhile it may safely send elsewhere. */
  startDrain(): void {
    this.#session.close();
  }

  /** Each stream is reset by name first: a client may take a connection's end for the end of a body. */
  destroy(): void {
    for (const side of this.#sides) side.abandon();
    setImmediate(() => this.client.reset());
  }

  #onStream(stream: ServerHttp2Stream, rawFields: FieldList): void {
    const { starter } = this.#context;
    this.#hadRequest = true;
    const head = readNodeHttp2Head(rawFields, !stream.endAfterHeaders, this.listener.limits);
    const isRefused = typeof head === 'string';
    const side = new NodeHttp2ClientSide(this, stream, isRefused ? null : head);
    this.#sides.add(side);
    this.#window.onStream(this.#sides.size);
    if (isRefused) side.sendLocalReply(starter.refuse(this.facts, head));
    else side.begin(starter, this.clock.nowMs());
    this.#requestsLeft -= 1;
    if (this.#requestsLeft <= 0) this.#session.close();
  }

  /** A second goodbye to a client that doesn't close is the socket's end. */
  #end(): void {
    if (this.#session.closed) this.client.stream.destroy();
    else this.#session.close();
  }

  #onError(error: Error & { code?: string }): void {
    const { peerAddress, listenerName } = this.facts;
    const fields = { listener: listenerName, peer: peerAddress, error: error.code ?? error.message };
    this.#context.log.debug(fields, 'an HTTP/2 connection has failed');
  }

  #closed(): void {
    this.#context.sweeper.delete(this);
  }
}
