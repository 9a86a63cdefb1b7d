// Rolls a Snapshot out to the workers in two phases. `prepare` does everything that can fail: it starts missing workers
// and binds new listeners on all of them, without serving. `apply` then installs the Snapshot. Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { deltaOf } from '../../core/endpoint-delta.ts';
import type { BoundListener, EndpointChange, HeldDescriptors } from '../../core/messages.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { Timers } from '../../core/timers.ts';
import { checkAddresses } from './address-check.ts';
import { type InheritedSockets, keyOfListener } from './inherited-sockets.ts';
import { unservedWords } from './listener-share.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** A worker that hasn't bound new listeners by then has the reload refused. */
const PREPARE_MS = 30_000;
/** A worker that hasn't installed a Snapshot by then is reported. */
const INSTALL_MS = 5_000;

const NOTHING: HeldDescriptors = {};

/** The workers, by the supervisor. */
export interface Fleet {
  readonly handles: readonly WorkerHandle[];
  readonly isEnding: boolean;
  launch(index: number, snapshot: Snapshot, descriptors: HeldDescriptors): Promise<void>;
  /** Starts a worker that has exited on the Snapshot that runs; does nothing for others. */
  relaunch(index: number): Promise<boolean>;
  dismiss(handle: WorkerHandle, graceMs: number): void;
}

export interface RolloutParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  readonly onSocketLost?: () => void;
  readonly onSocketsReleased?: (keys: readonly string[]) => void;
}

export class Rollout {
  readonly #fleet: Fleet;
  readonly #sockets: InheritedSockets;
  readonly #parts: RolloutParts;
  /** The Snapshot that runs; null before the first. */
  #snapshot: Snapshot | null = null;
  #bound: readonly BoundListener[] = [];
  /** Workers that `prepare` has started for a Snapshot that is not applied yet. */
  #recruits: readonly number[] = [];
  /** Listeners that `prepare` has bound for it. */
  #prepared: readonly BoundListener[] = [];
  #tickets = 0;

  constructor(fleet: Fleet, sockets: InheritedSockets, parts: RolloutParts) {
    this.#fleet = fleet;
    this.#sockets = sockets;
    this.#parts = parts;
  }

  get bound(): readonly BoundListener[] {
    return this.#bound;
  }

  /** Whether the Snapshot that runs has a place for this worker. */
  isWanted(index: number): boolean {
    return this.#snapshot !== null && index < this.#snapshot.workers;
  }

  /** The Snapshot and descriptors for a worker that is restarted. */
  startOf(index: number): { snapshot: Snapshot; descriptors: HeldDescriptors } {
    const snapshot = this.#snapshot!;
    const others = this.#fleet.handles.filter(({ isServing }) => isServing).map((handle) => handle.index);
    const given = this.#cover(snapshot.listeners, [index, ...others]);
    return { snapshot, descriptors: given.get(index) ?? NOTHING };
  }

