// Complete state as plain data for the admin API. Times are ISO 8601; names of durations contain their unit. Thread: main.

import { zoneViewOf } from '../../balancers/zone-share.ts';
import { AVAILABILITY_NAMES } from '../../core/availability.ts';
import type { EndpointField } from '../../core/memory/lane-fields.ts';
import { ENDPOINT, UPSTREAM, WORKER } from '../../core/memory/layout.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { EndpointView } from '../../health/record/endpoint-view.ts';
import type { AdminContext } from '../admin-context.ts';
import { factsOf, heartbeatsOf, placeOf } from './endpoint-facts.ts';
import type { EndpointAloneReply, EndpointReply } from './endpoint-schemas.ts';
import { endpointTag } from './entity-tag.ts';
import { isoOf } from './iso-time.ts';
import { LaneSums } from '../metrics/lane-sums.ts';
import { STATUS_CLASSES } from '../metrics/metrics-upstream.ts';
import { notReadyBecause } from './readiness.ts';
import type {
  ConfigReply,
  MaintenanceReply,
  ProviderReply,
  ProviderSummary,
  SourceReply,
  StatusReply,
  UpstreamReply,
} from './reply-schemas.ts';
import type { RegistrationReply } from './registration-schemas.ts';
import type { Traffic, TrafficWindow } from '../metrics/traffic-window.ts';

/** One endpoint, with the entity tag of its operator settings. */
export interface TaggedEndpoint {
  readonly reply: EndpointAloneReply;
  readonly tag: string;
}

/** Builds views on request. */
export class StatusView {
  readonly #context: AdminContext;
  readonly #traffic: TrafficWindow;
  readonly #sums: LaneSums;

  constructor(context: AdminContext, traffic: TrafficWindow) {
    this.#context = context;
    this.#traffic = traffic;
    this.#sums = new LaneSums(context.region);
  }

