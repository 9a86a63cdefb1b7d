// The control plane: loads the configuration, owns the shared memory, health and the admin API, and keeps the workers.
// Thread: main.

import { extname } from 'node:path';
import type { AdminContext, ReloadOutcome } from '../admin/admin-context.ts';
import { type CompileTables, compile, newTables, workersOf } from '../config/compile/compile.ts';
import { describeChanges } from '../config/compile/diff.ts';
import type { LoadedConfig, LoadResult } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problems/problem.ts';
import { type Clock, clockSince } from '../core/clock.ts';
import { Region } from '../core/memory/region.ts';
import type { BoundListener, MessageToMain } from '../core/messages.ts';
import { systemRandom } from '../core/random.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import { systemTimers } from '../core/timers.ts';
import { checkers } from '../health/heartbeat/checkers.ts';
import { HealthService } from '../health/health-service.ts';
import type { MainLogger } from '../logging/process-log.ts';
import { explain, type ExplainFacts } from './explain/explanation.ts';
import { AdminHost } from './admin-host.ts';
import { BudgetKeeper } from './budget-keeper.ts';
import { capacityFor, type Counts } from './capacity.ts';
import { RevisionLedger } from './revision-ledger.ts';
import { InheritedSockets, type SocketTable } from './supervisor/inherited-sockets.ts';
import type { UpgradeOutcome } from './holder/holder-messages.ts';
import { refusedFields, refusedOutcome } from './refused-config.ts';
import { reclaimSlots } from './slot-reclaimer.ts';
import { tableOfActivation } from './supervisor/socket-table.ts';
import { StateKeeper } from './state-keeper.ts';
import { Supervisor } from './supervisor/supervisor.ts';

/** The only place that knows where the worker's module is: in TypeScript or compiled. */
const WORKER_URL = new URL(`../proxy/worker${extname(import.meta.filename)}`, import.meta.url);

export interface ControlPlaneOptions {
  /** Loads the configuration: at the start, and for every reload again. */
  readonly load: () => LoadResult;
  /** Of the process: where socket activation is told. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly log: MainLogger;
  /** The holder of this process, with the sockets that it gave; left out, those of socket activation are taken. */
  readonly holder?: Holder;
  /** Is told how the process is. */
  readonly service?: Service;
  /** A socket that was given can't be served by this process any more. */
  readonly onSocketLost?: () => void;
}

/** What a control plane wants of its holder. */
interface Holder {
  readonly table: SocketTable;
  /** Has this process replaced by the next one. */
  upgrade(): Promise<UpgradeOutcome>;
  /** Takes back sockets that are needed no longer. */
  release(keys: readonly string[]): void;
}

/** Who started the process, and wants to know how it is. */
interface Service {
  ready(status: string): void;
  reloading(): void;
  stopping(status: string): void;
  fallSilent(): void;
}

/** The configuration was refused. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];
  readonly isReadable: boolean;

  constructor(problems: readonly Problem[], isReadable: boolean) {
    const errors = problems.filter(({ severity }) => severity === 'error');
    super(`the configuration is refused: ${errors.length} error(s), the first is ${formatProblem(errors[0]!)}`);
    this.name = 'ConfigError';
    this.problems = problems;
    this.isReadable = isReadable;
  }
}

/** What a reload came to. */
export type ReloadResult =
  | { readonly ok: true; readonly revision: number; readonly changes: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly message: string };

/** Where a control plane is in its life. */
type Phase = 'starting' | 'running' | 'draining' | 'ended';

export class ControlPlane {
  readonly health: HealthService;
  readonly supervisor: Supervisor;
  readonly region: Region;
  readonly #options: ControlPlaneOptions;
  readonly #clock: Clock;
  readonly #tables: CompileTables;
  readonly #budgets: BudgetKeeper;
  readonly #admin: AdminHost;
  readonly #startedWallMs = Date.now();
  #snapshot: Snapshot;
  #config: LoadedConfig;
  readonly #revisions: RevisionLedger;
  #bound: readonly BoundListener[] = [];
  #phase: Phase = 'starting';
  readonly #keeper: StateKeeper;
  #reloading: Promise<ReloadResult> | null = null;
  /** The one that follows it, for all who asked meanwhile: what it loaded may be older than what they mean. */
  #nextReload: Promise<ReloadResult> | null = null;
  /** Ends the pause at the begin of a drain; null where there is none. */
  #goNow: (() => void) | null = null;
  #isClosed = false;