  async prepare(next: Snapshot): Promise<Snapshot> {
    const known = withPorts(next, this.#bound);
    const current = this.#snapshot?.listeners ?? [];
    const active = new Set(current.map(keyOfListener));
    const fresh = known.listeners.filter((listener) => !active.has(keyOfListener(listener)));
    await checkAddresses(
      fresh.filter((listener) => !this.#sockets.has(keyOfListener(listener))),
      current.map(({ bind }) => bind),
      this.#snapshot?.admin?.bind ?? null,
    );
    try {
      await this.#recruit(known);
      return fresh.length === 0 ? known : withPorts(known, await this.#bind(known, fresh));
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  async discard(): Promise<void> {
    const recruits = this.#recruits;
    this.#recruits = [];
    this.#prepared = [];
    const { handles } = this.#fleet;
    for (const handle of handles) handle.send({ kind: 'discard' });
    await Promise.all(handles.filter(({ index }) => recruits.includes(index)).map((handle) => handle.kill()));
  }

  /** Sockets of workers that leave are given to those that stay before the former close them. */
  async apply(snapshot: Snapshot): Promise<void> {
    const before = this.#snapshot;
    const isFirst = before === null;
    const recruits = this.#recruits;
    this.#snapshot = snapshot;
    this.#recruits = [];
    this.#bound = inOrder(snapshot, [...this.#prepared, ...this.#bound]);
    this.#prepared = [];
    const staying = this.#fleet.handles.filter(({ index, isServing }) => isServing && index < snapshot.workers);
    const given = this.#cover(snapshot.listeners, indices(snapshot.workers));
    for (const handle of staying) {
      handle.send({ kind: 'snapshot', snapshot, descriptors: given.get(handle.index) ?? NOTHING });
    }
    for (const handle of this.#fleet.handles) {
      if (handle.index >= snapshot.workers && handle.isServing) this.#fleet.dismiss(handle, snapshot.graceMs);
      // A worker that drains binds no listener, and its open exchanges follow the newest settings.
      if (handle.state === 'draining') handle.send({ kind: 'snapshot', snapshot, descriptors: NOTHING });
    }
    // One that has died since it was prepared has been restarted by nobody.
    for (const index of recruits) void this.#fleet.relaunch(index);
    const installed = Promise.all(staying.map((handle) => handle.when('installed', snapshot.revision)));
    if (isFirst) await installed;
    else await this.#waitFor(installed, staying, snapshot.revision);
    this.#bound = inOrder(snapshot, [...staying.flatMap(({ bound }) => bound), ...this.#bound]);
    this.#releaseUnused(snapshot);
    this.#logUnserved(snapshot, before);
  }

  /** Logs new listeners that only some workers serve, and all of them where the number of workers has changed. */
  #logUnserved({ listeners, workers }: Snapshot, before: Snapshot | null): void {
    const known = new Set(before?.workers === workers ? before.listeners.map(keyOfListener) : []);
    for (const listener of listeners) {
      const key = keyOfListener(listener);
      const words = known.has(key) ? null : unservedWords(listener, workers, this.#sockets.acceptorsOf(key));
      if (words !== null) this.#parts.log.info({ listener: listener.name, workers }, words);
    }
  }

  /** Sends the difference to all workers: also to those that start, which have an earlier Snapshot, and that drain. */
  amend(snapshot: Snapshot, change: EndpointChange): void {
    const before = new Map(this.#snapshot?.upstreams.map(({ index, endpoints }) => [index, endpoints]));
    this.#snapshot = snapshot;
    const upstreams = change.upstreams.map(({ index, endpoints }) =>
      deltaOf(index, before.get(index) ?? [], endpoints),
    );
    const delta = { membership: change.membership, upstreams };
    for (const handle of this.#fleet.handles) handle.send({ kind: 'endpoints', delta });
  }

  /** Starts workers that are missing, without listeners: they bind theirs with the others. */
  async #recruit(next: Snapshot): Promise<void> {
    const states = new Map(this.#fleet.handles.map(({ index, state }) => [index, state]));
    const missing = indices(next.workers).filter((index) => {
      const state = states.get(index);
      // One that died is restarted after its delay.
      return state === undefined || (state === 'exited' && !this.isWanted(index));
    });
    this.#recruits = missing;
    // The first Snapshot to serve follows: without routes, so that they are copied once.
    const idle = { ...next, revision: 0, listeners: [], routes: [] };
    await Promise.all(missing.map((index) => this.#fleet.launch(index, idle, NOTHING)));
  }

  /** Where the system is to choose a port, the first worker binds alone: the port must be the same for all. */
  async #bind(next: Snapshot, fresh: readonly ListenerSnapshot[]): Promise<readonly BoundListener[]> {
    const workers = this.#fleet.handles.filter(({ index, isServing }) => isServing && index < next.workers);
    const [first, ...others] = workers.toSorted((a, b) => a.index - b.index);
    if (first?.index !== 0) throw new Error('worker 0 is being restarted: try again when it is back');
    const inherited = fresh.filter((listener) => this.#sockets.has(keyOfListener(listener)));
    const given = this.#cover(
      inherited,
      workers.map(({ index }) => index),
    );
    // Closing a configured descriptor would lose it: such listeners are bound when no other can fail any more.
    const ordered = fresh.toSorted((a, b) => Number(a.bind.kind === 'fd') - Number(b.bind.kind === 'fd'));
    const bindOn = (handle: WorkerHandle, listeners: readonly ListenerSnapshot[]) =>
      this.#prepareOn(handle, listeners, given.get(handle.index) ?? NOTHING);
    const bound = await bindOn(first, ordered);
    const resolved = ordered.map((listener) => withPort(listener, bound));
    for (const [index, listener] of ordered.entries()) {
      this.#sockets.rename(keyOfListener(listener), keyOfListener(resolved[index]!));
    }
    await Promise.all(others.map((handle) => bindOn(handle, resolved)));
    this.#prepared = bound;
    return bound;
  }

  async #prepareOn(
    handle: WorkerHandle,
    listeners: readonly ListenerSnapshot[],
    descriptors: HeldDescriptors,
  ): Promise<readonly BoundListener[]> {
    const ticket = ++this.#tickets;
    handle.send({ kind: 'prepare', ticket, listeners, descriptors });
    const { promise: late, reject } = Promise.withResolvers<never>();
    const limit = this.#parts.timers.after(PREPARE_MS, () =>
      reject(new Error(`worker ${handle.index} has not bound the new listeners within ${PREPARE_MS / 1_000} s`)),
    );
    try {
      return await Promise.race([handle.when('prepared', ticket), late]);
    } finally {
      limit.cancel();
    }
  }

  /** Waits for workers to install a Snapshot. Those that are late or fail are reported, and the reload goes on. */
  async #waitFor(installed: Promise<unknown>, workers: readonly WorkerHandle[], revision: number): Promise<void> {
    const { log, timers } = this.#parts;
    const { promise: limit, resolve } = Promise.withResolvers<void>();
    const timer = timers.after(INSTALL_MS, () => {
      const late = workers.filter((handle) => handle.isServing && handle.revision < revision).map(({ index }) => index);
      log.warn({ workers: late }, `workers ${late.join(', ')} have not installed revision ${revision} yet`);
      resolve();
    });
    await Promise.race([installed, limit]).catch((error: unknown) => {
      const text = `revision ${revision} is not installed on every worker: ${(error as Error).message}; reload again`;
      if (!this.#fleet.isEnding) log.error({ err: error }, text);
    });
    timer.cancel();
  }

  /** Descriptors of inherited sockets for each worker. */
  #cover(listeners: readonly ListenerSnapshot[], workers: readonly number[]): ReadonlyMap<number, HeldDescriptors> {
    const { given, isShort } = this.#sockets.cover(listeners, workers);
    if (isShort && !this.#fleet.isEnding) {
      this.#parts.log.error({}, 'an inherited socket has no descriptor left for a worker');
      this.#parts.onSocketLost?.();
    }
    return given;
  }

  #releaseUnused({ listeners }: Snapshot): void {
    const keys = this.#sockets.retain(listeners);
    if (keys.length > 0) this.#parts.onSocketsReleased?.(keys);
  }
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function inOrder({ listeners }: Snapshot, bound: readonly BoundListener[]): BoundListener[] {
  return listeners.flatMap(({ name }) => bound.find((one) => one.name === name) ?? []);
}

/** The Snapshot with the ports that the system chose in place of port 0. */
function withPorts(snapshot: Snapshot, bound: readonly BoundListener[]): Snapshot {
  return { ...snapshot, listeners: snapshot.listeners.map((listener) => withPort(listener, bound)) };
}

function withPort(listener: ListenerSnapshot, bound: readonly BoundListener[]): ListenerSnapshot {
  const { name, bind } = listener;
  const chosen = bound.find((one) => one.name === name);
  if (bind.kind !== 'tcp' || bind.port !== 0 || chosen === undefined) return listener;
  return { ...listener, bind: { ...bind, port: chosen.port } };
}
