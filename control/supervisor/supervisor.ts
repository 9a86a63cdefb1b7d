// Keeps the workers alive: starts them, hands them Snapshots, replaces those that die, and lets them drain.
// Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { repairAfterCrash } from '../../core/memory/reservation.ts';
import { WORKER } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import type { BoundListener, HeldDescriptors, MessageToMain, MessageToWorker } from '../../core/messages.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { Timers } from '../../core/timers.ts';
import { BindError } from './bind-error.ts';
import { DescriptorWatch } from './descriptor-watch.ts';
import { InheritedSockets, keyOfListener } from './inherited-sockets.ts';
import { probePorts } from './port-probe.ts';
import { RestartPolicy } from './restart-policy.ts';
import { WorkerLiveness } from './worker-liveness.ts';
import { WorkerHandle, type WorkerEvents, type WorkerState } from './worker-handle.ts';

/** A worker that hasn't taken a Snapshot over by then is reported. */
const ACKNOWLEDGE_MS = 5_000;
/** A worker that doesn't listen by then never will: it is ended, and the start with it. */
const LISTEN_MS = 30_000;
/** What a drain gets on top of its grace before threads are ended by force. */
const KILL_AFTER_MS = 2_000;

const NOTHING: HeldDescriptors = {};

export interface SupervisorParts {
  readonly workerUrl: URL;
  readonly region: Region;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** Messages about endpoints and logs; the supervisor keeps those about workers to itself. */
  readonly onMessage: (worker: number, message: MessageToMain) => void;
  /** A worker has ended: what it held is given back by then. */
  readonly onWorkerGone: (worker: number) => void;
  /** Sockets that the process was given; none, unless told. */
  readonly sockets?: InheritedSockets;
  /** A socket that was given has no descriptor left for a worker: only another process can have it served. */
  readonly onSocketLost?: () => void;
  /** Sockets that were given are needed no longer; these are their keys. */
  readonly onSocketsReleased?: (keys: readonly string[]) => void;
}

export interface WorkerStatus {
  readonly worker: number;
  readonly state: WorkerState;
  readonly startedMs: number;
  readonly restarts: number;
  readonly revision: number;
}

