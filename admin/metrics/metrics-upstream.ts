// Metrics of upstreams: exchanges as clients saw them. Thread: main.

import { zoneViewOf } from '../../balancers/zone-share.ts';
import { AVAILABILITY_NAMES } from '../../core/availability.ts';
import type { UpstreamField } from '../../core/memory/lane-fields.ts';
import { ENDPOINT, UPSTREAM, type Word } from '../../core/memory/layout.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import {
  histogramSamples,
  type LabelledValue,
  METRIC_PREFIX,
  type MetricFamily,
  perUpstream,
  type Scrape,
} from './metric-family.ts';

/** Classes of status, and the fields that count them. */
export const STATUS_CLASSES = [
  ['1xx', 'responses1xx'],
  ['2xx', 'responses2xx'],
  ['3xx', 'responses3xx'],
  ['4xx', 'responses4xx'],
  ['5xx', 'responses5xx'],
] as const;

function counter(field: UpstreamField, name: string, help: string): MetricFamily {
  return perUpstream('counter', name, help, ({ sums }, { index }) => sums.upstream(index, field));
}

function wordOf({ context }: Scrape, { index }: UpstreamSnapshot, word: Word): number {
  return context.region.words[context.region.upstreamWord(index) + word.index]!;
}

function inFlightOf({ context: { region } }: Scrape, { endpoints }: UpstreamSnapshot): number {
  return endpoints.reduce(
    (sum, { slot }) => sum + region.words[region.endpointWord(slot) + ENDPOINT.inflight.index]!,
    0,
  );
}

function availabilities({ views }: Scrape, { endpoints }: UpstreamSnapshot): LabelledValue[] {
  const counts = Map.groupBy(endpoints, ({ slot }) => views.get(slot)?.availability);
  return AVAILABILITY_NAMES.map((availability) => [availability, counts.get(availability)?.length ?? 0]);
}

const DURATION = `${METRIC_PREFIX}upstream_request_duration_seconds`;
const SESSION_DURATION = `${METRIC_PREFIX}upstream_session_duration_seconds`;

/** Requests and sessions share the lane's histogram: an upstream serves one of them. */
function durations(name: string, isOne: (upstream: UpstreamSnapshot) => boolean): MetricFamily['collect'] {
  return ({ context, snapshot, sums }) =>
    snapshot.upstreams.filter(isOne).flatMap(({ name: upstream, index }) => {
      const sumMs = sums.upstream(index, 'latencySumMs');
      const exemplars = context.traces.exemplars(upstream);
      return histogramSamples(name, { upstream }, sums.upstreamLatencies(index), sumMs, exemplars);
    });
}

function isTcp({ protocol }: UpstreamSnapshot): boolean {
  return protocol === 'tcp';
}

export const UPSTREAM_METRICS: readonly MetricFamily[] = [
  counter('exchanges', 'requests_total', 'Requests, or TCP sessions, that were routed to the upstream and have ended.'),
  perUpstream(
    'counter',
    'responses_total',
    'Responses sent to clients, by class of status.',
    ({ sums }, { index }) => STATUS_CLASSES.map(([name, field]) => [name, sums.upstream(index, field)] as const),
    'class',
  ),
  {
    name: DURATION,
    help: "From a request's first byte to its response's last byte. Upgraded connections are left out.",
    type: 'histogram',
    scope: 'upstream',
    labels: ['upstream', 'le'],
    collect: durations(DURATION, (upstream) => !isTcp(upstream)),
  },
  {
    name: SESSION_DURATION,
    help: 'From a TCP session accepted to both of its connections closed.',
    type: 'histogram',
    scope: 'upstream',
    labels: ['upstream', 'le'],
    collect: durations(SESSION_DURATION, isTcp),
  },
  counter('retries', 'retries_total', 'Attempts after the first one.'),
  counter('redispatches', 'redispatches_total', 'Requests of which a retry went to another endpoint.'),
  counter('retriesRefused', 'retries_refused_total', 'Requests that failed and might not be tried again.'),
  counter('retryBudgetExhausted', 'retry_budget_exhausted_total', 'Of these, the ones that the retry budget forbade.'),
  counter('hedges', 'hedges_total', 'Second attempts beside a slow first one.'),
  counter('hedgesWon', 'hedges_won_total', 'Of these, the ones that answered first.'),
  counter('queued', 'queued_total', 'Requests that waited for an endpoint.'),
  counter('queueTimeouts', 'queue_timeouts_total', 'Requests that waited in vain.'),
  counter('queueFull', 'queue_full_total', 'Requests refused because the queue was full.'),
  counter('shed', 'shed_total', 'Requests refused to protect the process.'),
  counter('noEndpoint', 'no_endpoint_total', 'Requests refused because no endpoint was usable.'),
  counter('clientAborts', 'client_aborts_total', 'Requests that ended because the client went away or was too slow.'),
  counter('endpointAborts', 'endpoint_aborts_total', 'Requests that ended because the endpoint closed or reset.'),
  counter('truncated', 'truncated_total', 'Responses cut off by a fault of the endpoint after they had begun.'),
  counter('upgrades', 'upgrades_total', 'Connections that switched protocols (WebSocket) and have ended.'),
  perUpstream(
    'counter',
    'zone_picks_total',
    'Picks of endpoints in the zone of this Fairlead and in others, for upstreams with `locality`.',
    ({ sums }, { index, locality }) =>
      locality === null
        ? null
        : [
            ['own', sums.upstream(index, 'picksOwnZone')],
            ['other', sums.upstream(index, 'picksOtherZone')],
          ],
    'zone',
  ),
  perUpstream(
    'gauge',
    'own_zone_share',
    'Share of requests that stays in the zone of this Fairlead, for upstreams with `locality`.',
    ({ context: { region } }, upstream) => zoneViewOf(upstream, region)?.share ?? null,
  ),
  perUpstream('gauge', 'in_flight', 'Requests at the endpoints of the upstream now.', inFlightOf),
  perUpstream('gauge', 'queue_length', 'Requests that wait for any endpoint now.', (scrape, upstream) =>
    wordOf(scrape, upstream, UPSTREAM.queued),
  ),
  perUpstream('gauge', 'active_retries', 'Retries in flight now.', (scrape, upstream) =>
    wordOf(scrape, upstream, UPSTREAM.activeRetries),
  ),
  perUpstream('gauge', 'all_down', '1 while no endpoint of any tier is usable.', (scrape, upstream) =>
    wordOf(scrape, upstream, UPSTREAM.allDown),
  ),
  perUpstream('gauge', 'endpoints', 'Endpoints by availability.', availabilities, 'availability'),
];
