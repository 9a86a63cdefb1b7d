// Metrics of endpoints: attempts by their outcome, and the state of their health. Thread: main.

import { AVAILABILITY } from '../../core/availability.ts';
import type { EndpointField } from '../../core/memory/lane-fields.ts';
import { ENDPOINT, type Word } from '../../core/memory/layout.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import { AGENT_WORDS } from '../../health/weight/agent-words.ts';
import { DETECTORS, type Detector } from '../../health/state/detector.ts';
import type { EndpointView } from '../../health/record/endpoint-view.ts';
import {
  eachEndpoint,
  histogramSamples,
  type LabelledValue,
  METRIC_PREFIX,
  type MetricFamily,
  perEndpoint,
  type Scrape,
} from './metric-family.ts';
import { STATUS_CLASSES } from './metrics-upstream.ts';

function counter(field: EndpointField, name: string, help: string): MetricFamily {
  return perEndpoint('counter', name, help, ({ sums }, { slot }) => sums.endpoint(slot, field));
}

function gauge(field: EndpointField, name: string, help: string): MetricFamily {
  return perEndpoint('gauge', name, help, ({ sums }, { slot }) => sums.endpoint(slot, field));
}

/** Several fields of one family, distinguished by a label. */
function byLabel(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  label: string,
  fields: readonly (readonly [value: string, field: EndpointField])[],
): MetricFamily {
  const read = ({ sums }: Scrape, { slot }: EndpointSnapshot): LabelledValue[] =>
    fields.map(([value, field]) => [value, sums.endpoint(slot, field)]);
  return perEndpoint(type, name, help, read, label);
}

function word(name: string, help: string, from: Word): MetricFamily {
  return perEndpoint('gauge', name, help, ({ context: { region } }, { slot }) => {
    return region.words[region.endpointWord(slot) + from.index]!;
  });
}

/** A value from health; none while health does not know the endpoint (during a reload). */
function health(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  read: (view: EndpointView) => number | readonly LabelledValue[] | null,
  label?: string,
): MetricFamily {
  const readView = ({ views }: Scrape, { slot }: EndpointSnapshot) => {
    const view = views.get(slot);
    return view === undefined ? null : read(view);
  };
  return perEndpoint(type, name, help, readView, label);
}

/** Axis and new state would be fifty series per endpoint; `why` reports them instead. */
function changesBy({ changes }: EndpointView): LabelledValue[] {
  return (Object.keys(DETECTORS) as Detector[]).map((detector) => [
    detector,
    changes.reduce((sum, change) => sum + (change.detector === detector ? change.count : 0), 0),
  ]);
}

/** Availabilities in which an endpoint gets requests. */
const TAKES_REQUESTS: ReadonlySet<string> = new Set(['up', 'suspect', 'halfOpen']);
const AVAILABILITY_CODES = Object.entries(AVAILABILITY).map(([name, code]) => `${code} ${name}`);

const DURATION = `${METRIC_PREFIX}endpoint_response_duration_seconds`;

