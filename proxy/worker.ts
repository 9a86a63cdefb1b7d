// A worker thread: accepts connections, forwards requests, counts. Built from the Snapshot that it starts with, and updated
// by each later one. An uncaught error ends this thread only; main starts another. Thread: worker.

import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { AVAILABILITY } from '../core/availability.ts';
import { installBalancer } from '../balancers/registry.ts';
import { installLogFormat } from '../logging/access/log-formats.ts';
import { type Clock, clockSince } from '../core/clock.ts';
import { changedIn } from '../core/endpoint-delta.ts';
import { E_AVAILABILITY, WORKER } from '../core/memory/layout.ts';
import type { PolicyServices } from '../core/policy/policy-definition.ts';
import { ClientMemory } from '../core/memory/client-memory.ts';
import { Region } from '../core/memory/region.ts';
import type {
  BindOutcome,
  BoundListener,
  CertificateOffer,
  HeldDescriptors,
  MembershipDelta,
  MessageToMain,
  MessageToWorker,
  WorkerStart,
} from '../core/messages.ts';
import { systemRandom } from '../core/random.ts';
import type { Priority } from '../core/snapshot/route.ts';
import type { OverloadSnapshot, Snapshot } from '../core/snapshot/snapshot.ts';
import type { TicketSecrets } from '../core/ticket-secrets.ts';
import { systemTimers } from '../core/timers.ts';
import { TimerWheel, wheelTimers } from '../core/timer-wheel.ts';
import { AccessLog } from '../logging/access/access-log.ts';
import { partsOfPlugins, refreshPlugins } from '../plugins/plugin-library.ts';
import { LaneObserver, SessionObserver } from './account/account.ts';
import { GrpcCalls } from './account/grpc-calls.ts';
import { clearLevels, WorkerLanes } from './account/lane.ts';
import { WorkerTracer } from './account/traces/worker-tracer.ts';
import { openWorkerLog } from '../logging/process-log.ts';
import { Downstream } from './downstream/downstream.ts';
import type { Http1Parts } from './downstream/http1/http1-context.ts';
import { TcpSessions } from './downstream/tcp/tcp-sessions.ts';
import { SlotOwners } from './placement/slot-owners.ts';
import { LatencyBaselines } from './placement/latency-baseline.ts';
import { Forwarder } from './exchange/forwarder.ts';
import { PasswordVerifier } from './policies/passwords/password-verifier.ts';
import { PolicyWatch } from './policies/policy-watch.ts';
import { collectGarbage, readMemory } from './policies/memory-reading.ts';
import { Overload, OVERLOAD_REASONS, type OverloadCause } from './policies/overload.ts';
import { openRequests } from './exchange/open-requests.ts';
import { RuntimeHistory } from './exchange/runtime-history.ts';
import { ReplayBudget } from './exchange/replay-buffer.ts';
import { Runtime } from './exchange/runtime.ts';
import { listenForWakes } from './placement/wake.ts';
import { FaultLog } from './upstream/fault-log.ts';
import { Http1Transport, type Http1TransportParts } from './upstream/http1/http1-transport.ts';
import { Http2Transport } from './upstream/http2/http2-transport.ts';
import { Turn } from './wire/turn.ts';
import { WireMemory } from './wire/wire-memory.ts';
import { TransportSwitch } from './upstream/transport-switch.ts';
import type { OnIdleDeath } from './upstream/idle-deaths.ts';
import type { TransportParts } from './upstream/transport-parts.ts';
import { UndiciTransport } from './upstream/undici/undici-transport.ts';
import { UpgradeTunnels } from './upstream/tunnel/upgrade-tunnel.ts';
import { textOfTrouble } from '../logging/destination/log-trouble.ts';

/** Precision of timeouts. Advancing the wheel two hundred times a second costs less than a hundredth of a core. */
const TICK_MS = 5;
/** Of the used heap and of counted gRPC calls. */
const REPORT_INTERVAL_MS = 1000;

