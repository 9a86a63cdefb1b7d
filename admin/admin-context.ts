// Dependencies of the admin API, as interfaces: everything that it shows and changes. Thread: main.

import type { Origins } from '../config/include/provided-files.ts';
import type { ProblemJson } from '../config/problems/problem-report.ts';
import type { Admin } from '../core/availability.ts';
import type {
  AutomaticCertificate,
  CertificateChanges,
  CertificateFacts,
  CertificateOrders,
} from '../core/certificate-facts.ts';
import type { Clock } from '../core/clock.ts';
import type { GrpcMethodCounts } from '../core/grpc-calls.ts';
import type { ClientMemory } from '../core/memory/client-memory.ts';
import type { Region } from '../core/memory/region.ts';
import type { BoundListener } from '../core/messages.ts';
import type { MaintenanceSwitch } from '../core/snapshot/maintenance.ts';
import type { Exemplar } from '../core/request-tracer.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { Timers } from '../core/timers.ts';
import type { RegistrationView } from '../discovery/consul/consul-registration.ts';
import type { DiscoveredEndpoint } from '../discovery/source.ts';
import type { SourceView } from '../discovery/source-runner.ts';
import type { ProviderStatus } from '../providers/provider-runner.ts';
import type { EndpointView } from '../health/record/endpoint-view.ts';
import type { Explanation } from '../health/record/endpoint-explanation.ts';
import type { HealthEvent } from '../health/record/health-events.ts';
import type { Logger } from '../core/log.ts';
import type { ExplainQuery, ExplainReply } from './api/explain-schemas.ts';
import type { SessionReply } from './api/explain-session-schemas.ts';
import type { RequestsInFlight } from '../core/requests-in-flight.ts';

/** The part of the health service that the admin API uses. */
export interface AdminHealth {
  endpoints(): readonly EndpointView[];
  /** Returns false when there is no such endpoint. */
  setAdmin(upstream: string, endpoint: string, admin: Admin, who: string): boolean;
  /** Gives an endpoint that is about to be added a state. @param name `upstream/address` @returns a function that withdraws it */
  awaitEndpoint(name: string, admin: Admin, who: string): () => void;
  /** Returns false when there is no such endpoint. @throws RangeError for a weight that isn't one */
  setWeight(upstream: string, endpoint: string, weight: number, who: string): boolean;
  /** Explains the state of an endpoint; null when there is no such endpoint. */
  explain(upstream: string, endpoint: string): Explanation | null;
  readonly events: {
    list(): readonly HealthEvent[];
    /** Returns the function that ends it. */
    subscribe(listener: (event: HealthEvent) => void): () => void;
  };
}

/** A request of an operator for a route or an upstream. */
export interface MaintenanceRequest extends Pick<MaintenanceSwitch, 'of' | 'name' | 'retryAfterS'> {
  readonly isOn: boolean;
}

/** Maintenance of routes and upstreams. */
export interface AdminMaintenance {
  list(): readonly MaintenanceSwitch[];
  /** Returns when all workers act so. @throws why it can't be applied; nothing has changed then */
  set(request: MaintenanceRequest, by: string): Promise<void>;
}

/** A change of maintenance. */
export interface MaintenanceChange extends Pick<MaintenanceSwitch, 'of' | 'name'> {
  /** Wall-clock ms. */
  readonly at: number;
  readonly isOn: boolean;
  readonly cause: string;
}

/** A split of a route, with the weights in effect and those of the configuration. */
export interface SplitView {
  readonly route: string;
  readonly upstreams: readonly { readonly name: string; readonly weight: number; readonly configuredWeight: number }[];
}

/** A request of an operator for an upstream of a split; a weight of null takes the configured one back. */
export interface SplitWeightRequest {
  readonly route: string;
  readonly upstream: string;
  readonly weight: number | null;
}

