// One connection to an endpoint: an undici Client that dials through net/ and gets a guarded socket. Thread: worker.

import type { Socket } from 'node:net';
import { Client, type buildConnector } from 'undici';
import type { DialTimes } from '../../../core/exchange-contract.ts';
import type { FailureKind } from '../../../core/failure.ts';
import type { UpstreamSettings } from '../../../core/snapshot/upstream.ts';
import type { HeadScanner } from '../../http1/head-scanner.ts';
import type { Dialler, Dialling, DialResult } from '../../../net/dial.ts';
import type { EndpointLane } from '../endpoint-lane.ts';
import type { IdleClose } from '../idle-deaths.ts';
import { configuredKeepAliveMs, KEEP_ALIVE_MARGIN_MS, MAX_KEEP_ALIVE_MS } from '../response-persistence.ts';
import { GuardedSocket } from './guarded-socket.ts';

/** The pool of a connection. */
export interface ConnectionOwner {
  readonly upstream: UpstreamSettings;
  readonly lane: EndpointLane;
  readonly scanner: HeadScanner;
  readonly dialler: Dialler;
  /** A response broke the protocol. */
  readonly onFault: (kind: FailureKind, reason: string) => void;
  /** The connection has served its request. */
  onFree(connection: PooledConnection): void;
  /** The endpoint has closed the connection while it was idle. */
  onIdleClose(close: IdleClose): void;
  /** The connection will serve no other request. */
  onDestroyed(connection: PooledConnection): void;
  /** undici has released the connection. */
  onClosed(connection: PooledConnection): void;
}

/** Unused: the connector dials the endpoint, and every request has a Host of its own. */
const ORIGIN = 'http://endpoint.invalid';

export class PooledConnection {
  readonly client: Client;
  /** Receives the times of the connection that is made for a traced attempt. */
  onDialled: ((times: DialTimes) => void) | null = null;
  readonly #owner: ConnectionOwner;
  readonly #preface: Uint8Array | null;
  #guard: GuardedSocket | null = null;
  #dialling: Dialling | null = null;
  #isLeased = true;
  #idleSinceMs = 0;
  #isDestroyed = false;

  /** @param preface bytes that the connection begins with */
  constructor(owner: ConnectionOwner, preface: Uint8Array | null) {
    this.#owner = owner;
    this.#preface = preface;
    this.client = new Client(ORIGIN, clientOptions(owner.upstream, this.#connect));
    this.client.on('drain', this.#onDrain);
  }

  /** The socket that undici uses; null before the connection is made and after it is lost. */
  get guard(): GuardedSocket | null {
    return this.#guard;
  }

  get isReusable(): boolean {
    return !this.#isDestroyed && this.#guard !== null && this.#guard.isReusable;
  }

  /** Leases the idle connection to another request. */
  take(): void {
    this.#isLeased = true;
  }

  /** Closes the connection now, with the request on it. */
  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#owner.onDestroyed(this);
    this.#dialling?.abort();
    this.client.destroy(null, () => this.#owner.onClosed(this));
  }

  readonly #connect = (_options: buildConnector.Options, connected: buildConnector.Callback): void => {
    const dialled: DialResult = (error, socket, times) => {
      this.#dialling = null;
      this.onDialled?.(times);
      this.onDialled = null;
      if (socket === null) {
        connected(error ?? new Error('no socket'), null);
        return;
      }
      const guard = new GuardedSocket(socket, this.#owner);
      this.#guard = guard;
      guard.once('close', () => this.#onGuardClosed(guard));
      // Of a Socket undici uses only what a Duplex has, and ref and unref, which the guard has.
      connected(null, guard as unknown as Socket);
    };
    this.#dialling = this.#owner.dialler.dial(dialled, undefined, this.#preface);
  };

  /** Emitted by undici when its request is over and the socket is either free or lost. */
  readonly #onDrain = (): void => {
    if (this.#isDestroyed) return;
    this.#isLeased = false;
    this.#idleSinceMs = performance.now();
    this.#owner.onFree(this);
  };

  /**
   * While leased, undici fails the request, or dials again if it had not begun to write it. Destroyed in a microtask:
   * undici must have seen the close first, or its `destroy` never calls back.
   */
  #onGuardClosed(guard: GuardedSocket): void {
    if (this.#guard === guard) this.#guard = null;
    queueMicrotask(() => {
      if (this.#isLeased || this.#guard !== null) return;
      const idleMs = performance.now() - this.#idleSinceMs;
      const wasClosed = guard.wasClosedByEndpoint && !this.#isDestroyed;
      this.destroy();
      if (wasClosed) this.#owner.onIdleClose({ idleMs, announcedMs: guard.announcedMs });
    });
  }
}

function clientOptions(upstream: UpstreamSettings, connect: buildConnector.connector): Client.Options {
  const { keepAliveMs } = upstream.timeouts;
  return {
    connect,
    allowH2: false,
    pipelining: 1,
    // The exchange has its own timers; undici's have a resolution of half a second.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: configuredKeepAliveMs(keepAliveMs),
    keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
    maxHeaderSize: upstream.responseHeadBytes,
    maxResponseSize: -1,
    strictContentLength: true,
  };
}
