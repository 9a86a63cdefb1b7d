// One connection to an endpoint: an undici Client that dials through us and gets a guarded socket. Thread: worker.

import type { Socket } from 'node:net';
import { Client, type buildConnector } from 'undici';
import type { UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import type { HeadScanner } from '../../http1/head-scanner.ts';
import type { Dialler, Dialling } from '../../../net/dial.ts';
import type { EndpointLane } from '../endpoint-lane.ts';
import { GuardedSocket } from './guarded-socket.ts';

/** Whoever keeps connections. */
export interface ConnectionOwner {
  readonly upstream: UpstreamSnapshot;
  readonly lane: EndpointLane;
  readonly scanner: HeadScanner;
  readonly dialler: Dialler;
  /** The connection has served its request and could take another. */
  onFree(connection: PooledConnection): void;
  /** The endpoint has ended the connection while it was idle. */
  onIdleDeath(connection: PooledConnection): void;
  /** The connection will serve no other request. */
  onDestroyed(connection: PooledConnection): void;
  /** Nothing is left of it. */
  onClosed(connection: PooledConnection): void;
}

/** Never looked at: the connector dials the endpoint, and every request brings its own Host. */
const ORIGIN = 'http://endpoint.invalid';
/** An endpoint's Keep-Alive hint counts up to here. */
const MAX_KEEP_ALIVE_MS = 600_000;
/** What is taken off the hint, so that we close before the endpoint does (the stale connection race). */
const KEEP_ALIVE_MARGIN_MS = 2000;

export class PooledConnection {
  readonly client: Client;
  readonly #owner: ConnectionOwner;
  #guard: GuardedSocket | null = null;
  #dialling: Dialling | null = null;
  #isLeased = true;
  #isDestroyed = false;

  constructor(owner: ConnectionOwner) {
    this.#owner = owner;
    this.client = new Client(ORIGIN, clientOptions(owner.upstream, this.#connect));
    this.client.on('drain', this.#onDrain);
  }

  /** The socket as undici has it; null while there is none. */
  get guard(): GuardedSocket | null {
    return this.#guard;
  }

  get isReusable(): boolean {
    return !this.#isDestroyed && this.#guard !== null && this.#guard.isReusable;
  }

  /** The connection is idle and is taken for another request. */
  take(): void {
    this.#isLeased = true;
  }

  /** The request for which it was leased was never begun. */
  giveBack(): void {
    this.#onDrain();
  }

  /** Ends the connection at once, whatever is under way on it. */
  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#owner.onDestroyed(this);
    this.#dialling?.abort();
    this.client.destroy(null, () => this.#owner.onClosed(this));
  }

  readonly #connect = (_options: buildConnector.Options, connected: buildConnector.Callback): void => {
    this.#dialling = this.#owner.dialler.dial((error, socket) => {
      this.#dialling = null;
      if (socket === null) {
        connected(error ?? new Error('no socket'), null);
        return;
      }
      const guard = new GuardedSocket(socket, this.#owner.scanner, this.#owner.lane);
      this.#guard = guard;
      guard.once('close', () => this.#onGuardClosed(guard));
      // undici uses nothing of a Socket but what a Duplex has, and ref and unref, which the guard has.
      connected(null, guard as unknown as Socket);
    });
  };

  /** undici says this when its request is over and the socket is either free or gone. */
  readonly #onDrain = (): void => {
    if (this.#isDestroyed) return;
    this.#isLeased = false;
    this.#owner.onFree(this);
  };

  /**
   * While leased, undici tells the request, or dials again where it had not begun to write it. Destroyed in a turn of
   * its own: undici must have seen the close first, or its `destroy` waits for it for ever.
   */
  #onGuardClosed(guard: GuardedSocket): void {
    if (this.#guard === guard) this.#guard = null;
    queueMicrotask(() => {
      if (this.#isLeased || this.#guard !== null) return;
      const isDeath = guard.wasEndedByEndpoint && !this.#isDestroyed;
      this.destroy();
      if (isDeath) this.#owner.onIdleDeath(this);
    });
  }
}

function clientOptions(upstream: UpstreamSnapshot, connect: buildConnector.connector): Client.Options {
  const { keepAliveMs } = upstream.timeouts;
  return {
    connect,
    allowH2: false,
    pipelining: 1,
    // The exchange keeps time; undici's own timers are half a second coarse.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs === 0 ? MAX_KEEP_ALIVE_MS : keepAliveMs,
    keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
    maxHeaderSize: upstream.responseHeadBytes,
    maxResponseSize: -1,
    strictContentLength: true,
  };
}