export class Supervisor implements WorkerEvents {
  readonly #parts: SupervisorParts;
  readonly #sockets: InheritedSockets;
  readonly #beats: WorkerLiveness;
  readonly #handles = new Map<number, WorkerHandle>();
  readonly #policies = new Map<number, RestartPolicy>();
  readonly #restarts = new Map<number, number>();
  readonly #waiting = new Map<
    WorkerHandle,
    { resolve: (bound: readonly BoundListener[]) => void; reject: (error: Error) => void }
  >();
  readonly #descriptors: DescriptorWatch;
  #snapshot: Snapshot | null = null;
  #isEnding = false;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#sockets = parts.sockets ?? new InheritedSockets({});
    this.#beats = new WorkerLiveness(parts.region);
    this.#descriptors = new DescriptorWatch(parts.region, parts.timers, (text, fields) => parts.log.warn(fields, text));
  }

  /**
   * Starts the workers of a Snapshot. Where the system is to choose a port, the first worker starts alone, because the
   * port must be the same for all. Resolves with the bound addresses. @throws BindError when a listener can't be bound.
   */
  async start(snapshot: Snapshot): Promise<readonly BoundListener[]> {
    this.#snapshot = snapshot;
    await probePorts(snapshot.listeners.filter((listener) => !this.#sockets.has(keyOfListener(listener))));
    const held = this.#cover(snapshot, indices(snapshot.workers));
    try {
      const first = this.#startWorker(0, snapshot, held);
      if (choosesPort(snapshot)) this.#snapshot = this.#withPorts(snapshot, await first);
      const others = indices(snapshot.workers).slice(1);
      const starting = others.map((index) => this.#startWorker(index, this.#snapshot!, held));
      const [bound] = await Promise.all([first, ...starting]);
      this.#descriptors.start();
      this.#releaseUnused(this.#snapshot);
      return bound;
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /**
   * Gives a new Snapshot to all workers; resolves when each runs on it. Sockets of workers that go are given to those
   * that stay, before they go.
   */
  async apply(next: Snapshot): Promise<void> {
    const bound = this.#handles.get(0)?.bound ?? [];
    const snapshot = this.#withPorts(next, bound);
    this.#snapshot = snapshot;
    this.#releaseUnused(snapshot);
    const held = this.#cover(snapshot, indices(snapshot.workers));
    for (const handle of this.#handles.values()) {
      handle.send({ kind: 'snapshot', snapshot, descriptors: held.get(handle.index) ?? NOTHING });
    }
    await this.#resize(snapshot, held);
    await this.#acknowledged(snapshot.revision);
  }

  /** Starts workers that a new Snapshot asks for, and lets those drain that it no longer does. */
  async #resize(snapshot: Snapshot, held: ReadonlyMap<number, HeldDescriptors>): Promise<void> {
    const starting: Promise<unknown>[] = [];
    for (let index = 0; index < snapshot.workers; index++) {
      const state = this.#handles.get(index)?.state;
      if (state === undefined || state === 'exited') starting.push(this.#startWorker(index, snapshot, held));
    }
    for (const handle of this.#handles.values()) {
      if (handle.index < snapshot.workers || handle.state === 'exited') continue;
      handle.state = 'draining';
      handle.send({ kind: 'drain', graceMs: snapshot.graceMs, idleMs: 0 });
      this.#parts.timers.after(snapshot.graceMs + KILL_AFTER_MS, () => void handle.kill());
    }
    await Promise.all(starting);
  }

  broadcast(message: MessageToWorker): void {
    this.#send(message);
  }

  /** Lets all workers finish what they have, idle connections `idleMs` long; ends them by force after the grace. */
  async drain(graceMs: number, idleMs = 0): Promise<void> {
    this.#isEnding = true;
    const handles = [...this.#handles.values()];
    for (const handle of handles) {
      if (handle.state !== 'exited') handle.state = 'draining';
      handle.send({ kind: 'drain', graceMs, idleMs });
    }
    const killer = setTimeout(() => void this.kill(), graceMs + KILL_AFTER_MS);
    await Promise.all(handles.map((handle) => handle.exited()));
    clearTimeout(killer);
    this.#descriptors.stop();
  }

  /** Ends all workers at once. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    this.#descriptors.stop();
    await Promise.all([...this.#handles.values()].map((handle) => handle.kill()));
  }

  /** Kills one worker, as a fault would: for tests of what follows. */
  async killWorker(worker: number): Promise<void> {
    await this.#handles.get(worker)?.kill();
  }

  status(): readonly WorkerStatus[] {
    return [...this.#handles.values()].map((handle) => ({
      worker: handle.index,
      state: handle.state,
      startedMs: handle.startedMs,
      restarts: this.#restarts.get(handle.index) ?? 0,
      revision: handle.revision,
    }));
  }

  /** Whether at least one worker takes connections. */
  isListening(): boolean {
    return [...this.#handles.values()].some((handle) => handle.state === 'listening');
  }

  /** Whether no worker that takes connections has stood still since this was asked last. */
  isAnswering(): boolean {
    const listening = [...this.#handles.values()].filter(({ state }) => state === 'listening');
    return this.#beats.haveAllBeaten(listening.map(({ index }) => index));
  }

  onMessage(handle: WorkerHandle, message: MessageToMain): void {
    if (message.kind === 'listening') this.#onListening(handle, message.bound);
    else if (message.kind === 'bind-failed') {
      const error = new BindError(message.listener, message.address, message.error);
      const waiter = this.#waiting.get(handle);
      if (waiter === undefined) this.#parts.log.error({ worker: handle.index }, error.message);
      else waiter.reject(error);
    } else if (message.kind === 'acknowledged') handle.revision = message.revision;
    else this.#parts.onMessage(handle.index, message);
  }

  onExit(handle: WorkerHandle, error: Error | null): void {
    const { region, log, timers, clock } = this.#parts;
    const repaired = repairAfterCrash(region, handle.index);
    clearWorkerRecord(region, handle.index);
    this.#sockets.workerGone(handle.index);
    this.#parts.onWorkerGone(handle.index);
    this.#waiting.get(handle)?.reject(error ?? new Error('the worker ended before it listened'));
    this.#waiting.delete(handle);
    if (this.#isEnding) return;
    if (error === null) return this.#startAgain(handle.index);
    const policy = this.#policies.get(handle.index) ?? new RestartPolicy();
    this.#policies.set(handle.index, policy);
    const delayMs = policy.delayAfter(clock.nowMs() - handle.startedMs);
    const fields = { worker: handle.index, err: error, repairedInflight: repaired, restartInMs: delayMs };
    log.error(fields, `worker ${handle.index} died: ${error.message}; it is restarted in ${delayMs} ms`);
    timers.after(delayMs, () => this.#restart(handle.index));
  }

  /** A worker that a reload let go may be wanted again by a later one, which had to wait for its end. */
  #startAgain(index: number): void {
    const snapshot = this.#snapshot;
    if (snapshot === null || index >= snapshot.workers) return;
    this.#startWorker(index, snapshot, this.#coverAll(snapshot, index)).catch((error: unknown) =>
      this.#parts.log.error({ worker: index }, `worker ${index} did not start: ${String(error)}`),
    );
  }

  #coverAll(snapshot: Snapshot, index: number): ReadonlyMap<number, HeldDescriptors> {
    const others = [...this.#handles.values()].filter(({ state }) => state === 'starting' || state === 'listening');
    return this.#cover(snapshot, [index, ...others.map((handle) => handle.index)]);
  }

  #restart(index: number): void {
    if (this.#isEnding || this.#snapshot === null || index >= this.#snapshot.workers) return;
    if (this.#handles.get(index)?.state !== 'exited') return;
    this.#restarts.set(index, (this.#restarts.get(index) ?? 0) + 1);
    this.#startWorker(index, this.#snapshot, this.#coverAll(this.#snapshot, index)).then(
      () => this.#parts.log.info({ worker: index }, `worker ${index} is back`),
      (error: unknown) =>
        this.#parts.log.error({ worker: index }, `worker ${index} did not come back: ${String(error)}`),
    );
  }

  /** What each worker takes of the sockets that the process was given. */
  #cover(snapshot: Snapshot, workers: readonly number[]): ReadonlyMap<number, HeldDescriptors> {
    const { given, isShort } = this.#sockets.cover(snapshot.listeners, workers);
    if (isShort && !this.#isEnding) {
      this.#parts.log.error({}, 'a socket that was handed over has no descriptor left for a worker');
      this.#parts.onSocketLost?.();
    }
    return given;
  }

  #releaseUnused({ listeners }: Snapshot): void {
    const keys = this.#sockets.retain(listeners);
    if (keys.length > 0) this.#parts.onSocketsReleased?.(keys);
  }

  /** The Snapshot with the ports that the system chose; sockets that were given are known by them from now on. */
  #withPorts(snapshot: Snapshot, bound: readonly BoundListener[]): Snapshot {
    const chosen = withPorts(snapshot, bound);
    for (const [index, listener] of snapshot.listeners.entries()) {
      this.#sockets.rename(keyOfListener(listener), keyOfListener(chosen.listeners[index]!));
    }
    return chosen;
  }

  #startWorker(
    index: number,
    snapshot: Snapshot,
    held: ReadonlyMap<number, HeldDescriptors>,
  ): Promise<readonly BoundListener[]> {
    const { workerUrl, region, clock } = this.#parts;
    const start = { worker: index, region: region.buffer, snapshot, descriptors: held.get(index) ?? NOTHING };
    const handle = new WorkerHandle(workerUrl, start, clock.nowMs(), this);
    this.#handles.set(index, handle);
    const deadline = this.#parts.timers.after(LISTEN_MS, () => this.#onSilent(handle));
    const listening = new Promise<readonly BoundListener[]>((resolve, reject) => {
      this.#waiting.set(handle, { resolve, reject });
    });
    return listening.finally(() => deadline.cancel());
  }

  #onSilent(handle: WorkerHandle): void {
    const seconds = LISTEN_MS / 1_000;
    this.#waiting.get(handle)?.reject(new Error(`worker ${handle.index} has not listened within ${seconds} s`));
    this.#waiting.delete(handle);
    void handle.kill();
  }

  #onListening(handle: WorkerHandle, bound: readonly BoundListener[]): void {
    handle.state = this.#isEnding ? 'draining' : 'listening';
    handle.bound = bound;
    this.#waiting.get(handle)?.resolve(bound);
    this.#waiting.delete(handle);
  }

  async #acknowledged(revision: number): Promise<void> {
    const late = (): WorkerHandle[] =>
      [...this.#handles.values()].filter((handle) => handle.state === 'listening' && handle.revision < revision);
    const giveUpMs = this.#parts.clock.nowMs() + ACKNOWLEDGE_MS;
    while (late().length > 0) {
      if (this.#parts.clock.nowMs() > giveUpMs) {
        const workers = late().map((handle) => handle.index);
        this.#parts.log.warn({ workers }, `workers ${workers.join(', ')} have not taken revision ${revision} over`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #send(message: MessageToWorker): void {
    for (const handle of this.#handles.values()) handle.send(message);
  }
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Whether a listener leaves its port to the system. */
function choosesPort(snapshot: Snapshot): boolean {
  return snapshot.listeners.some(({ bind }) => bind.kind === 'tcp' && bind.port === 0);
}

/** The Snapshot with the ports that the system chose in place of port 0. */
function withPorts(snapshot: Snapshot, bound: readonly BoundListener[]): Snapshot {
  const listeners = snapshot.listeners.map((listener) => {
    const chosen = bound.find((one) => one.name === listener.name);
    if (listener.bind.kind !== 'tcp' || listener.bind.port !== 0 || chosen === undefined) return listener;
    return { ...listener, bind: { ...listener.bind, port: chosen.port } };
  });
  return { ...snapshot, listeners };
}

/** A dead worker has nothing open, and uses nothing. */
function clearWorkerRecord(region: Region, worker: number): void {
  const word = region.workerWord(worker);
  const { openExchanges, openConnections, upgraded, heapUsed, memory, pressure } = WORKER;
  for (const { index } of [openExchanges, openConnections, upgraded, heapUsed, memory, pressure]) {
    Atomics.store(region.words, word + index, 0);
  }
}