  /** The complete state. */
  status(): StatusReply {
    const { version, startedAt } = this.#context;
    const because = notReadyBecause(this.#context);
    return {
      version,
      startedAt: isoOf(startedAt),
      uptimeSeconds: this.uptimeSeconds(),
      generation: this.#context.snapshot().revision,
      ready: because.length === 0,
      notReadyBecause: [...because],
      workers: this.workers(),
      listeners: this.listeners(),
      upstreams: this.upstreams(),
      maintenance: this.maintenance(),
      providers: this.providerSummaries(),
      registrations: this.registrations(),
    };
  }

  /** Age of the process by the monotonic clock: wall time may step. */
  uptimeSeconds(): number {
    const { clock, startedMs } = this.#context;
    return Math.round((clock.nowMs() - startedMs) / 1000);
  }

  workers(): StatusReply['workers'] {
    const { region } = this.#context;
    return this.#context.workers().map(({ worker, state, restarts }) => {
      const word = region.workerWord(worker);
      return {
        worker,
        state,
        restarts,
        generation: region.words[word + WORKER.acknowledged.index]!,
        exchanges: region.words[word + WORKER.openExchanges.index]!,
        connections: region.words[word + WORKER.openConnections.index]!,
        upgraded: region.words[word + WORKER.upgraded.index]!,
      };
    });
  }

  listeners(): StatusReply['listeners'] {
    const bound = new Map(this.#context.listeners().map(({ name, address }) => [name, address]));
    return this.#context.snapshot().listeners.map(({ name, index, tls }) => ({
      name,
      address: bound.get(name) ?? null,
      tls: tls !== null,
      connections: this.#sums.listener(index, 'connectionsOpen'),
      http2Connections: this.#sums.listener(index, 'http2Connections'),
      streams: this.#sums.listener(index, 'http2Streams'),
      connectionsAccepted: this.#sums.listener(index, 'connectionsAccepted'),
      connectionsRefused: this.#sums.listener(index, 'connectionsRefused'),
      requests: this.#sums.listener(index, 'requests'),
      badRequests: this.#sums.listener(index, 'badRequests'),
    }));
  }

  /** The running configuration and older ones with open exchanges, newest first. */
  generations(): ConfigReply['generations'] {
    const nowMs = this.#context.clock.wallMs();
    const workers = this.workers();
    return this.#context.revisions().map(({ revision, at, exchanges }, index) => ({
      generation: revision,
      at: isoOf(at),
      ageSeconds: Math.max(0, Math.round((nowMs - at) / 1000)),
      isCurrent: index === 0,
      workers: workers.filter((worker) => worker.generation === revision).length,
      exchanges,
    }));
  }

  upstreams(): UpstreamReply[] {
    const views = this.#views();
    return this.#context.snapshot().upstreams.map((upstream) => this.#upstream(upstream, views));
  }

  /** Routes and upstreams in maintenance. */
  maintenance(): MaintenanceReply[] {
    return this.#context.maintenance.list().map(({ of, name, retryAfterS, at, by }) => {
      return { of, name, retryAfterSeconds: retryAfterS, since: isoOf(at), by };
    });
  }

  /** One upstream with its endpoints; null when the name is unknown. */
  upstream(name: string): UpstreamReply | null {
    const upstream = this.#context.snapshot().upstreams.find((one) => one.name === name);
    return upstream === undefined ? null : this.#upstream(upstream, this.#views());
  }

  /** One endpoint with its newest heartbeats and its tag; null when a name is unknown. */
  endpoint(upstream: string, endpoint: string): TaggedEndpoint | null {
    const group = this.#context.snapshot().upstreams.find(({ name }) => name === upstream);
    const member = group?.endpoints.find(({ id }) => id === endpoint);
    const view = member === undefined ? undefined : this.#views().get(member.slot);
    if (group === undefined || member === undefined || view === undefined) return null;
    const reply = { upstream, ...this.#endpoint(member, view), heartbeats: heartbeatsOf(view) };
    return { reply, tag: endpointTag(member, view) };
  }

  #views(): ReadonlyMap<number, EndpointView> {
    return new Map(this.#context.health.endpoints().map((view) => [view.slot, view]));
  }

  #upstream(upstream: UpstreamSnapshot, views: ReadonlyMap<number, EndpointView>): UpstreamReply {
    const { name, index, balance, protocol, endpoints } = upstream;
    const { region } = this.#context;
    const known = endpoints.flatMap((endpoint) => {
      const view = views.get(endpoint.slot);
      return view === undefined ? [] : [{ endpoint, view }];
    });
    const ofAvailability = Map.groupBy(known, ({ view }) => view.availability);
    return {
      name,
      balance: balance.kind,
      protocol,
      maintenance: this.#isInMaintenance(name),
      availability: Object.fromEntries(
        AVAILABILITY_NAMES.map((state) => [state, ofAvailability.get(state)?.length ?? 0]),
      ) as UpstreamReply['availability'],
      inFlight: endpoints.reduce(
        (sum, { slot }) => sum + region.words[region.endpointWord(slot) + ENDPOINT.inflight.index]!,
        0,
      ),
      queued: region.words[region.upstreamWord(index) + UPSTREAM.queued.index]!,
      requests: this.#sums.upstream(index, 'exchanges'),
      responses: responsesOf((field) => this.#sums.upstream(index, field)),
      retries: this.#sums.upstream(index, 'retries'),
      redispatches: this.#sums.upstream(index, 'redispatches'),
      traffic: roundedTraffic(this.#traffic.upstream(upstream)),
      locality: zoneViewOf(upstream, region),
      origin: this.#context.providers.origins?.upstreams[name] ?? null,
      sources: this.sources(name),
      endpoints: known.map(({ endpoint, view }) => this.#endpoint(endpoint, view)),
    };
  }

  /** Discovery sources of an upstream. */
  sources(upstream: string): SourceReply[] {
    const own = this.#context.membership.sources().filter((one) => one.upstream === upstream);
    return own.map(
      ({ source, subject, state, version, endpoints, confirmedAt, changedAt, cause, updates, failures }) => {
        const ageSeconds = this.#ageOf(confirmedAt);
        const at = changedAt === null ? null : isoOf(changedAt);
        return { source, subject, state, version, endpoints, ageSeconds, changedAt: at, cause, updates, failures };
      },
    );
  }

  providers(): ProviderReply[] {
    return this.#context.providers.views().map(({ provider, confirmedAt, refused, ...facts }) => ({
      name: provider,
      ageSeconds: this.#ageOf(confirmedAt),
      ...facts,
      refused: refused.map(({ origin, cause }) => ({ object: origin, cause })),
    }));
  }

  /** Providers without their objects. */
  providerSummaries(): ProviderSummary[] {
    return this.#context.providers.views().map(({ provider, state, confirmedAt, cause, accepted, refused }) => {
      const ageSeconds = this.#ageOf(confirmedAt);
      return { name: provider, state, ageSeconds, cause, accepted, refused: refused.length };
    });
  }

  registrations(): RegistrationReply[] {
    return this.#context.registrar.views().map(({ confirmedAt, ...facts }) => {
      return { ...facts, ageSeconds: this.#ageOf(confirmedAt) };
    });
  }

  #ageOf(confirmedAt: number | null): number | null {
    return confirmedAt === null ? null : Math.max(0, Math.round((this.#context.clock.wallMs() - confirmedAt) / 1000));
  }

  #isInMaintenance(upstream: string): boolean {
    return this.#context.maintenance.list().some(({ of, name }) => of === 'upstream' && name === upstream);
  }

  #endpoint(endpoint: EndpointSnapshot, view: EndpointView): EndpointReply {
    const { slot } = endpoint;
    const { region } = this.#context;
    const word = region.endpointWord(slot);
    const sum = (field: EndpointField) => this.#sums.endpoint(slot, field);
    return {
      name: endpoint.id,
      ...placeOf(endpoint),
      ...factsOf(view),
      inFlight: region.words[word + ENDPOINT.inflight.index]!,
      queued: region.words[word + ENDPOINT.queued.index]!,
      attempts: sum('attempts'),
      retries: sum('retries'),
      responses: responsesOf(sum),
      failures: {
        connect: sum('failuresConnect'),
        reset: sum('failuresReset'),
        timeout: sum('failuresTimeout'),
        protocol: sum('failuresProtocol'),
        truncated: sum('failuresTruncated'),
      },
      connections: {
        open: sum('connectionsOpen'),
        idle: sum('connectionsIdle'),
        upgraded: sum('upgradesOpen'),
        http2: sum('http2Connections'),
      },
      streams: sum('http2Streams'),
      traffic: roundedTraffic(this.#traffic.endpoint(endpoint)),
    };
  }
}

type StatusClassField = (typeof STATUS_CLASSES)[number][1];

function responsesOf(read: (field: StatusClassField) => number): EndpointReply['responses'] {
  const counted = STATUS_CLASSES.map(([label, field]) => [label, read(field)]);
  return Object.fromEntries(counted) as EndpointReply['responses'];
}

/** Rounded, since these are estimates. */
export function roundedTraffic(traffic: Traffic): EndpointReply['traffic'] {
  return {
    windowSeconds: rounded(traffic.seconds),
    requestsPerSecond: rounded(traffic.requestsPerSecond),
    errorShare: rounded(traffic.errorShare),
    p50Ms: rounded(traffic.p50Ms),
    p90Ms: rounded(traffic.p90Ms),
    p99Ms: rounded(traffic.p99Ms),
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4));
}
