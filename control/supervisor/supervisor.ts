// Worker supervision: starts workers, rolls Snapshots out to them, replaces those that die, and drains them.
// Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import { LISTENER_FIELD } from '../../core/memory/lane-fields.ts';
import { WORKER } from '../../core/memory/layout.ts';
import type { ClientMemory } from '../../core/memory/client-memory.ts';
import type { Region } from '../../core/memory/region.ts';
import { repairAfterCrash } from '../../core/memory/reservation.ts';
import type {
  CertificateOffer,
  BoundListener,
  EndpointChange,
  HeldDescriptors,
  MessageToMain,
  MessageToWorker,
} from '../../core/messages.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { TicketSecrets } from '../../core/ticket-secrets.ts';
import type { Timers } from '../../core/timers.ts';
import { DescriptorWatch } from './descriptor-watch.ts';
import { InheritedSockets } from './inherited-sockets.ts';
import { RestartPolicy } from './restart-policy.ts';
import { type Fleet, Rollout } from './rollout.ts';
import { WorkerHandle, type WorkerEvents, type WorkerState } from './worker-handle.ts';

/** A worker that is not installed by then is ended, and the start with it: before the 90 s of systemd, which would give no reason. */
const START_MS = 75_000;
/** A drain gets this on top of its grace before threads are ended by force. */
const KILL_AFTER_MS = 2_000;

export interface SupervisorParts {
  readonly workerUrl: URL;
  readonly region: Region;
  readonly clients: ClientMemory;
  /** Secrets of session tickets for a worker that starts. */
  readonly ticketSecrets: () => TicketSecrets;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** Receives messages about endpoints, exchanges and logs. */
  readonly onMessage: (worker: number, message: MessageToMain) => void;
  /** A worker has ended; its reservations are repaired by then. */
  readonly onWorkerGone: (worker: number) => void;
  /** Sockets that the process inherited; default: none. */
  readonly sockets?: InheritedSockets;
  /** An inherited socket has no descriptor left for a worker: only another process can serve it. */
  readonly onSocketLost?: () => void;
  /** Inherited sockets that no listener uses any more, by their keys. */
  readonly onSocketsReleased?: (keys: readonly string[]) => void;
}

export interface WorkerStatus {
  readonly worker: number;
  readonly state: WorkerState;
  readonly startedMs: number;
  readonly restarts: number;
  readonly revision: number;
}

