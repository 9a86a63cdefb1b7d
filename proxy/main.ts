// The control plane: loads the configuration, owns the shared memory, health and the admin API, and keeps the workers.
// Thread: main.

import { extname } from 'node:path';
import { AdminServer } from '../admin/admin-server.ts';
import type { AdminGeneration, ReloadOutcome } from '../admin/context.ts';
import { type CompileTables, compile, newTables, workersOf } from '../config/compile.ts';
import { describeChanges } from '../config/diff.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import { type Clock, clockSince } from '../core/clock.ts';
import { Region } from '../core/memory/region.ts';
import type { BoundListener, MessageToMain } from '../core/messages.ts';
import { systemRandom } from '../core/random.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { systemTimers } from '../core/timers.ts';
import { checkers } from '../health/checkers.ts';
import { HealthService } from '../health/health-service.ts';
import { logMessage, type MainLog } from './account/process-log.ts';
import { BudgetKeeper } from './supervisor/budget-keeper.ts';
import { capacityFor, type Counts } from './supervisor/capacity.ts';
import { reclaimSlots } from './supervisor/slot-reclaimer.ts';
import { Supervisor } from './supervisor/supervisor.ts';

/** The only place that knows where the worker's module is: beside this one, in TypeScript or compiled. */
const WORKER_URL = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url);

export interface ControlPlaneOptions {
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
/** Generations of which the time is kept. */
const MOST_GENERATIONS = 64;

  readonly version: string;
  readonly log: MainLog;
}

