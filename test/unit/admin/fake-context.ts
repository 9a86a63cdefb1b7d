// An admin context that a test plays by hand: two upstreams with three endpoints, two workers. Thread: main.

import type { Admin } from '../../../core/availability.ts';
import { Region } from '../../../core/memory/region.ts';
import type { AdminSnapshot } from '../../../core/snapshot/admin.ts';
import type { BindAddress } from '../../../core/snapshot/listener.ts';
import type { MaintenanceSwitch } from '../../../core/snapshot/maintenance.ts';
import type { Exemplar } from '../../../core/request-tracer.ts';
import type { Snapshot } from '../../../core/snapshot/snapshot.ts';
import type { GrpcMethodCounts } from '../../../core/grpc-calls.ts';
import type {
  AdminContext,
  AdminRevision,
  AdminHealth,
  AdminMaintenance,
  AdminProviders,
  AdminSplits,
  AdminWorker,
  MaintenanceRequest,
  ReloadOutcome,
  SplitView,
  SplitWeightRequest,
  WrittenConfig,
} from '../../../admin/admin-context.ts';
import type { ExplainQuery, ExplainReply } from '../../../admin/api/explain-schemas.ts';
import { seededRandom } from '../../../core/random.ts';
import { explain } from '../../../control/explain/explanation.ts';
import type { SourceView } from '../../../discovery/source-runner.ts';
import type { AgentView, EndpointView } from '../../../health/record/endpoint-view.ts';
import type { Explanation, Reason } from '../../../health/record/endpoint-explanation.ts';
import { HealthEvents } from '../../../health/record/health-events.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import {
  endpointSnapshot,
  listenerSnapshot,
  policySnapshot,
  routeSnapshot,
  snapshot,
  upstreamSnapshot,
} from '../../support/snapshots.ts';
import { type LogLine, recordingLog } from '../../support/loggers.ts';
import { REGISTRATION } from './fake-registration.ts';

export const STARTED_AT = Date.UTC(2026, 0, 1);

/** The admin API at an address, without tokens and TLS. */
export function adminAt(bind: BindAddress, parts: Partial<AdminSnapshot> = {}): AdminSnapshot {
  return { bind, tokens: [], tls: null, hosts: [], open: [], availabilityTarget: 0.999, ...parts };
}

export const LOOPBACK: BindAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 };

const AGENT: AgentView = {
  at: STARTED_AT,
  said: '50%',
  admin: 'ready',
  isDown: false,
  askedShare: 0.5,
  share: 0.7512,
  words: { weight: 2, maxconn: 0, ready: 0, drain: 0, maint: 0, up: 0, down: 0, fail: 0, stopped: 0, unknown: 0 },
};

const AUTOMATIC = {
  name: 'example.com',
  authority: 'ca.test',
  challenge: 'http-01',
  state: 'issued' as const,
  serial: '01',
  notBeforeMs: STARTED_AT,
  notAfterMs: STARTED_AT + 90 * 86_400_000,
  renewAtMs: STARTED_AT + 60 * 86_400_000,
  failures: 0,
  lastError: '',
  retryAtMs: null,
};

const WAITING = {
  ...AUTOMATIC,
  name: 'new.example.com',
  state: 'waiting' as const,
  serial: '',
  notBeforeMs: null,
  notAfterMs: null,
  renewAtMs: null,
  failures: 3,
  lastError: 'CA is unreachable',
  retryAtMs: STARTED_AT + 600_000,
};

const CERTIFICATE = {
  names: ['example.com', 'www.example.com'],
  issuer: 'CN=Test CA',
  serial: '01',
  fingerprint: 'AA:BB',
  keyType: 'ec',
  notBeforeMs: STARTED_AT,
  notAfterMs: STARTED_AT + 90 * 86_400_000,
  file: '/etc/fairlead/example.com.pem',
  origin: null,
  error: null,
};

function viewOf(upstream: string, slot: number, parts: Partial<EndpointView> = {}): EndpointView {
  return {
    upstream,
    name: `${upstream}/127.0.0.1:${3000 + slot}`,
    slot,
    place: endpointSnapshot(slot),
    backup: false,
    weight: 1,
    configuredWeight: parts.weight ?? 1,
    availability: 'up',
    axes: { admin: 'ready', check: 'up', outlier: 'none', resolution: 'resolved' },
    wishes: { operator: 'ready', agent: 'ready' },
    share: 1,
    limit: { inFlight: 0, adaptive: null },
    warming: null,
    reducedUntil: null,
    agent: null,
    since: STARTED_AT,
    cause: 'added',
    detector: null,
    heartbeats: [],
    consecutiveFailures: 0,
    ejectionsInRow: 0,
    ejectedUntil: null,
    nextCheck: null,
    counters: {
      checks: 0,
      checksFailed: 0,
      checksUnknown: 0,
      checksContradicted: 0,
      resolutionFailures: 0,
      ejections: 0,
      ejectionsRefused: 0,
      suspicions: 0,
      slowStarts: 0,
      transitions: 0,
    },
    changes: [],
    downtimeSeconds: 0,
    ...parts,
  };
}