export class Supervisor implements WorkerEvents, Fleet {
  readonly #parts: SupervisorParts;
  readonly #sockets: InheritedSockets;
  readonly #rollout: Rollout;
  readonly #handles = new Map<number, WorkerHandle>();
  readonly #policies = new Map<number, RestartPolicy>();
  readonly #restarts = new Map<number, number>();
  /** Liveness counters as of the last isAnswering. */
  readonly #liveness = new Map<number, number>();
  readonly #descriptors: DescriptorWatch;
  #isEnding = false;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#sockets = parts.sockets ?? new InheritedSockets({});
    this.#descriptors = new DescriptorWatch(parts.region, parts.timers, parts.log);
    this.#rollout = new Rollout(this, this.#sockets, parts);
  }

  /** Addresses of the listeners, in the order of the Snapshot; empty before the first `apply`. */
  get bound(): readonly BoundListener[] {
    return this.#rollout.bound;
  }

  get handles(): readonly WorkerHandle[] {
    return [...this.#handles.values()];
  }

  get isEnding(): boolean {
    return this.#isEnding;
  }

  /**
   * First phase of a start or a reload: starts workers that are missing and binds new listeners, which don't serve yet.
   * @returns the Snapshot with the ports that the system chose
   * @throws BindError, Error; nothing has changed then
   */
  prepare(next: Snapshot): Promise<Snapshot> {
    return this.#rollout.prepare(next);
  }

  /** Undoes `prepare`: something else refused the Snapshot. */
  discard(): Promise<void> {
    return this.#rollout.discard();
  }

  /** Second phase: every worker installs a Snapshot that was prepared. Resolves when they have. @throws BindError at a start */
  async apply(snapshot: Snapshot): Promise<void> {
    await this.#rollout.apply(snapshot);
    this.#descriptors.start();
  }

  amend(snapshot: Snapshot, change: EndpointChange): void {
    this.#rollout.amend(snapshot, change);
  }

  /** Whether every worker that runs has installed a change of endpoints. */
  hasInstalled(membership: number): boolean {
    const { words } = this.#parts.region;
    return this.handles.every(({ index, state }) => {
      const word = this.#parts.region.workerWord(index) + WORKER.membership.index;
      return state === 'exited' || Atomics.load(words, word) >= membership;
    });
  }

  /** Ends all workers at once. */
  stop(): Promise<void> {
    return this.kill();
  }

  /** Starts a worker. Resolves when it has installed the Snapshot. @throws BindError, Error; the worker has ended then */
  async launch(index: number, snapshot: Snapshot, descriptors: HeldDescriptors): Promise<void> {
    const { workerUrl, region, clients, clock, timers } = this.#parts;
    const memory = { region: region.buffer, clients: clients.buffer };
    const start = { worker: index, ...memory, snapshot, descriptors, ticketSecrets: this.#parts.ticketSecrets() };
    const handle = new WorkerHandle(workerUrl, start, clock.nowMs(), this);
    this.#handles.set(index, handle);
    const deadline = timers.after(START_MS, () => {
      void handle.kill(new Error(`worker ${index} did not start within ${START_MS / 1_000} s`));
    });
    try {
      await handle.when('installed', snapshot.revision);
    } catch (error) {
      void handle.kill(error as Error);
      throw error;
    } finally {
      deadline.cancel();
    }
  }

  /** Drains a worker that a Snapshot has no place for, and ends it by force after the grace. */
  dismiss(handle: WorkerHandle, graceMs: number): void {
    handle.drain(graceMs, 0);
    this.#parts.timers.after(graceMs + KILL_AFTER_MS, () => void handle.kill());
  }

  /** Has all workers close their idle connections to an endpoint that is out of use. */
  dropIdle(slot: number): void {
    this.broadcast({ kind: 'drop-idle', slot });
  }

  /** Sends the certificate of a requested name, or its refusal, to all workers. */
  offer(one: CertificateOffer): void {
    this.broadcast({ kind: 'certificate-offer', ...one });
  }

  broadcast(message: MessageToWorker): void {
    for (const handle of this.handles) handle.send(message);
  }

  /** Drains all workers, keeping idle connections for `idleMs`; ends them by force after the grace. */
  async drain(graceMs: number, idleMs = 0): Promise<void> {
    this.#isEnding = true;
    for (const handle of this.handles) handle.drain(graceMs, idleMs);
    const killer = setTimeout(() => void this.kill(), graceMs + KILL_AFTER_MS);
    await Promise.all(this.handles.map((handle) => handle.exited()));
    clearTimeout(killer);
    this.#descriptors.stop();
  }

  /** Ends all workers at once. */
  async kill(): Promise<void> {
    this.#isEnding = true;
    this.#descriptors.stop();
    await Promise.all(this.handles.map((handle) => handle.kill()));
  }

  /** Kills one worker, as a fault would. For tests of the recovery. */
  async killWorker(worker: number): Promise<void> {
    await this.#handles.get(worker)?.kill();
  }

  status(): readonly WorkerStatus[] {
    return this.handles.map(({ index, state, startedMs, revision }) => {
      return { worker: index, state, startedMs, restarts: this.#restarts.get(index) ?? 0, revision };
    });
  }

  /** Indices of the workers that serve, or finish what they serve. */
  serving(): readonly number[] {
    return this.handles.filter(({ state }) => state === 'listening' || state === 'draining').map(({ index }) => index);
  }

  /** Whether at least one worker accepts connections. */
  isListening(): boolean {
    return this.handles.some(({ state }) => state === 'listening');
  }

  /** Whether the event loop of every listening worker has turned since the last call. The first call returns true. */
  isAnswering(): boolean {
    const { region } = this.#parts;
    let isAnswering = true;
    for (const { index, state } of this.handles) {
      if (state !== 'listening') continue;
      const count = region.words[region.workerWord(index) + WORKER.liveness.index]!;
      if (this.#liveness.get(index) === count) isAnswering = false;
      this.#liveness.set(index, count);
    }
    return isAnswering;
  }

  onMessage(handle: WorkerHandle, message: MessageToMain): void {
    this.#parts.onMessage(handle.index, message);
  }

  onExit(handle: WorkerHandle, error: Error | null): void {
    const { index } = handle;
    const { region, clients, log, timers, clock } = this.#parts;
    const repairedInflight = repairAfterCrash(region, index);
    clearWorkerRecord(region, index);
    clients.countsOf(index).clear();
    this.#sockets.workerGone(index);
    this.#parts.onWorkerGone(index);
    if (this.#isEnding) return;
    // A worker that a reload has dismissed may be wanted again by a later one, which had to wait for its end.
    if (error === null) return void this.relaunch(index);
    if (!this.#rollout.isWanted(index)) return;
    const policy = this.#policies.get(index) ?? new RestartPolicy();
    this.#policies.set(index, policy);
    const restartInMs = policy.delayAfter(clock.nowMs() - handle.startedMs);
    const fields = { worker: index, err: error, repairedInflight, restartInMs };
    log.error(fields, `worker ${index} died: ${error.message}; restarting it in ${restartInMs} ms`);
    timers.after(restartInMs, () => void this.#restart(index));
  }

  async #restart(index: number): Promise<void> {
    const before = this.#handles.get(index);
    const isBack = await this.relaunch(index);
    if (this.#handles.get(index) !== before) this.#restarts.set(index, (this.#restarts.get(index) ?? 0) + 1);
    if (isBack) this.#parts.log.info({ worker: index }, `worker ${index} is back`);
  }

  /** Starts a worker that has exited, if the Snapshot that runs has a place for it. An error is reported by its exit. */
  async relaunch(index: number): Promise<boolean> {
    const handle = this.#handles.get(index);
    if (this.#isEnding || handle?.state !== 'exited' || !this.#rollout.isWanted(index)) return false;
    const { snapshot, descriptors } = this.#rollout.startOf(index);
    return await this.launch(index, snapshot, descriptors).then(
      () => true,
      () => false,
    );
  }
}

/** Clears the levels of a worker that has ended: it has nothing open, and uses nothing. */
function clearWorkerRecord(region: Region, worker: number): void {
  const word = region.workerWord(worker);
  const { openExchanges, openConnections, upgraded, heapUsed, memory, pressure, membership } = WORKER;
  for (const { index } of [openExchanges, openConnections, upgraded, heapUsed, memory, pressure, membership]) {
    Atomics.store(region.words, word + index, 0);
  }
  for (let listener = 0; listener < region.capacity.listeners; listener++) {
    region.doubles[region.listenerLane(worker, listener) + LISTENER_FIELD.connectionsOpen] = 0;
  }
}
