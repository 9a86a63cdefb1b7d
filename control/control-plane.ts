// The control plane: assembles the parts of the main thread and connects them to the workers. Thread: main.

import { randomInt } from 'node:crypto';
import { extname } from 'node:path';
import type { AdminContext, WrittenConfig } from '../admin/admin-context.ts';
import { type CompileTables, compile, newTables } from '../config/compile/compile.ts';
import type { LoadedConfig, LoadResult } from '../config/load.ts';
import { type Clock, clockSince } from '../core/clock.ts';
import { ClientMemory } from '../core/memory/client-memory.ts';
import type { Region } from '../core/memory/region.ts';
import type { BoundListener, MessageToMain } from '../core/messages.ts';
import { systemRandom } from '../core/random.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import { systemTimers } from '../core/timers.ts';
import type { ConfigPart } from '../providers/provider.ts';
import type { ProviderEvent } from '../providers/provider-runner.ts';
import { runCheck } from '../health/checkers/checkers.ts';
import { HealthService } from '../health/health-service.ts';
import type { MainLogger } from '../logging/process-log.ts';
import { AdminHost } from './admin-host.ts';
import { BudgetKeeper } from './budget-keeper.ts';
import { CertificateService } from './certificates/certificate-service.ts';
import { TlsControl } from './certificates/tls-control.ts';
import { Explainer } from './explain/explanation.ts';
import type { UpgradeOutcome } from './holder/holder-messages.ts';
import { GrpcCallTotals } from './grpc-call-totals.ts';
import { Maintenance } from './maintenance.ts';
import { Membership } from './membership.ts';
import { loadOrThrow, outcomeOf, Reloader, type ReloadResult } from './reload.ts';
import { allocateRegion } from './region-capacity.ts';
import { Registrar } from './registrar.ts';
import { RequestSurvey } from './request-survey.ts';
import { RevisionLedger } from './revision-ledger.ts';
import { Shutdown } from './shutdown.ts';
import { ProviderHost } from './provider-host.ts';
import { SlotReclaimer } from './slot-reclaimer.ts';
import { SnapshotOwner } from './snapshot-owner.ts';
import { SplitWeights } from './split-weights.ts';
import { StateKeeper } from './state-keeper.ts';
import { InheritedSockets, type SocketTable } from './supervisor/inherited-sockets.ts';
import { tableOfActivation } from './supervisor/socket-table.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import { OtlpClient } from './tracing/otlp-client.ts';
import { type ExporterParts, TraceExporter } from './tracing/trace-exporter.ts';

/** The worker's module, in TypeScript or compiled. No other file knows its path. */
const WORKER_URL = new URL(`../proxy/worker${extname(import.meta.filename)}`, import.meta.url);

export interface ControlPlaneOptions {
  /** Loads the configuration with parts of providers, at the start and for each reload. */
  readonly load: (parts: readonly ConfigPart[]) => LoadResult;
  /** Environment of the process, for socket activation. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly log: MainLogger;
  /** The holder of this process, with the sockets that it passed; default: those of socket activation. */
  readonly holder?: Holder;
  /** Receives the state of the process. */
  readonly service?: Service;
  /** An inherited socket can't be served by this process any more. */
  readonly onSocketLost?: () => void;
}

/** The holder, as far as a control plane uses it. */
interface Holder {
  readonly table: SocketTable;
  /** Starts the next process, which replaces this one. */
  upgrade(): Promise<UpgradeOutcome>;
  /** Gives back sockets that are no longer used. */
  release(keys: readonly string[]): void;
}

/** The service manager, as far as a control plane uses it. */
interface Service {
  ready(status: string): void;
  reloading(): void;
  stopping(status: string): void;
  mute(): void;
}

/** Gates with state of their own: settings of operators, and certificates. */
interface OperatorSettings {
  readonly maintenance: Maintenance;
  readonly splits: SplitWeights;
  readonly membership: Membership;
  readonly acme: CertificateService;
  readonly providers: ProviderHost;
  readonly registrar: Registrar;
}