/** Scripted health that finds an endpoint by its address or full name, as the real one does. */
class FakeHealth implements AdminHealth {
  readonly events = new HealthEvents(10);
  readonly views = new Map<number, EndpointView>([
    [0, viewOf('api', 0)],
    [1, viewOf('api', 1, { weight: 3 })],
    [2, viewOf('web', 2, { agent: AGENT, limit: { inFlight: 9, adaptive: { baselineMs: 4, p50Ms: 5 } } })],
  ]);
  lastWho = '';
  reasons: Reason[] = [];

  endpoints(): readonly EndpointView[] {
    return [...this.views.values()];
  }

  change(slot: number, parts: Partial<EndpointView>): void {
    this.views.set(slot, { ...this.views.get(slot)!, ...parts });
  }

  explain(upstream: string, endpoint: string): Explanation | null {
    const view = this.#find(upstream, endpoint);
    if (view === undefined) return null;
    const events = this.events.list().filter((event) => event.endpoint === view.name);
    return { ...view, now: STARTED_AT + 60_000, reasons: this.reasons, events };
  }

  awaitEndpoint(): () => void {
    return () => undefined;
  }

  setAdmin(upstream: string, endpoint: string, admin: Admin, who: string): boolean {
    const view = this.#find(upstream, endpoint);
    if (view === undefined) return false;
    this.lastWho = who;
    const availability = admin === 'ready' ? 'up' : admin;
    this.change(view.slot, { axes: { ...view.axes, admin }, availability, cause: `set to ${admin} by ${who}` });
    return true;
  }

  setWeight(upstream: string, endpoint: string, weight: number): boolean {
    const view = this.#find(upstream, endpoint);
    if (view !== undefined) this.change(view.slot, { weight });
    return view !== undefined;
  }

  #find(upstream: string, endpoint: string): EndpointView | undefined {
    return [...this.views.values()].find(
      (view) => view.upstream === upstream && view.name === `${upstream}/${endpoint}`,
    );
  }
}

/** Keeps what is set; a message in `refusal` refuses changes. */
class FakeMaintenance implements AdminMaintenance {
  switches: MaintenanceSwitch[] = [];
  refusal = '';

  list(): readonly MaintenanceSwitch[] {
    return this.switches;
  }

  async set({ of, name, isOn, retryAfterS }: MaintenanceRequest, by: string): Promise<void> {
    await Promise.resolve();
    if (this.refusal !== '') throw new Error(this.refusal);
    const others = this.switches.filter((one) => one.of !== of || one.name !== name);
    this.switches = isOn ? [...others, { of, name, retryAfterS, at: STARTED_AT, by }] : others;
  }
}

/** One split, whose weights are set as requested; a message in `refusal` refuses changes. */
class FakeSplits implements AdminSplits {
  splits: SplitView[] = [{ route: 'trial', upstreams: [{ name: 'api', weight: 95, configuredWeight: 95 }] }];
  refusal = '';

  list(): readonly SplitView[] {
    return this.splits;
  }

  async set({ route, upstream, weight }: SplitWeightRequest): Promise<void> {
    await Promise.resolve();
    if (this.refusal !== '') throw new Error(this.refusal);
    this.splits = this.splits.map((one) => ({
      route: one.route,
      upstreams: one.upstreams.map((part) =>
        one.route === route && part.name === upstream ? { ...part, weight: weight ?? part.configuredWeight } : part,
      ),
    }));
  }
}

