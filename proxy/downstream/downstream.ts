// The clients' side of a worker: listeners bound and kept over reloads, connections counted, drains. Thread: worker.

import type { Socket } from 'node:net';
import { compileCidrs } from '../../core/cidr.ts';
import type { Clock } from '../../core/clock.ts';
import type { ExchangeStarter } from '../../core/exchange-contract.ts';
import type { Region } from '../../core/memory/region.ts';
import type { BoundListener, HeldDescriptors } from '../../core/messages.ts';
import { type Random, systemRandom } from '../../core/random.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import { systemTimers, type Timers } from '../../core/timers.ts';
import type { Logger } from '../../core/log.ts';
import { addressText } from './accept/listen-address.ts';
import { ConnectionFacts, type LiveListener } from './accept/connection-facts.ts';
import { ConnectionLedger } from './accept/connection-ledger.ts';
import { ConnectionServer } from './connection-server.ts';
import type { DownstreamContext, DrainableConnection } from './downstream-context.ts';
import type { Http1Context, Http1Parts } from './http1/http1-context.ts';
import { ResponseEncoder } from './http1/response-encoder.ts';
import { Listener } from './accept/listener.ts';
import { Sweeper } from './accept/sweeper.ts';

export interface DownstreamOptions {
  readonly starter: ExchangeStarter;
  readonly region: Region;
  readonly worker: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timers?: Timers;
  readonly random?: Random;
  /** What the fast path works with; left out, it is off. */
  readonly fast?: Http1Parts;
  /** Whether new connections are served by the fast path; always, unless told. */
  readonly isFastPathOn?: () => boolean;
  /** Precision of idle limits, in ms; see SWEEP_INTERVAL_MS. */
  readonly sweepIntervalMs?: number;
}

const ACCEPT_LOG_MS = 10_000;

/** A connection idle for less may have its next request on the way: a drain waits for it that long. */
const DRAIN_IDLE_MS = 500;
/** Before the end of a drain's grace idle connections are closed softly, so that none of them is reset. */
const GOODBYE_MS = 1_500;

/** What serves the new connections of a listener; replaced in place when its settings change. */
interface Serving extends LiveListener {
  server: ConnectionServer;
  isTrusted: (address: string) => boolean;
}

interface ActiveListener {
  readonly listener: Listener;
  readonly serving: Serving;
}

export class Downstream {
  readonly #worker: number;
  readonly #timers: Timers;
  readonly #context: DownstreamContext;
  readonly #fast: Http1Context | null;
  /** By what they are bound to: see keyOf. */
  #active: ReadonlyMap<string, ActiveListener> = new Map();
  /** Every accepted socket; null while TLS is being negotiated on it. */
  readonly #connections = new Map<Socket, DrainableConnection | null>();
  #applied: Promise<unknown> = Promise.resolve();
  /** Monotonic ms at which a failure to accept was logged last. */
  #acceptLoggedMs = Number.NEGATIVE_INFINITY;
  #isDraining = false;
  /** Monotonic ms until which a drain lets connections be idle. */
  #idleUntilMs = 0;
  #drained: (() => void) | null = null;

  constructor(options: DownstreamOptions) {
    const { starter, region, worker, clock, log } = options;
    const timers = options.timers ?? systemTimers;
    this.#worker = worker;
    this.#timers = timers;
    this.#context = {
      starter,
      clock,
      log,
      random: options.random ?? systemRandom,
      sweeper: new Sweeper(clock, timers, options.sweepIntervalMs),
      ledger: new ConnectionLedger(region, worker),
      isDraining: () => this.#isDraining,
      mayBeIdleUntilMs: (sinceMs) => Math.max(sinceMs + DRAIN_IDLE_MS, this.#idleUntilMs),
    };
    this.#fast = options.fast === undefined ? null : fastContext(this.#context, options.fast, options.isFastPathOn);
  }

  /** Client connections that are open in this worker. */
  get openConnections(): number {
    return this.#context.ledger.openCount;
  }

  /**
   * Makes the listeners those of a Snapshot: binds new ones, keeps those whose address stays (with new settings for new
   * connections), and stops those that are gone once all others are bound. Where one can't be bound nothing changes.
   * @param held sockets that are bound already: their listeners take these, and bind nothing
   * @returns where each is bound, in the Snapshot's order
   * @throws ListenError
   */
  apply(snapshots: readonly ListenerSnapshot[], held: HeldDescriptors = {}): Promise<BoundListener[]> {
    // One after the other: two at once would both bind what is new, and one of the sockets would be forgotten.
    const applied = this.#applied.then(() => this.#apply(snapshots, held));
    this.#applied = applied.catch(() => undefined);
    return applied;
  }