/** The configuration was refused. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];
  readonly isReadable: boolean;

  constructor(problems: readonly Problem[], isReadable: boolean) {
    super(`the configuration is refused: ${problems.filter(({ severity }) => severity === 'error').length} error(s)`);
    this.name = 'ConfigError';
    this.problems = problems;
    this.isReadable = isReadable;
  }
}

/** What a reload came to. */
export type ReloadResult =
  | { readonly ok: true; readonly generation: number; readonly changes: readonly string[] }
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
  readonly #startedWallMs = Date.now();
  #snapshot: Snapshot;
  #bound: readonly BoundListener[] = [];
  #admin: AdminServer | null = null;
  #adminAddress: string | null = null;
  #phase: Phase = 'starting';
  #reloading: Promise<ReloadResult> | null = null;

  /** Loads and compiles the configuration; binds nothing yet. @throws ConfigError, CapacityError */
  constructor(options: ControlPlaneOptions) {
    const config = loadOrThrow(options);
    const capacity = capacityFor(countsOfConfig(config));
    this.#options = options;
    this.region = Region.allocate(capacity, this.#startedWallMs);
    this.#clock = clockSince(this.#startedWallMs);
    this.#tables = newTables(capacity);
    this.#snapshot = compile(config, this.#tables, 1);
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
    this.supervisor = new Supervisor({
      ...injected,
  #config: LoadedConfig;
  /** When each generation was taken over, the newest first. */
  readonly #takenOver: { generation: number; at: number }[] = [];
      workerUrl: WORKER_URL,
      log: (level, text, fields = {}) => options.log[level](fields, text),
      onMessage: (_worker, message) => this.#onMessage(message),
      onWorkerGone: (worker) => this.health.onWorkerGone(worker),
    });
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get bound(): readonly BoundListener[] {
    return this.#bound;
  }
    this.#config = config;

  /** Where the admin API listens; null where there is none. */
  get adminAddress(): string | null {
    return this.#adminAddress;
    this.#takenOver.push({ generation: 1, at: this.#startedWallMs });
  }

  /** Starts everything. @throws BindError and the admin server's errors; nothing is left running then. */
  async start(): Promise<void> {
    this.health.apply(this.#snapshot);
    this.#budgets.apply(this.#snapshot);
    try {
      await this.#startAdmin();
      this.#bound = await this.supervisor.start(this.#snapshot);
    } catch (error) {
      await this.#release();
      throw error;
    }
    this.#phase = 'running';
    const listeners = this.#bound.map(({ name, address }) => `${name} on ${address}`);
    const fields = { version: this.#options.version, listeners, workers: this.#snapshot.workers, pid: process.pid };
    this.#options.log.info({ ...fields, admin: this.adminAddress }, `ready: ${listeners.join(', ')}`);
  }

  /** Loads the file again. What is wrong with it changes nothing. One reload at a time. */
  reload(): Promise<ReloadResult> {
    this.#reloading ??= this.#reload()
      .then((result) => {
        this.#admin?.noteReload(outcomeOf(result));
        return result;
      })
      .finally(() => {
        this.#reloading = null;
      });
    return this.#reloading;
  }

  reopenLogs(): void {
    this.supervisor.broadcast({ kind: 'reopen-logs' });
    this.#options.log.info({}, 'logs are opened anew');
  }

  /** Stops accepting, lets exchanges in flight finish within the grace, and ends. */
  async drain(graceMs: number = this.#snapshot.graceMs): Promise<void> {
    if (this.#phase === 'draining' || this.#phase === 'ended') return;
    this.#phase = 'draining';
    this.#options.log.info({ graceMs }, `draining: exchanges in flight have ${graceMs / 1000} s to finish`);
    await this.supervisor.drain(graceMs);
    await this.#release();
    this.#options.log.info({}, 'ended');
  }

  /** Ends at once: what is in flight is cut. */
  async close(): Promise<void> {
    this.#phase = 'draining';
    await this.supervisor.kill();
    await this.#release();
  }

  async #release(): Promise<void> {
    this.#phase = 'ended';
    this.health.stop();
    this.#budgets.stop();
    await this.#admin?.close();
  }

  async #reload(): Promise<ReloadResult> {
    const { log } = this.#options;
    const before = this.#snapshot;
    const loaded = loadConfig(this.#options.file, this.#options.environment);
    if (!loaded.ok) {
      const message = `the configuration is refused; generation ${before.generation} runs on`;
      log.error({ problems: loaded.problems }, message);
      return { ok: false, problems: loaded.problems, message };
    }
    let next: Snapshot;
    try {
      const most = this.region.capacity.workers;
      if (workersOf(loaded.config.settings) > most) throw new Error(`more than ${most} workers need a restart`);
      next = compile(loaded.config, this.#tables, before.generation + 1);
    } catch (error) {
      const message = (error as Error).message;
      log.error({ err: error }, `the configuration can't be taken over: ${message}`);
      return { ok: false, problems: [], message };
    }
    const changes = describeChanges(before, next);
    if (JSON.stringify(before.admin) !== JSON.stringify(next.admin)) {
      log.warn({}, 'the admin API stays where it is: its address changes with a restart');
    }
    await this.#install(next);
    log.info(
      { generation: next.generation, changes },
      `generation ${next.generation} runs: ${changes.length} change(s)`,
    );
    return { ok: true, generation: next.generation, changes };
  }

  async #install(next: Snapshot): Promise<void> {
    this.#snapshot = next;
    this.#options.log.setLevel(next.log.level);
    this.health.apply(next);
    this.#budgets.apply(next);
    await this.supervisor.apply(next);
    reclaimSlots(this.#tables, next.generation, this.region, systemTimers);
  }

  #onMessage(message: MessageToMain): void {
    if (message.kind === 'log') logMessage(this.#options.log, message);
    else this.health.onWorkerMessage(message);
  }

  async #startAdmin(): Promise<void> {
    const { admin } = this.#snapshot;
    if (admin === null) return;
    this.#admin = new AdminServer({
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
      isDraining: () => this.#phase === 'draining' || this.#phase === 'ended',
      generations: () => this.#generations(),
      writtenConfig: () => ({ file: this.#config.file, config: this.#config.written() }),
      reload: async () => outcomeOf(await this.reload()),
    });
    this.#adminAddress = await this.#admin.start(admin.bind);
  }
}

function loadOrThrow(options: ControlPlaneOptions): LoadedConfig {
  const loaded = loadConfig(options.file, options.environment);
  if (!loaded.ok) throw new ConfigError(loaded.problems, loaded.isReadable);
  for (const warning of loaded.warnings) options.log.warn({ problem: warning }, warning.message);
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
    this.#config = loaded.config;
    this.#takenOver.unshift({ generation: next.generation, at: this.#clock.wallMs() });
    this.#takenOver.splice(MOST_GENERATIONS);
  /** The one that runs, and those that some worker has not left yet; of these forgets the others. */
  #generations(): AdminGeneration[] {
    const workers = this.supervisor.status();
    const inUse = new Set(workers.map(({ generation }) => generation));
    const [current, ...older] = this.#takenOver;
    const kept = [current!, ...older.filter(({ generation }) => inUse.has(generation))];
    this.#takenOver.splice(0, this.#takenOver.length, ...kept);
    return kept.map(({ generation, at }) => ({ generation, at, exchanges: null }));
  }

/** A result as the admin API gives it. */
function outcomeOf(result: ReloadResult): ReloadOutcome {
  return result.ok ? result : { ok: false, problems: [result.message, ...result.problems.map(formatProblem)] };
}