export class FakeContext implements AdminContext {
  readonly version = '1.2.3';
  readonly startedAt = STARTED_AT;
  readonly startedMs = 0;
  readonly clients = { evictions: 3 };
  readonly region = Region.allocate({ endpoints: 8, upstreams: 4, workers: 3, listeners: 2 }, STARTED_AT);
  readonly clock = new FakeClock(0, STARTED_AT);
  readonly timers = this.clock;
  readonly health = new FakeHealth();
  readonly maintenance = new FakeMaintenance();
  readonly splits = new FakeSplits();
  readonly registrar = { views: () => [REGISTRATION] };
  readonly membership = {
    add: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    departureOf: (_upstream: string, id: string) =>
      id === '10.0.0.66:3000'
        ? { at: STARTED_AT, origin: 'dns:api.internal:3000', cause: 'no longer in the answer' }
        : null,
    sources: (): readonly SourceView[] => [
      {
        upstream: 'api',
        source: 'dns',
        subject: 'api.internal:3000',
        state: 'stale',
        version: 'TTL 30 s',
        endpoints: 2,
        confirmedAt: 0,
        changedAt: 0,
        cause: 'server 10.0.0.53 answers SERVFAIL for api.internal A',
        updates: 7,
        failures: 1,
      },
    ],
  };
  readonly providers: AdminProviders = {
    origins: {
      routes: { trial: 'kubernetes ingress shop/web' },
      upstreams: { web: 'kubernetes service shop/web' },
    },
    views: () => [
      {
        provider: 'kubernetes',
        subject: 'kubeconfig.yaml',
        state: 'stale' as const,
        version: '7',
        confirmedAt: STARTED_AT,
        cause: 'connection refused',
        routes: 1,
        upstreams: 1,
        certificates: 0,
        accepted: 2,
        refused: [{ origin: 'kubernetes ingress shop/bad', cause: 'there is no service shop/none' }],
      },
    ],
  };
  readonly certificates = {
    list: () => [{ ...CERTIFICATE, listener: 'web' }],
    changes: { installed: 4, refused: 1 },
  };
  readonly acme = {
    list: () => [AUTOMATIC, WAITING],
    orders: { issued: 2, failed: 5, prevented: 0 },
    renew: (name: string) => Promise.resolve(name === AUTOMATIC.name),
  };
  readonly errors: LogLine[] = [];
  readonly log = recordingLog(this.errors, 'error');
  current: Snapshot = snapshot({
    revision: 7,
    listeners: [listenerSnapshot({ index: 1 })],
    routes: [
      routeSnapshot({
        policies: [
          policySnapshot('shedding', { priority: 'default' }, { needs: ['reply', 'transform-response-body'] }),
          policySnapshot('mirror', { route: 'all', mirrors: [{ upstream: 'api' }] }, { index: 1 }),
        ],
      }),
    ],
    upstreams: [
      upstreamSnapshot({
        endpoints: [endpointSnapshot(0, { zone: 'a' }), endpointSnapshot(1, { weight: 3 })],
        locality: { zone: 'a', spillBelowPercent: 70 },
      }),
      upstreamSnapshot({ name: 'web', index: 2, protocol: 'tcp', endpoints: [endpointSnapshot(2)] }),
    ],
  });
  workerStates: AdminWorker[] = [
    { worker: 0, state: 'listening', restarts: 0 },
    { worker: 1, state: 'listening', restarts: 2 },
  ];
  draining = false;
  written: WrittenConfig | null = { file: 'fairlead.yaml', characters: 11, config: () => ({ workers: 2 }) };
  reload: (() => Promise<ReloadOutcome>) | null = null;
  upgrade: AdminContext['upgrade'] = undefined;

  snapshot(): Snapshot {
    return this.current;
  }

  workers(): readonly AdminWorker[] {
    return this.workerStates;
  }

  listeners() {
    return [{ name: 'web', address: '127.0.0.1:8080', port: 8080 }];
  }

  isDraining(): boolean {
    return this.draining;
  }

  explain(query: ExplainQuery): ExplainReply {
    const ports = new Map(this.listeners().map(({ name, port }) => [name, port]));
    const { region, clock } = this;
    return explain(query, {
      snapshot: this.current,
      origins: this.providers.origins,
      region,
      ports,
      clock,
      random: seededRandom(1),
    });
  }

  requests(): ReturnType<AdminContext['requests']> {
    return Promise.resolve({ total: 0, requests: [], clients: [], missingWorkers: [] });
  }

  lostLogLines(): number {
    return 0;
  }

  revisions(): readonly AdminRevision[] {
    const current = { revision: this.current.revision, at: STARTED_AT, exchanges: 0 };
    return [current, { revision: 6, at: STARTED_AT, exchanges: null }];
  }

  grpcCounts: GrpcMethodCounts[] = [
    {
      upstream: 'api',
      method: 'shop.v1.Orders/Get',
      calls: [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
      requestMessages: 4,
      responseMessages: 3,
    },
  ];

  grpcCalls(): readonly GrpcMethodCounts[] {
    return this.grpcCounts;
  }

  traces = {
    counts: { exported: 40, lost: { queue: 3, refused: 2, worker: 1 }, failedRequests: 4 },
    queuedBytes: 512,
    exemplars: (_upstream: string): readonly Exemplar[] => [],
  };

  writtenConfig(): WrittenConfig | null {
    return this.written;
  }
}