  /** Loads and compiles the configuration; binds nothing yet. @throws ConfigError, CapacityError, BindError */
  constructor(options: ControlPlaneOptions) {
    const config = loadOrThrow(options);
    const capacity = capacityFor(countsOfConfig(config));
    this.#options = options;
    this.#config = config;
    this.region = Region.allocate(capacity, this.#startedWallMs);
    this.#clock = clockSince(this.#startedWallMs);
    this.#tables = newTables(capacity);
    this.#snapshot = compile(config, this.#tables, 1);
    const sockets = new InheritedSockets(
      options.holder?.table ?? tableOfActivation(this.#snapshot, options.environment),
    );
    this.#admin = new AdminHost({ sockets, timers: systemTimers, context: () => this.#adminContext() });
    this.#revisions = new RevisionLedger(this.region);
    this.#revisions.takenOver(1, this.#startedWallMs);
    options.log.setLevel(this.#snapshot.log.level);
    const injected = { region: this.region, clock: this.#clock, timers: systemTimers };
    this.health = new HealthService({
      ...injected,
      random: systemRandom,
      log: options.log,
      checkers,
      onOutOfUse: (slot) => this.supervisor.broadcast({ kind: 'drop-idle', slot }),
    });
    this.#budgets = new BudgetKeeper(this.region, systemTimers);
    this.#keeper = new StateKeeper({ health: this.health, clock: this.#clock, timers: systemTimers, log: options.log });
    this.supervisor = new Supervisor({
      ...injected,
      sockets,
      onSocketsReleased: (keys) => options.holder?.release(keys),
      onSocketLost: () => options.onSocketLost?.(),
      workerUrl: WORKER_URL,
      log: options.log,
      onMessage: (worker, message) => this.#onMessage(worker, message),
      onWorkerGone: (worker) => {
        this.health.onWorkerGone(worker);
        this.#revisions.workerGone(worker);
      },
    });
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get bound(): readonly BoundListener[] {
    return this.#bound;
  }

  /** Where the admin API listens; null where there is none. */
  get adminAddress(): string | null {
    return this.#admin.address;
  }

  /** Starts everything. @throws BindError and the admin server's errors; nothing is left running then. */
  async start(): Promise<void> {
    this.health.apply(this.#snapshot);
    if (this.#snapshot.healthState !== null) this.#keeper.restore(this.#snapshot.healthState);
    this.#budgets.apply(this.#snapshot);
    try {
      await this.#admin.move(this.#snapshot.admin);
      this.#bound = await this.supervisor.start(this.#snapshot);
    } catch (error) {
      await this.#release();
      throw error;
    }
    this.#phase = 'running';
    this.#keeper.apply(this.#snapshot.healthState);
    const listeners = this.#bound.map(({ name, address }) => `${name} on ${address}`);
    const fields = { version: this.#options.version, listeners, workers: this.#snapshot.workers, pid: process.pid };
    this.#options.log.info({ ...fields, admin: this.adminAddress }, `ready: ${listeners.join(', ')}`);
    this.#tellReady();
  }

  /** Loads the file again. What is wrong with it changes nothing. One reload at a time, and at most one waits. */
  reload(): Promise<ReloadResult> {
    if (this.#reloading !== null) {
      this.#nextReload ??= this.#reloading.then(() => {
        this.#nextReload = null;
        return this.reload();
      });
      return this.#nextReload;
    }
    this.#options.service?.reloading();
    this.#reloading = this.#reload()
      .then((result) => {
        this.#admin.noteReload(outcomeOf(result));
        return result;
      })
      .finally(() => {
        this.#reloading = null;
        if (this.#phase === 'running') this.#tellReady();
      });
    return this.#reloading;
  }

  reopenLogs(): void {
    this.supervisor.broadcast({ kind: 'reopen-logs' });
    this.#options.log.info({}, 'logs are opened anew');
  }

  /**
   * Another process serves the same sockets: accepts no more, and ends when all connections have. They may be idle for
   * nearly as long as the grace, because nobody waits for this process to end: a client's next request is answered, and
   * told to go to a new connection.
   */
  retire(): Promise<void> {
    this.#options.service?.fallSilent();
    this.#keeper.stop(false);
    this.#admin.stopAccepting();
    return this.drain(this.#snapshot.graceMs, this.#snapshot.graceMs, 0);
  }

  /**
   * Stops accepting, lets exchanges in flight finish within the grace, idle connections `idleMs`, and ends. For
   * `delayMs` before that it goes on as ever, but for `/readyz`.
   */
  async drain(
    graceMs: number = this.#snapshot.graceMs,
    idleMs = 0,
    delayMs: number = this.#snapshot.drainDelayMs,
  ): Promise<void> {
    if (this.#phase === 'draining' || this.#phase === 'ended') return;
    this.#phase = 'draining';
    await this.#stayAWhile(delayMs);
    if (this.#isClosed) return;
    const status = `draining: exchanges in flight have ${graceMs / 1000} s to finish`;
    this.#options.log.info({ graceMs }, status);
    this.#options.service?.stopping(status);
    await this.supervisor.drain(graceMs, idleMs);
    await this.#release();
    this.#options.log.info({}, 'ended');
  }

  /** Ends at once: what is in flight is cut. */
  async close(): Promise<void> {
    this.#phase = 'draining';
    this.#isClosed = true;
    this.#goNow?.();
    await this.supervisor.kill();
    await this.#release();
  }

  /** An outer balancer needs a moment to see that we aren't ready, and to look away. */
  async #stayAWhile(delayMs: number): Promise<void> {
    if (delayMs === 0) return;
    this.#options.log.info({ delayMs }, `draining: not ready any more, stops accepting in ${delayMs / 1000} s`);
    await new Promise<void>((resolve) => {
      const timer = systemTimers.after(delayMs, resolve);
      this.#goNow = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#goNow = null;
  }

  #tellReady(): void {
    const { revision, workers, listeners } = this.#snapshot;
    const counts = `${listeners.length} listener(s), ${workers} worker(s)`;
    this.#options.service?.ready(`revision ${revision} of the configuration: ${counts}`);
  }

  async #release(): Promise<void> {
    this.#phase = 'ended';
    this.#keeper.stop(true);
    this.health.stop();
    this.#budgets.stop();
    await this.#admin.close();
  }

  async #reload(): Promise<ReloadResult> {
    const { log } = this.#options;
    const before = this.#snapshot;
    const loaded = this.#options.load();
    if (!loaded.ok) {
      const message = `the configuration is refused; revision ${before.revision} runs on`;
      log.error(refusedFields(loaded.problems), message);
      return { ok: false, problems: loaded.problems, message };
    }
    let next: Snapshot;
    try {
      const most = this.region.capacity.workers;
      if (workersOf(loaded.config.settings) > most) throw new Error(`more than ${most} workers need a restart`);
      next = compile(loaded.config, this.#tables, before.revision + 1);
    } catch (error) {
      const message = (error as Error).message;
      log.error({ err: error }, `the configuration can't be taken over: ${message}`);
      return { ok: false, problems: [], message };
    }
    const changes = describeChanges(before, next);
    const refused = await this.#admin.move(next.admin).catch((error: Error) => error.message);
    if (refused !== undefined) {
      log.error({}, `the configuration can't be taken over: ${refused}`);
      return { ok: false, problems: [], message: refused };
    }
    this.#config = loaded.config;
    await this.#install(next);
    log.info({ revision: next.revision, changes }, `revision ${next.revision} runs: ${changes.length} change(s)`);
    return { ok: true, revision: next.revision, changes };
  }

  async #install(next: Snapshot): Promise<void> {
    this.#snapshot = next;
    this.#revisions.takenOver(next.revision, this.#clock.wallMs());
    this.#options.log.setLevel(next.log.level);
    this.health.apply(next);
    this.#budgets.apply(next);
    this.#keeper.apply(next.healthState);
    await this.supervisor.apply(next);
    reclaimSlots(this.#tables, next.revision, this.region, systemTimers);
  }

  #onMessage(worker: number, message: MessageToMain): void {
    if (message.kind === 'log') this.#options.log.write(message.level, message.fields, message.text);
    else if (message.kind === 'open-revisions') this.#revisions.note(worker, message.older);
    else this.health.onWorkerMessage(message);
  }

  #explainFacts(): ExplainFacts {
    const ports = new Map(this.#bound.map(({ name, port }) => [name, port]));
    return { snapshot: this.#snapshot, region: this.region, ports, clock: this.#clock, random: systemRandom };
  }

  #adminContext(): AdminContext {
    return {
      version: this.#options.version,
      startedAt: this.#startedWallMs,
      region: this.region,
      clock: this.#clock,
      timers: systemTimers,
      log: this.#options.log,
      health: this.health,
      snapshot: () => this.#snapshot,
      workers: () => this.supervisor.status(),
      listeners: () => this.#bound,
      explain: (query) => explain(query, this.#explainFacts()),
      isDraining: () => this.#phase === 'draining' || this.#phase === 'ended',
      revisions: () => this.#revisions.list(this.supervisor.status().map(({ revision }) => revision)),
      writtenConfig: () => ({ file: this.#config.file, config: this.#config.written() }),
      reload: async () => outcomeOf(await this.reload()),
      upgrade: this.#options.holder === undefined ? undefined : () => this.#options.holder!.upgrade(),
    };
  }
}

/** A result as the admin API gives it. */
function outcomeOf(result: ReloadResult): ReloadOutcome {
  return result.ok ? result : refusedOutcome(result.message, result.problems);
}

function loadOrThrow(options: ControlPlaneOptions): LoadedConfig {
  const loaded = options.load();
  if (!loaded.ok) throw new ConfigError(loaded.problems, loaded.isReadable);
  for (const warning of loaded.warnings) options.log.warn({ problem: formatProblem(warning) }, warning.message);
  return loaded.config;
}

function countsOfConfig({ settings }: LoadedConfig): Counts {
  const upstreams = Object.values(settings.upstreams);
  return {
    endpoints: upstreams.reduce((sum, { endpoints }) => sum + endpoints.length, 0),
    upstreams: upstreams.length,
    listeners: settings.listeners.length,
    workers: workersOf(settings),
  };
}