  async #apply(snapshots: readonly ListenerSnapshot[], held: HeldDescriptors): Promise<BoundListener[]> {
    const before = this.#active;
    const fresh = await this.#bindAll(
      snapshots.filter((snapshot) => !before.has(keyOf(snapshot))),
      held,
    );
    for (const snapshot of snapshots) await before.get(keyOf(snapshot))?.listener.take(held[snapshot.name] ?? []);
    const after = new Map<string, ActiveListener>();
    const bound: BoundListener[] = [];
    for (const snapshot of snapshots) {
      const key = keyOf(snapshot);
      const active = fresh.get(key) ?? this.#updated(before.get(key)!, snapshot);
      const { listener } = active;
      // Where the system chose the port, the Snapshots that follow name it: the listener must be found by it then.
      after.set(keyOf(snapshot, listener.port), active);
      bound.push(listener.boundAs(snapshot.name));
    }
    this.#active = after;
    for (const [key, { listener }] of before) if (!after.has(key)) listener.close();
    return bound;
  }

  /**
   * Stops accepting and ends connections as soon as nothing is lost by it: after the next response, which says so; idle
   * ones after `idleMs`, and half a second after their last request at the soonest, since another request may be on its
   * way. What is left after `graceMs` is cut. Resolves when none is open.
   */
  async drain(graceMs: number, idleMs = 0): Promise<void> {
    this.#isDraining = true;
    this.#idleUntilMs = this.#context.clock.nowMs() + Math.min(idleMs, graceMs - GOODBYE_MS);
    for (const { listener } of this.#active.values()) listener.close();
    for (const connection of this.#connections.values()) connection?.startDrain();
    const deadline = this.#timers.after(graceMs, () => this.#destroyAll());
    await this.#allClosed();
    deadline.cancel();
  }

  /** Binds several; where one fails, none stays bound. */
  async #bindAll(snapshots: readonly ListenerSnapshot[], held: HeldDescriptors): Promise<Map<string, ActiveListener>> {
    const bound = new Map<string, ActiveListener>();
    try {
      for (const snapshot of snapshots) bound.set(keyOf(snapshot), await this.#bind(snapshot, held[snapshot.name]));
    } catch (error) {
      for (const { listener } of bound.values()) listener.close();
      throw error;
    }
    return bound;
  }

  async #bind(snapshot: ListenerSnapshot, descriptors: readonly number[] | undefined): Promise<ActiveListener> {
    const serving = this.#servingOf(snapshot);
    const events = {
      accepted: (socket: Socket): void => this.#accept(serving, socket),
      failed: (error: NodeJS.ErrnoException): void => this.#acceptFailed(serving, error),
    };
    const listener = await Listener.bind(snapshot, this.#worker, events, descriptors);
    // A descriptor that was configured may take connections for other addresses, too (TPROXY).
    if (snapshot.bind.kind === 'tcp') serving.port = listener.port;
    return { listener, serving };
  }

  /** Gives a bound listener new settings. Where they are the old ones, TLS contexts and all stay as they are. */
  #updated(active: ActiveListener, snapshot: ListenerSnapshot): ActiveListener {
    const { serving } = active;
    const isSame = settingsText(serving.snapshot) === settingsText(snapshot);
    if (isSame) serving.snapshot = snapshot;
    else Object.assign(serving, this.#servingOf(snapshot), { port: serving.port });
    return active;
  }

  #servingOf(snapshot: ListenerSnapshot): Serving {
    const spoken = (raw: Socket, connection: DrainableConnection): void => this.#spoken(raw, connection);
    const server = new ConnectionServer(this.#context, snapshot, spoken, this.#fast);
    return { snapshot, port: 0, server, isTrusted: compileCidrs(snapshot.trustedProxies) };
  }

  #accept(serving: Serving, socket: Socket): void {
    socket.on('error', () => undefined);
    const { ledger } = this.#context;
    const { index } = serving.snapshot;
    if (ledger.isFull(serving.snapshot)) {
      ledger.refused(index);
      socket.destroy();
      return;
    }
    const close = ledger.opened(index);
    this.#connections.set(socket, null);
    socket.on('close', () => {
      close();
      this.#connections.delete(socket);
      if (this.#connections.size === 0) this.#drained?.();
    });
    serving.server.accept(socket, new ConnectionFacts(socket, serving, serving.isTrusted));
  }

  /** For want of descriptors, mostly. Logged now and then only: it comes with every connection that waits. */
  #acceptFailed({ snapshot }: Serving, error: NodeJS.ErrnoException): void {
    const nowMs = this.#context.clock.nowMs();
    if (nowMs - this.#acceptLoggedMs < ACCEPT_LOG_MS) return;
    this.#acceptLoggedMs = nowMs;
    this.#context.log.warn({ listener: snapshot.name, error: error.code }, 'connections cannot be accepted');
  }

  #spoken(raw: Socket, connection: DrainableConnection): void {
    if (!raw.destroyed) this.#connections.set(raw, connection);
    if (this.#isDraining) connection.startDrain();
  }

  #allClosed(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  #destroyAll(): void {
    for (const [socket, connection] of this.#connections) {
      if (connection === null) socket.destroy();
      else connection.destroy();
    }
  }
}

function fastContext(context: DownstreamContext, parts: Http1Parts, isOn = (): boolean => true): Http1Context {
  const { starter, random, ledger } = context;
  const encoder = new ResponseEncoder(parts.turn);
  const { isDraining, mayBeIdleUntilMs } = context;
  const draining = { isDraining, mayBeIdleUntilMs };
  return { ...parts, encoder, starter, random, ledger, isOn, ...draining };
}

/** What a listener is known by over reloads: its address; where the system chooses the port, its name, too. */
function keyOf({ bind, name }: ListenerSnapshot, chosenPort = 0): string {
  if (bind.kind !== 'tcp' || bind.port !== 0) return addressText(bind);
  return chosenPort === 0 ? `${addressText(bind)} ${name}` : addressText({ ...bind, port: chosenPort });
}

/** What serving depends on: everything but the listener's place and name, which are looked up live. */
function settingsText(snapshot: ListenerSnapshot): string {
  return JSON.stringify({ ...snapshot, index: 0, name: '' });
}
