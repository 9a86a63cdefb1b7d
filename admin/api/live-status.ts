// The event `status` of event streams: the data of live displays, built once for all clients. Thread: main.

import { ENDPOINT, UPSTREAM, WORKER } from '../../core/memory/layout.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { EndpointView } from '../../health/record/endpoint-view.ts';
import type { AdminContext } from '../admin-context.ts';
import { isoOf } from './iso-time.ts';
import { notReadyBecause } from './readiness.ts';
import type { LiveReply } from './reply-schemas.ts';
import { roundedTraffic, type StatusView } from './status-view.ts';
import { LaneSums } from '../metrics/lane-sums.ts';
import type { Traffic, TrafficWindow } from '../metrics/traffic-window.ts';

type LiveUpstream = LiveReply['upstreams'][number];
type LiveEndpoint = LiveUpstream['endpoints'][number];

/** About 450 bytes per endpoint: 180 KB for 400 endpoints. */
export function liveStatus(context: AdminContext, traffic: TrafficWindow, status: StatusView): LiveReply {
  const views = new Map(context.health.endpoints().map((view) => [view.slot, view]));
  const { revision, upstreams } = context.snapshot();
  const because = notReadyBecause(context);
  return {
    at: isoOf(context.clock.wallMs()),
    generation: revision,
    ready: because.length === 0,
    notReadyBecause: [...because],
    uptimeSeconds: status.uptimeSeconds(),
    exchanges: context.region.sumOfWorkers(WORKER.openExchanges.index),
    connections: context.region.sumOfWorkers(WORKER.openConnections.index),
    ...clientFigures(traffic),
    generations: status.generations(),
    workers: status.workers(),
    listeners: status.listeners(),
    upstreams: upstreams.map((upstream) => ({
      ...upstreamOf(context, upstream, views, traffic),
      sources: status.sources(upstream.name),
    })),
    maintenance: status.maintenance(),
    providers: status.providerSummaries(),
    registrations: status.registrations(),
  };
}

function clientFigures(traffic: TrafficWindow): Pick<LiveReply, 'requestsPerSecond' | 'errorShare'> {
  const { requestsPerSecond, errorShare } = roundedTraffic(traffic.clients());
  return { requestsPerSecond, errorShare };
}

function upstreamOf(
  { region }: AdminContext,
  upstream: UpstreamSnapshot,
  views: ReadonlyMap<number, EndpointView>,
  traffic: TrafficWindow,
): Omit<LiveUpstream, 'sources'> {
  const sums = new LaneSums(region);
  const endpoints = upstream.endpoints.flatMap((endpoint) => {
    const view = views.get(endpoint.slot);
    const word = region.endpointWord(endpoint.slot);
    const inFlight = region.words[word + ENDPOINT.inflight.index]!;
    const queued = region.words[word + ENDPOINT.queued.index]!;
    const load = { inFlight, queued, ...countsOf(sums, endpoint) };
    return view === undefined ? [] : [endpointOf(endpoint, view, load, traffic)];
  });
  return {
    name: upstream.name,
    balance: upstream.balance.kind,
    protocol: upstream.protocol,
    inFlight: endpoints.reduce((sum, { inFlight }) => sum + inFlight, 0),
    queued: region.words[region.upstreamWord(upstream.index) + UPSTREAM.queued.index]!,
    ...figuresOf(traffic.upstream(upstream)),
    endpoints,
  };
}

type Load = Pick<LiveEndpoint, 'inFlight' | 'queued'> & ReturnType<typeof countsOf>;

function countsOf(sums: LaneSums, { slot }: EndpointSnapshot) {
  return {
    connections: sums.endpoint(slot, 'connectionsOpen'),
    http2Connections: sums.endpoint(slot, 'http2Connections'),
    streams: sums.endpoint(slot, 'http2Streams'),
    bytesSent: sums.endpoint(slot, 'bytesSent'),
    bytesReceived: sums.endpoint(slot, 'bytesReceived'),
    retries: sums.endpoint(slot, 'retries'),
  };
}

function endpointOf(endpoint: EndpointSnapshot, view: EndpointView, load: Load, traffic: TrafficWindow): LiveEndpoint {
  return {
    name: endpoint.id,
    availability: view.availability,
    operator: view.wishes.operator,
    weight: view.weight,
    configuredWeight: view.configuredWeight,
    weightShare: Number(view.share.toFixed(3)),
    backup: view.backup,
    ...load,
    ...figuresOf(traffic.endpoint(endpoint)),
    ejections: view.counters.ejections,
    downtimeSeconds: Math.round(view.downtimeSeconds),
    zone: endpoint.zone,
    source: endpoint.source,
    origin: endpoint.origin,
    since: isoOf(view.since),
    cause: view.cause,
  };
}

function figuresOf(traffic: Traffic) {
  const { requestsPerSecond, errorShare, p50Ms, p99Ms } = roundedTraffic(traffic);
  return { requestsPerSecond, errorShare, p50Ms, p99Ms };
}