export const ENDPOINT_METRICS: readonly MetricFamily[] = [
  {
    name: `${METRIC_PREFIX}endpoint_info`,
    help: '1 for each endpoint, with its origin and zone.',
    type: 'gauge',
    scope: 'endpoint',
    labels: ['upstream', 'endpoint', 'origin', 'zone'],
    collect: (scrape) =>
      eachEndpoint(scrape).map(({ labels, endpoint: { origin, zone } }) => {
        return { labels: { ...labels, origin, zone }, value: 1 };
      }),
  },
  counter('attempts', 'attempts_total', 'Attempts, retries among them.'),
  counter('retries', 'retries_total', 'Attempts that followed a failed one of the same request.'),
  byLabel(
    'counter',
    'responses_total',
    'Response heads from the endpoint, by class of status.',
    'class',
    STATUS_CLASSES,
  ),
  byLabel('counter', 'outcomes_total', 'Attempts as outlier detection judges them.', 'outcome', [
    ['ok', 'ok'],
    ['fail', 'fail'],
  ]),
  byLabel('counter', 'failures_total', 'Failed attempts by kind; a bad status is no failure in this sense.', 'kind', [
    ['connect', 'failuresConnect'],
    ['reset', 'failuresReset'],
    ['timeout', 'failuresTimeout'],
    ['protocol', 'failuresProtocol'],
    ['truncated', 'failuresTruncated'],
  ]),
  {
    name: DURATION,
    help: "From a request sent to the first byte of the response's head.",
    type: 'histogram',
    scope: 'endpoint',
    labels: ['upstream', 'endpoint', 'le'],
    collect: (scrape) =>
      eachEndpoint(scrape).flatMap(({ labels, endpoint: { slot } }) => {
        const sumMs = scrape.sums.endpoint(slot, 'latencySumMs');
        return histogramSamples(DURATION, labels, scrape.sums.endpointLatencies(slot), sumMs);
      }),
  },
  counter('bytesSent', 'sent_bytes_total', 'Body bytes sent to the endpoint.'),
  counter('bytesReceived', 'received_bytes_total', 'Body bytes received from the endpoint.'),
  counter('connectionsOpened', 'connections_opened_total', 'Attempts for which a connection was made.'),
  counter('connectionsReused', 'connection_reuses_total', 'Attempts that found an open connection.'),
  byLabel('gauge', 'connections', 'Connections to the endpoint now; open ones include idle ones.', 'state', [
    ['open', 'connectionsOpen'],
    ['idle', 'connectionsIdle'],
    ['upgraded', 'upgradesOpen'],
  ]),
  gauge('http2Connections', 'http2_connections', 'Connections to the endpoint over HTTP/2 now.'),
  gauge('http2Streams', 'http2_streams', 'Streams of these connections open now.'),
  counter(
    'http2StreamsRefused',
    'http2_streams_refused_total',
    'Requests that the endpoint did not process, by REFUSED_STREAM or GOAWAY.',
  ),
  byLabel('counter', 'http2_resets_total', 'RST_STREAM frames.', 'direction', [
    ['received', 'http2ResetsReceived'],
    ['sent', 'http2ResetsSent'],
  ]),
  byLabel('counter', 'http2_goaways_total', 'GOAWAY frames.', 'direction', [
    ['received', 'http2GoawaysReceived'],
    ['sent', 'http2GoawaysSent'],
  ]),
  word('in_flight', 'Requests at the endpoint now, over all workers.', ENDPOINT.inflight),
  word('queue_length', 'Requests that wait for this endpoint only.', ENDPOINT.queued),
  word('in_flight_limit', 'Most requests in flight that it may have; 0 is no limit.', ENDPOINT.limit),
  health(
    'gauge',
    'latency_baseline_seconds',
    'Median of an answer while it is not crowded, as an adaptive limit has it; 0 is not known yet.',
    ({ limit }) => limit.adaptive && limit.adaptive.baselineMs / 1000,
  ),
  word('consecutive_failures', 'Failures of live traffic since its last success.', ENDPOINT.consecutiveFailures),
  health('gauge', 'up', '1 while requests go to the endpoint (up, suspect or half-open), else 0.', (view) =>
    TAKES_REQUESTS.has(view.availability) ? 1 : 0,
  ),
  health('gauge', 'availability', `State as a number: ${AVAILABILITY_CODES.join(', ')}.`, (view) => {
    return AVAILABILITY[view.availability];
  }),
  health('gauge', 'availability_since_timestamp_seconds', 'When the present availability began.', (view) => {
    return view.since / 1000;
  }),
  health('gauge', 'weight', 'Weight as configured, or as the operator set it.', (view) => view.weight),
  health('gauge', 'weight_share', 'Share of its weight that it carries now; 1 is all of it.', (view) => view.share),
  health('gauge', 'warming', '1 while its share grows in slow start, else 0.', (view) =>
    view.warming === null ? 0 : 1,
  ),
  health(
    'counter',
    'slow_starts_total',
    'Times that it has returned and warmed up.',
    (view) => view.counters.slowStarts,
  ),
  health('counter', 'transitions_total', 'Changes of availability.', (view) => view.counters.transitions),
  health(
    'counter',
    'changes_total',
    'Changes of any part of its state, by what found the reason.',
    changesBy,
    'detector',
  ),
  health('counter', 'ejections_total', 'Times that outlier detection took it out.', (view) => view.counters.ejections),
  health(
    'counter',
    'ejections_refused_total',
    'Times that it should have been taken out, but the limit forbade it.',
    (view) => {
      return view.counters.ejectionsRefused;
    },
  ),
  health(
    'counter',
    'resolution_failures_total',
    'Lookups of its host name that found no address.',
    (view) => view.counters.resolutionFailures,
  ),
  health('counter', 'suspicions_total', 'Times that it was marked suspect.', (view) => view.counters.suspicions),
  health('counter', 'downtime_seconds_total', "Time out of service against the operator's will.", (view) => {
    return view.downtimeSeconds;
  }),
  health('counter', 'checks_total', 'Heartbeats that ended.', (view) => view.counters.checks),
  health('counter', 'checks_failed_total', "Heartbeats that failed by the endpoint's fault.", (view) => {
    return view.counters.checksFailed;
  }),
  health(
    'counter',
    'agent_words_total',
    'Words in which it spoke of itself, in answers to heartbeats.',
    ({ agent }) => agent && AGENT_WORDS.map((word) => [word, agent.words[word]] as const),
    'word',
  ),
];