/** A change of a weight in a split. */
export interface SplitWeightChange extends Omit<SplitWeightRequest, 'weight'> {
  /** Wall-clock ms. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly cause: string;
}

/** Splits of routes. */
export interface AdminSplits {
  list(): readonly SplitView[];
  /** Returns when all workers act so. @throws why it can't be applied; nothing has changed then */
  set(request: SplitWeightRequest, by: string): Promise<void>;
}

/** Certificates of the listeners. */
export interface AdminCertificates {
  list(): readonly CertificateFacts[];
  /** Changes of files since the start. */
  readonly changes: CertificateChanges;
}

/** Certificates that Fairlead obtains itself. */
export interface AdminAcme {
  list(): readonly AutomaticCertificate[];
  /** Since the start. */
  readonly orders: CertificateOrders;
  /** Orders a certificate now. @returns whether there is one for the name */
  renew(name: string): Promise<boolean>;
}

/** Endpoints of one origin that were added to an upstream or removed from it in one step. */
export interface MembershipChange {
  /** Wall-clock ms. */
  readonly at: number;
  readonly upstream: string;
  readonly origin: string;
  /** Addresses. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Why endpoints were removed, or who changed them; '' where a source has added some. */
  readonly cause: string;
}

/** The removal of an endpoint. */
export interface EndpointDeparture {
  /** Wall-clock ms. */
  readonly at: number;
  readonly origin: string;
  readonly cause: string;
}

/** Spans since the start. */
export interface AdminTraces {
  readonly counts: {
    readonly exported: number;
    /** By cause. */
    readonly lost: Readonly<Record<'queue' | 'refused' | 'worker', number>>;
    readonly failedRequests: number;
  };
  /** Bytes of spans that wait. */
  readonly queuedBytes: number;
  /** Recorded requests of an upstream, at most one for each bucket of its latencies. */
  exemplars(upstream: string): readonly Exemplar[];
}

/** Discovery sources of upstreams, and endpoints that operators add. */
export interface AdminMembership {
  /** In the order of the configuration. */
  sources(): readonly SourceView[];
  /** When and why an endpoint was removed; null where that isn't known. */
  departureOf(upstream: string, id: string): EndpointDeparture | null;
  /** The upstream exists, and the endpoint is new or was added. @throws why it can't be added */
  add(upstream: string, endpoint: DiscoveredEndpoint, who: string): Promise<void>;
  /** The endpoint was added. */
  remove(upstream: string, id: string, who: string): Promise<void>;
}

/** Providers of the configuration. */
export interface AdminProviders {
  views(): readonly ProviderStatus[];
  /** Objects that define routes and upstreams; null where there are none. */
  readonly origins: Origins | null;
}

/** A worker thread as its supervisor knows it. */
export interface AdminWorker {
  readonly worker: number;
  readonly state: 'starting' | 'listening' | 'draining' | 'exited';
  /** How often it was started again after it died. */
  readonly restarts: number;
}

/** Outcome of a reload; `problems` are sentences with their places, `findings` the same for programs. */
export type ReloadOutcome =
  | { readonly ok: true; readonly revision: number; readonly changes: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[]; readonly findings?: readonly ProblemJson[] };

/** A configuration that runs, or that still finishes what it began. */
export interface AdminRevision {
  readonly revision: number;
  /** Wall-clock ms at which it was taken over. */
  readonly at: number;
  /** Exchanges that began with it and are open; null where that is not counted. */
  readonly exchanges: number | null;
}

/** The configuration as it is written, for people: variables are not put in, secrets are left out. */
export interface WrittenConfig {
  readonly file: string;
  /** Length of its files in characters. */
  readonly characters: number;
  /** Computed on demand, because it takes a while. */
  readonly config: () => Readonly<Record<string, unknown>>;
}

/** Outcome of an upgrade; `pid` is the next process. */
export type UpgradeOutcome =
  | { readonly ok: true; readonly pid: number }
  | { readonly ok: false; readonly message: string };

export interface AdminContext {
  readonly version: string;
  /** Wall-clock ms at which the process began. */
  readonly startedAt: number;
  /** The same moment as `nowMs` of the clock. */
  readonly startedMs: number;
  readonly region: Region;
  /** Memory about clients. */
  readonly clients: Pick<ClientMemory, 'evictions'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
  /** Lines of the process log that were lost. */
  lostLogLines(): number;
  /** gRPC calls by upstream and method, where an upstream has `grpcMetrics`. */
  grpcCalls(): readonly GrpcMethodCounts[];
  readonly traces: AdminTraces;
  readonly health: AdminHealth;
  readonly maintenance: AdminMaintenance;
  readonly splits: AdminSplits;
  readonly membership: AdminMembership;
  readonly providers: AdminProviders;
  /** Registrations of this Fairlead as a service. */
  readonly registrar: {
    views(): readonly RegistrationView[];
  };
  readonly certificates: AdminCertificates;
  readonly acme: AdminAcme;
  /** The Snapshot that runs. */
  snapshot(): Snapshot;
  workers(): readonly AdminWorker[];
  /** Where the listeners are bound, in the Snapshot's order; empty until they are. */
  listeners(): readonly BoundListener[];
  isDraining(): boolean;
  /** Where a request would go now, and why. @throws ExplainError */
  explain(query: ExplainQuery): ExplainReply | SessionReply;
  /** Requests in flight of all workers. */
  requests(): Promise<RequestsInFlight & { readonly missingWorkers: readonly number[] }>;
  /** Newest first; the first one is the Snapshot that runs. */
  revisions(): readonly AdminRevision[];
  /** Null where there is no file. */
  writtenConfig(): WrittenConfig | null;
  /** Loads the configuration file again; null where there is none to load. */
  readonly reload: (() => Promise<ReloadOutcome>) | null;
  /** Has the next process take over; left out where there is no holder, which could start one. */
  readonly upgrade?: (() => Promise<UpgradeOutcome>) | undefined;
}