class DataPlane {
  readonly #region: Region;
  readonly #worker: number;
  readonly #clock;
  readonly #slots: SlotOwners;
  readonly #wheel: TimerWheel;
  readonly #transport: TransportSwitch;
  readonly #tunnels: UpgradeTunnels;
  readonly #forwarder: Forwarder;
  readonly #sessions: TcpSessions;
  readonly #downstream: Downstream;
  readonly #overload: Overload;
  readonly #passwords = new PasswordVerifier();
  readonly #grpcCalls = new GrpcCalls((counts) => post({ kind: 'grpc-calls', counts }));
  readonly #tracer: WorkerTracer;
  readonly #clients: Pick<PolicyServices, 'clients' | 'counts'>;
  readonly #policyWatch: PolicyWatch;
  readonly #wakes = new AbortController();
  readonly #runtimes: RuntimeHistory;
  readonly #accessLog = new AccessLog({
    timers: systemTimers,
    onTrouble: (trouble) => log.warn(trouble, textOfTrouble(trouble)),
    onLost: (lines) => {
      this.#region.words[this.#region.workerWord(this.#worker) + WORKER.accessLinesLost.index]! += lines;
    },
  });

  constructor(start: WorkerStart) {
    const { worker } = start;
    const region = new Region(start.region);
    clearLevels(region, worker);
    const memory = { region, worker, random: systemRandom };
    const lanes = new WorkerLanes(region, worker);
    this.#region = region;
    this.#clients = clientsOf(start);
    this.#worker = worker;
    this.#clock = clockSince(region.originWallMs);
    this.#wheel = new TimerWheel(TICK_MS, this.#clock.nowMs());
    this.#policyWatch = newPolicyWatch(lanes, this.#clock);
    const onIdleDeath: OnIdleDeath = (upstream, endpoint) => this.#forwarder.onIdleDeath(upstream, endpoint);
    const faults = new FaultLog(log, this.#clock);
    const parts = { region, worker, timers: systemTimers, onIdleDeath, onFault: faults.report };
    const fast = { wheel: this.#wheel, turn: new Turn(this.#clock), memory: new WireMemory() };
    this.#tracer = new WorkerTracer(fast.turn, (batch) => post({ kind: 'spans', batch }));
    const http2 = new Http2Transport({ ...parts, ...fast });
    this.#transport = openTransports(parts, fast, http2);
    this.#tunnels = new UpgradeTunnels(parts, http2);
    this.#runtimes = new RuntimeHistory(this.#runtimeOf(start.snapshot), {
      clock: this.#clock,
      timers: systemTimers,
      end: (exchange) => this.#forwarder.expireAfterReload(exchange),
      report: (older) => post({ kind: 'open-revisions', older }),
    });
    const runtime = (): Runtime => this.#runtimes.runtime;
    const settings = (): OverloadSnapshot => runtime().snapshot.overload;
    this.#overload = new Overload({ region, worker, settings, readMemory, collectGarbage, onChange: logOverload });
    const workerCount = (): number => runtime().snapshot.workers;
    const shared = { ...memory, wheel: this.#wheel, runtime, post, lanes, workerCount, log };
    this.#forwarder = new Forwarder({
      ...shared,
      clock: fast.turn,
      transport: this.#transport,
      tunnels: this.#tunnels,
      open: () => this.#runtimes.open,
      afterThisTurn: (run) => fast.turn.afterThis(run),
      baselines: new LatencyBaselines(region.capacity.endpoints),
      policyWatch: this.#policyWatch,
      replays: new ReplayBudget(() => settings().replayBytes / runtime().snapshot.workers),
      observers: [new LaneObserver(lanes), this.#accessLog],
    });
    const observers = [new SessionObserver(lanes), this.#accessLog];
    this.#sessions = new TcpSessions({ ...shared, clock: this.#clock, timers: systemTimers, observers });
    this.#slots = new SlotOwners(region.capacity.endpoints, [this.#forwarder, this.#sessions]);
    this.#downstream = this.#newDownstream(start, fast);
  }

  #newDownstream({ worker, ticketSecrets }: WorkerStart, fast: Http1Parts): Downstream {
    return new Downstream({
      starter: this.#forwarder,
      region: this.#region,
      worker,
      clock: this.#clock,
      log,
      fast,
      clients: this.#clients,
      isFastPathOn: () => this.#runtimes.runtime.snapshot.fastPath,
      ticketSecrets,
      sessions: this.#sessions,
      requestCertificate: (request) => post({ kind: 'certificate-request', ...request }),
    });
  }

  /** Binds and serves. Reports failures to bind to main, which decides. */
  async start({ snapshot, descriptors }: WorkerStart): Promise<void> {
    this.#installUpstreams(snapshot);
    this.#driveClockwork();
    await this.#install(snapshot, descriptors);
  }

  async prepare({ ticket, listeners, descriptors }: Extract<MessageToWorker, { kind: 'prepare' }>): Promise<void> {
    const outcome = await outcomeOf(this.#downstream.prepare(listeners, descriptors));
    post({ kind: 'prepared', ticket, ...outcome });
  }

  async discard(): Promise<void> {
    await this.#downstream.discard();
  }

  async apply(snapshot: Snapshot, descriptors: HeldDescriptors): Promise<void> {
    log.setLevel(snapshot.log.level);
    await refreshPlugins(snapshot.plugins);
    this.#runtimes.replace(this.#runtimeOf(snapshot));
    this.#installUpstreams(snapshot);
    this.#sessions.reloaded();
    await this.#install(snapshot, descriptors);
  }

  /** Takes over endpoints that its Snapshot doesn't have yet. After a gap it ends: the next worker has a whole Snapshot. */
  amend(delta: MembershipDelta): void {
    const { membership } = this.#runtimes.runtime.snapshot;
    if (delta.membership <= membership) return;
    if (delta.membership > membership + 1) throw new Error(`changes of endpoints after ${membership} are missing`);
    for (const change of delta.upstreams) this.#slots.apply(changedIn(change));
    const amended = this.#runtimes.amend(delta);
    this.#transport.amend(amended.filter(({ upstream }) => upstream.protocol !== 'tcp'));
    this.#sessions.amend(amended);
    this.#acknowledge(delta.membership);
    this.#forwarder.onWake();
  }

  #acknowledge(membership: number): void {
    const word = this.#region.workerWord(this.#worker) + WORKER.membership.index;
    Atomics.store(this.#region.words, word, membership);
  }

  /** Stops accepting, lets open exchanges finish, and ends the thread. */
  async drain(graceMs: number, idleMs: number): Promise<void> {
    const deadline = setTimeout(() => this.#tunnels.closeAll(), graceMs);
    await this.#downstream.drain(graceMs, idleMs);
    clearTimeout(deadline);
    this.#tunnels.closeAll();
    await this.#transport.close();
    await this.#accessLog.close();
    for (const part of [this.#grpcCalls, this.#tracer]) part.report();
    this.#wakes.abort();
    process.exit(0);
  }

  setTicketSecrets(secrets: TicketSecrets): void {
    this.#downstream.setTicketSecrets(secrets);
  }

  takeCertificate(offer: CertificateOffer): void {
    this.#downstream.takeCertificate(offer);
  }

  reopenLogs(): void {
    this.#accessLog.reopen();
  }

  /** Posts the requests in flight. */
  listRequests(ticket: number): void {
    const list = openRequests(this.#runtimes.openExchanges(), this.#clock.nowMs());
    post({ kind: 'requests', ticket, list });
  }

  /** An endpoint is out of use. */
  dropIdle(slot: number): void {
    this.#transport.dropIdle(slot);
    this.#sessions.endpointOut(slot);
    const availability = this.#region.words[this.#region.endpointWord(slot) + E_AVAILABILITY];
    if (availability === AVAILABILITY.down) this.#forwarder.onEndpointDown(slot, this.#runtimes.openExchanges());
  }

  #runtimeOf(snapshot: Snapshot): Runtime {
    const memory = { region: this.#region, worker: this.#worker, random: systemRandom };
    const parts = partsOfPlugins(snapshot.plugins, (file, text) => log.error({ file }, text));
    for (const { balancers, logFormats } of parts) {
      for (const balancer of balancers) installBalancer(balancer);
      for (const format of logFormats) installLogFormat(format);
    }
    const policies = parts.flatMap((one) => one.policies);
    const pluginPolicies = new Map(policies.map((policy) => [policy.name, policy]));
    const services = {
      mustShed: (priority: Priority) => this.#overload.mustRefuse(priority),
      pressure: () => this.#overload.pressure,
      timers: wheelTimers(this.#wheel, this.#clock),
      ...this.#clients,
      passwords: this.#passwords,
      grpcCalls: this.#grpcCalls,
      tracer: this.#tracer,
      mirrors: () => this.#forwarder.mirrors,
      nowMs: () => this.#clock.nowMs(),
    };
    const watch = this.#policyWatch;
    return new Runtime(snapshot, memory, { worker: this.#worker, log, services, watch, pluginPolicies });
  }

  #installUpstreams(snapshot: Snapshot): void {
    for (const { endpoints } of snapshot.upstreams) this.#slots.apply(endpoints);
    this.#transport.update(snapshot.upstreams.filter(({ protocol }) => protocol !== 'tcp'));
    this.#installAccessLog(snapshot);
    const attempts = { transport: this.#transport, tunnels: this.#tunnels };
    this.#forwarder.use(snapshot.tracing === null ? attempts : this.#tracer.watch(attempts));
  }

  #installAccessLog(snapshot: Snapshot): void {
    try {
      this.#accessLog.update(snapshot.accessLog);
    } catch (error) {
      const output = snapshot.accessLog?.output;
      const text = `the access log cannot be opened: ${(error as Error).message}; requests go to the earlier one, if any, until a reload succeeds`;
      log.error({ err: error, output }, text);
    }
  }

  async #install({ listeners, revision, membership }: Snapshot, held: HeldDescriptors): Promise<void> {
    this.#acknowledge(membership);
    const outcome = await outcomeOf(this.#downstream.apply(listeners, held));
    this.#region.words[this.#region.workerWord(this.#worker) + WORKER.acknowledged.index] = revision;
    post({ kind: 'installed', revision, ...outcome });
  }

  #driveClockwork(): void {
    const beat = this.#region.workerWord(this.#worker) + WORKER.liveness.index;
    let beforeMs = this.#clock.nowMs();
    setInterval(() => {
      const nowMs = this.#clock.nowMs();
      this.#wheel.advance(nowMs);
      this.#region.words[beat]!++;
      this.#overload.tick(nowMs, Math.max(0, nowMs - beforeMs - TICK_MS));
      beforeMs = nowMs;
    }, TICK_MS);
    const heapUsed = this.#region.workerWord(this.#worker) + WORKER.heapUsed.index;
    setInterval(() => {
      this.#region.words[heapUsed] = getHeapStatistics().used_heap_size / 1024;
      for (const part of [this.#grpcCalls, this.#tracer]) part.report();
    }, REPORT_INTERVAL_MS);
    void listenForWakes(this.#region, this.#worker, () => this.#onWake(), this.#wakes.signal);
  }

  #onWake(): void {
    this.#forwarder.onWake();
    this.#sessions.onWake();
  }
}

function newPolicyWatch(lanes: WorkerLanes, clock: Pick<Clock, 'nowMs'>): PolicyWatch {
  return new PolicyWatch({
    log,
    nowMs: () => clock.nowMs(),
    count: (policy, field, amount) => lanes.policy(policy).add(field, amount),
  });
}

/** @param shared the worker's wheel, turn and wire memory, which the client side uses too */
function openTransports(
  parts: TransportParts,
  shared: Omit<Http1TransportParts, keyof TransportParts>,
  http2: Http2Transport,
): TransportSwitch {
  return new TransportSwitch(new Http1Transport({ ...parts, ...shared }), new UndiciTransport(parts), http2);
}

/** Memory about clients, without the counts of an earlier worker of this index. */
function clientsOf(start: WorkerStart): Pick<PolicyServices, 'clients' | 'counts'> {
  const clients = new ClientMemory(start.clients);
  const counts = clients.countsOf(start.worker);
  counts.clear();
  return { clients, counts };
}

function logOverload(cause: OverloadCause | null, pressure: number): void {
  if (cause === null) log.info({}, 'no request had to be refused for 5 s: the overload is over');
  else
    log.warn({ cause, pressure: Number(pressure.toFixed(2)) }, `new requests are refused: ${OVERLOAD_REASONS[cause]}`);
}

async function outcomeOf(binding: Promise<readonly BoundListener[]>): Promise<BindOutcome> {
  try {
    return { bound: await binding, failure: null };
  } catch (error) {
    const { listener = '', address = '', message } = error as Error & { listener?: string; address?: string };
    return { bound: [], failure: { listener, address, error: message } };
  }
}

function post(message: MessageToMain): void {
  parentPort!.postMessage(message);
}

const start = workerData as WorkerStart;
const log = openWorkerLog(start.worker, start.snapshot.log.level, post);
const plane = new DataPlane(start);
// Listeners are bound in the order of the messages: one may arrive while those of an earlier one are being bound.
let binding = plane.start(start);
parentPort!.on('message', (message: MessageToWorker) => {
  switch (message.kind) {
    case 'prepare':
      binding = binding.then(() => plane.prepare(message));
      break;
    case 'discard':
      binding = binding.then(() => plane.discard());
      break;
    case 'snapshot':
      binding = binding.then(() => plane.apply(message.snapshot, message.descriptors));
      break;
    case 'endpoints':
      binding = binding.then(() => plane.amend(message.delta));
      break;
    case 'drain':
      void plane.drain(message.graceMs, message.idleMs);
      break;
    case 'ticket-secrets':
      plane.setTicketSecrets(message.secrets);
      break;
    case 'certificate-offer':
      plane.takeCertificate(message);
      break;
    case 'reopen-logs':
      plane.reopenLogs();
      break;
    case 'list-requests':
      plane.listRequests(message.ticket);
      break;
    default:
      plane.dropIdle(message.slot);
  }
});