export class ControlPlane {
  readonly health: HealthService;
  readonly supervisor: Supervisor;
  readonly region: Region;
  readonly clients: ClientMemory;
  readonly #options: ControlPlaneOptions;
  readonly #start = startNow();
  readonly #clock: Clock = this.#start.clock;
  readonly #owner: SnapshotOwner;
  readonly #admin: AdminHost;
  readonly #explainer: Explainer;
  readonly #keeper: StateKeeper;
  readonly #settings: OperatorSettings;
  readonly #tls: TlsControl;
  readonly #revisions: RevisionLedger;
  readonly #grpcCalls = new GrpcCallTotals();
  readonly #traces: TraceExporter;
  readonly #requests = surveyOf(() => this.supervisor);
  readonly #reloader: Reloader;
  readonly #shutdown: Shutdown;
  #config: LoadedConfig;

  /** Loads and compiles the configuration; binds nothing yet. @throws ConfigError, CapacityError, BindError */
  constructor(options: ControlPlaneOptions) {
    const { log } = options;
    const config = loadOrThrow(() => options.load([]), log);
    const region = (this.region = allocateRegion(config.settings, this.#start.startedAt));
    const tables = newTables(region.capacity);
    const first = compile(config, tables, 1);
    const sockets = inheritedSockets(options, first);
    this.#options = options;
    this.#config = config;
    this.clients = ClientMemory.allocate(region.capacity.workers, [randomInt(2 ** 32), randomInt(2 ** 32)]);
    const injected = { region, timers: systemTimers, log, clock: this.#clock, random: systemRandom };
    this.#revisions = new RevisionLedger(region, this.#clock);
    this.#traces = newExporter(injected, options.version);
    this.#tls = new TlsControl({
      ...injected,
      publish: () => this.#reloader.republish(),
      onSecrets: (secrets) => this.supervisor.broadcast({ kind: 'ticket-secrets', secrets }),
      onDemand: () => this.#settings.acme.onDemand,
    });
    this.supervisor = this.#newSupervisor(sockets);
    this.health = new HealthService({ ...injected, runCheck, onOutOfUse: (slot) => this.supervisor.dropIdle(slot) });
    const { maintenance, splits, membership, acme, providers } = (this.#settings = this.#newSettings(tables));
    this.#keeper = new StateKeeper({ ...injected, health: this.health, maintenance, splits, added: membership.added });
    this.#explainer = new Explainer({ ...injected, bound: () => this.bound, origins: () => providers.origins });
    this.#admin = new AdminHost({ sockets, timers: systemTimers, context: () => this.#adminContext() });
    this.#owner = new SnapshotOwner(
      first,
      [this.#keeper, membership, maintenance, splits, providers, acme, this.#tls, this.supervisor, this.#admin],
      [
        { apply: (next) => applyLog(log, next), stop: () => undefined },
        membership,
        this.health,
        new BudgetKeeper(region, systemTimers),
        this.#keeper,
        maintenance,
        splits,
        this.#tls,
        this.#revisions,
        this.#grpcCalls,
        this.#traces,
        this.#explainer,
        this.#admin,
        this.supervisor,
        acme,
        providers,
        this.#settings.registrar,
        new SlotReclaimer(tables, region, systemTimers, (change) => this.supervisor.hasInstalled(change)),
      ],
    );
    this.#reloader = this.#newReloader(tables);
    this.#shutdown = newShutdown(options, this.supervisor, this.#settings.registrar, () => this.#owner.stop());
  }

  /** The Snapshot that runs. */
  get snapshot(): Snapshot {
    return this.#owner.current;
  }

  /** Addresses of the listeners, in the order of the Snapshot. */
  get bound(): readonly BoundListener[] {
    return this.supervisor.bound;
  }

  /** Address of the admin API; null where there is none. */
  get adminAddress(): string | null {
    return this.#admin.address;
  }

  /** Starts everything. @throws BindError and the admin server's errors; nothing is left running then */
  async start(): Promise<void> {
    const { log, version } = this.#options;
    try {
      const { config, snapshot } = await this.#settings.providers.start(this.#config, this.#owner.current);
      await this.#owner.install(snapshot);
      this.#settings.providers.published((this.#config = config));
    } catch (error) {
      await this.#shutdown.close();
      throw error;
    }
    this.#shutdown.started();
    const listeners = this.bound.map(({ name, address }) => `${name} on ${address}`);
    const fields = { version, listeners, workers: this.snapshot.workers, pid: process.pid, admin: this.adminAddress };
    log.info(fields, `ready: ${listeners.join(', ')}`);
    this.#options.service?.ready(readyStatus(this.snapshot));
  }

  /** Loads the configuration again. One that is refused changes nothing. */
  reload(): Promise<ReloadResult> {
    return this.#reloader.reload();
  }

  reopenLogs(): void {
    this.supervisor.broadcast({ kind: 'reopen-logs' });
    this.#options.log.info({}, 'log files reopened');
  }

  /**
   * Another process serves the same sockets: accepts no more, and ends when all connections have. Connections may stay
   * idle for nearly the whole grace, because nothing waits for this process: a client's next request is answered, with
   * `Connection: close`.
   */
  retire(): Promise<void> {
    this.#options.service?.mute();
    for (const part of [this.#keeper, this.#settings.registrar]) part.handOver();
    this.#admin.stopAccepting();
    return this.drain(this.snapshot.graceMs, this.snapshot.graceMs, 0);
  }

  /**
   * Ends in order. @param graceMs for exchanges in flight @param idleMs for idle connections
   * @param delayMs before the listeners close; only readiness has changed meanwhile
   */
  drain(graceMs?: number, idleMs = 0, delayMs?: number): Promise<void> {
    const { graceMs: configuredMs, drainDelayMs } = this.snapshot;
    return this.#shutdown.drain({ graceMs: graceMs ?? configuredMs, idleMs, delayMs: delayMs ?? drainDelayMs });
  }

  /** Ends at once: exchanges in flight are cut. */
  close(): Promise<void> {
    return this.#shutdown.close();
  }

  #newSettings(tables: CompileTables): OperatorSettings {
    const publish = (): Promise<void> => this.#reloader.republish();
    const { load, log, version } = this.#options;
    const onEvent = (event: ProviderEvent): void => this.#admin.noteProvider(event);
    const parts = { clock: this.#clock, log, publish, timers: systemTimers, random: systemRandom };
    return {
      maintenance: new Maintenance({ ...parts, tables, onChange: (change) => this.#admin.noteMaintenance(change) }),
      splits: new SplitWeights({
        ...parts,
        configured: () => this.#owner.received,
        onChange: (change) => this.#admin.noteSplit(change),
      }),
      membership: new Membership({
        ...parts,
        slots: tables.endpoints,
        owner: () => this.#owner,
        onSource: (event) => this.#admin.noteSource(event),
        onMembers: (event) => this.#admin.noteMembers(event),
      }),
      acme: new CertificateService({ ...parts, tables, version, offer: (one) => this.supervisor.offer(one) }),
      providers: new ProviderHost({ ...parts, tables, load, onEvent, reload: () => this.reload() }),
      registrar: new Registrar({ ...parts, isListening: () => this.supervisor.isListening() }),
    };
  }

  #newReloader(tables: CompileTables): Reloader {
    const { log, service } = this.#options;
    return new Reloader({
      load: () => this.#settings.providers.load(),
      tables,
      mostWorkers: this.region.capacity.workers,
      owner: this.#owner,
      log,
      onBegin: () => service?.reloading(),
      onEnd: (result, loaded) => this.#onReload(result, loaded),
    });
  }

  #newSupervisor(sockets: InheritedSockets): Supervisor {
    const { log, holder, onSocketLost } = this.#options;
    return new Supervisor({
      region: this.region,
      clients: this.clients,
      ticketSecrets: () => this.#tls.ticketSecrets,
      clock: this.#clock,
      timers: systemTimers,
      log,
      sockets,
      workerUrl: WORKER_URL,
      onSocketsReleased: (keys) => holder?.release(keys),
      onSocketLost: () => onSocketLost?.(),
      onMessage: (worker, message) => this.#onMessage(worker, message),
      onWorkerGone: (worker) => {
        this.health.onWorkerGone(worker);
        this.#revisions.workerGone(worker);
        this.#requests.workerGone(worker);
      },
    });
  }

  #onMessage(worker: number, message: MessageToMain): void {
    if (message.kind === 'log') this.#options.log.write(message.level, message.fields, message.text);
    else if (message.kind === 'certificate-request') this.#settings.acme.request(message);
    else if (message.kind === 'grpc-calls') this.#grpcCalls.add(message.counts);
    else if (message.kind === 'spans') this.#traces.add(message.batch);
    else if (message.kind === 'open-revisions') this.#revisions.note(worker, message.older);
    else if (message.kind === 'requests') this.#requests.note(worker, message.ticket, message.list);
    else this.health.onWorkerMessage(message);
  }

  #onReload(result: ReloadResult, config: LoadedConfig | null): void {
    if (config !== null) this.#settings.providers.published((this.#config = config));
    this.#admin.noteReload(outcomeOf(result));
    if (this.#shutdown.isRunning) this.#options.service?.ready(readyStatus(this.snapshot));
  }

  #adminContext(): AdminContext {
    const { version, log, holder } = this.#options;
    return {
      version,
      log,
      ...this.#start,
      region: this.region,
      clients: this.clients,
      timers: systemTimers,
      health: this.health,
      ...this.#settings,
      certificates: this.#tls.inventory,
      snapshot: () => this.snapshot,
      workers: () => this.supervisor.status(),
      listeners: () => this.bound,
      lostLogLines: () => log.lostLines,
      grpcCalls: () => this.#grpcCalls.list(),
      traces: this.#traces,
      requests: () => this.#requests.list(),
      explain: (query) => this.#explainer.explain(query),
      isDraining: () => this.#shutdown.isDraining,
      revisions: () => this.#revisions.list(this.supervisor.status().map(({ revision }) => revision)),
      writtenConfig: () => shownConfig(this.#config),
      reload: async () => outcomeOf(await this.reload()),
      upgrade: holder === undefined ? undefined : () => holder.upgrade(),
    };
  }
}

/** The clock, and the start of the process by wall time and by the clock. */
function startNow() {
  const startedAt = Date.now();
  const clock = clockSince(startedAt);
  return { startedAt, startedMs: clock.nowMs(), clock };
}

function shownConfig({ file, characters, written }: LoadedConfig): WrittenConfig {
  return { file, characters, config: () => written() };
}

function inheritedSockets({ holder, environment }: ControlPlaneOptions, first: Snapshot): InheritedSockets {
  return new InheritedSockets(holder?.table ?? tableOfActivation(first, environment));
}

function newShutdown(
  { log, service }: ControlPlaneOptions,
  supervisor: Supervisor,
  registrar: Registrar,
  release: () => Promise<void>,
): Shutdown {
  return new Shutdown({
    timers: systemTimers,
    log,
    withdraw: () => registrar.withdraw(),
    onStopping: (status) => service?.stopping(status),
    drain: (graceMs, idleMs) => supervisor.drain(graceMs, idleMs),
    kill: () => supervisor.kill(),
    release,
  });
}

function readyStatus({ revision, workers, listeners }: Snapshot): string {
  return `revision ${revision} of the configuration: ${listeners.length} listener(s), ${workers} worker(s)`;
}

function applyLog(log: MainLogger, { log: { level, format } }: Snapshot): void {
  log.setLevel(level);
  log.setFormat(format);
}

function surveyOf(supervisor: () => Supervisor): RequestSurvey {
  return new RequestSurvey({
    timers: systemTimers,
    workers: () => supervisor().serving(),
    broadcast: (message) => supervisor().broadcast(message),
  });
}

function newExporter(parts: Omit<ExporterParts, 'version' | 'connect'>, version: string): TraceExporter {
  return new TraceExporter({ ...parts, version, connect: (settings) => new OtlpClient(settings, version) });
}
