// A TCP session: one connection of a client, and the one to an endpoint to which its bytes are relayed. Holds its state and
// the bytes that the client sends before an endpoint is connected. Thread: worker.

import type { ClientConnection } from '../../../core/exchange-contract.ts';
import type { RetryVerdict } from '../../../core/exchange-record.ts';
import type { Failure } from '../../../core/failure.ts';
import type { EndpointSnapshot } from '../../../core/snapshot/endpoint.ts';
import type { TcpRouteSnapshot } from '../../../core/snapshot/route.ts';
import type { Termination } from '../../../core/termination.ts';
import { WheelTimer } from '../../../core/timer-wheel.ts';
import type { Dialling } from '../../../net/dial.ts';
import type { UpstreamRuntime } from '../../exchange/runtime.ts';
import { type Placeable, Placement } from '../../placement/placeable.ts';
import type { Relay } from '../../upstream/tcp/relay.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import type { DrainableConnection } from '../downstream-context.ts';
import { assertSessionTransition, SESSION_STATE, type SessionState } from './session-state.ts';

const NO_PROTOCOLS: readonly string[] = [];

/** Bytes of the client that are held until an endpoint is connected; the rest waits in the socket. */
const HELD_BYTES = 65_536;

/** Receives the events of sessions, none of them after `over`. */
export interface SessionHooks {
  timerFired(session: TcpSession): void;
  /** The client's connection has closed before an endpoint was connected. */
  clientGone(session: TcpSession): void;
  /** The session must end now. */
  cut(session: TcpSession, cause: Termination): void;
}

/** The parts with which a session begins. */
export interface SessionStart {
  readonly client: ClientSocket;
  /** Whether the first bytes are the ClientHello of a TLS handshake that the endpoint answers. */
  readonly hasHello: boolean;
  readonly id: string;
  readonly nowMs: number;
  readonly wallMs: number;
}

/** The attempt at one endpoint. */
export interface SessionAttempt {
  readonly endpoint: EndpointSnapshot;
  readonly beganMs: number;
  /** Whether it decides about a half-open endpoint. */
  isTrial: boolean;
  /** Whether its outcome was reported. */
  isJudged: boolean;
  /** Whether its place at the endpoint was released. */
  isOver: boolean;
}

export class TcpSession implements Placeable, DrainableConnection {
  readonly id: string;
  readonly client: ClientSocket;
  readonly hasHello: boolean;
  readonly placement = new Placement();
  readonly timer: WheelTimer;
  readonly beganWallMs: number;
  readonly acceptedMs: number;
  /** Monotonic ms; 0 where not reached. */
  routedMs = 0;
  connectedMs = 0;
  firstByteMs = 0;
  /** When a byte last moved. */
  activeMs = 0;
  /** When a reload replaced the Snapshot with which it began, and when one removed its endpoint. */
  replacedMs = 0;
  removedMs = 0;
  bytesFromClient = 0;
  bytesFromEndpoint = 0;
  route: TcpRouteSnapshot | null = null;
  target: UpstreamRuntime | null = null;
  attempt: SessionAttempt | null = null;
  firstEndpoint: EndpointSnapshot | null = null;
  lastFailure: Failure | null = null;
  dialling: Dialling | null = null;
  relay: Relay | null = null;
  /** Whether an attempt after the first is in progress. */
  isRetrying = false;
  /** Whether the client has half-closed before an endpoint was connected. */
  hasClientEnded = false;
  readonly #hooks: SessionHooks;
  #state: SessionState = SESSION_STATE.accepted;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor({ client, hasHello, id, nowMs, wallMs }: SessionStart, hooks: SessionHooks) {
    this.#hooks = hooks;
    this.client = client;
    this.hasHello = hasHello;
    this.id = id;
    this.acceptedMs = nowMs;
    this.activeMs = nowMs;
    this.beganWallMs = wallMs;
    this.timer = new WheelTimer(() => this.#hooks.timerFired(this));
    this.placement.reset(nowMs);
    client.stream.on('data', this.#hold).on('end', this.#onEnd).on('close', this.#onClose);
  }

  // ---- state

  get state(): SessionState {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#state === SESSION_STATE.over;
  }

  /** @throws Error where the transition isn't allowed */
  enter(next: SessionState): void {
    assertSessionTransition(this.#state, next);
    this.#state = next;
    if (next === SESSION_STATE.over) this.#leave();
  }

  /** Ends the holding of bytes, and returns those that the client has sent so far. */
  takeHeld(): readonly Buffer[] {
    this.#leave();
    const held = this.#held;
    this.#held = [];
    return held;
  }

  // ---- facts

  get connection(): ClientConnection {
    return this.client.facts;
  }

  /** In place of a request's, in PROXY protocol headers. */
  get requestId(): string {
    return this.id;
  }

  get clientAddress(): string {
    return this.client.facts.peerAddress;
  }

  /** As routes compare it; '' for none. */
  get serverName(): string {
    return this.client.facts.serverName.toLowerCase().replace(/\.$/, '');
  }

  /** Protocols of ALPN, as routes compare them. */
  get protocols(): readonly string[] {
    return this.client.facts.protocols ?? NO_PROTOCOLS;
  }

  get routeName(): string {
    return this.route?.name ?? '';
  }

  get retryVerdict(): RetryVerdict {
    return this.placement.retryVerdict;
  }

  /** Whether a retry went to another endpoint. */
  get wasRedispatched(): boolean {
    return this.attempt !== null && this.attempt.endpoint !== this.firstEndpoint;
  }

  // ---- Placeable: before it is connected nothing of a session has been sent

  get isSheddable(): boolean {
    return this.route?.priority === 'sheddable';
  }

  readonly isIdempotent = true;
  readonly isReplayable = true;
  readonly isHedgeable = false;
  readonly hasResponseBegun = false;
  readonly requestEndMs = 0;

  // ---- DrainableConnection

  /** A session may continue until the deadline of the drain. */
  startDrain(): void {}

  destroy(): void {
    if (this.isOver) this.client.reset();
    else this.#hooks.cut(this, 'drainedSession');
  }

  /** A session that is connected is in use, even where no byte moves. */
  evict(): boolean {
    return false;
  }

  // ---- the client, until the relay takes over

  readonly #hold = (bytes: Buffer): void => {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= HELD_BYTES) this.client.stream.pause();
  };

  readonly #onEnd = (): void => {
    this.hasClientEnded = true;
  };

  readonly #onClose = (): void => {
    if (!this.isOver) this.#hooks.clientGone(this);
  };

  #leave(): void {
    this.client.stream.off('data', this.#hold).off('end', this.#onEnd).off('close', this.#onClose);
  }
}
