// Metric registry of prom-client, and the text of a scrape. Families read the shared lanes at each scrape.
// Thread: main.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Metric, Registry } from 'prom-client';
import type { AdminContext } from '../admin-context.ts';
import { EventLoopLag } from './event-loop-lag.ts';
import { exposition } from './exposition.ts';
import { OPEN_METRICS_END, OPEN_METRICS_TYPE, openMetrics } from './open-metrics.ts';
import { LaneSums } from './lane-sums.ts';
import {
  type MetricFamily,
  type MetricScope,
  type Scrape,
  perListener,
  METRIC_PREFIX,
  type MetricSample,
} from './metric-family.ts';
import { CERTIFICATE_METRICS } from './metrics-certificate.ts';
import { ENDPOINT_METRICS } from './metrics-endpoint.ts';
import { MIRROR_METRICS } from './metrics-mirror.ts';
import { POLICY_METRICS } from './metrics-policy.ts';
import { processMetrics } from './metrics-process.ts';
import { PROVIDER_METRICS } from './metrics-provider.ts';
import { SOURCE_METRICS } from './metrics-source.ts';
import { UPSTREAM_METRICS, STATUS_CLASSES } from './metrics-upstream.ts';
import type { ListenerField } from '../../core/memory/lane-fields.ts';
import { TLS_FAILURES } from '../../core/tls-failure.ts';
import { GRPC_STATUSES, type GrpcMethodCounts } from '../../core/grpc-calls.ts';

/** Prometheus' text format 0.0.4, and OpenMetrics 1.0. */
type MetricFormat = 'text' | 'openMetrics';

/**
 * Metrics for Prometheus. prom-client's default metrics are not collected: they describe the main thread as if it were
 * the process, and list all open descriptors at each scrape.
 */
export class Metrics {
  readonly #context: AdminContext;
  readonly #sums: LaneSums;
  /** For programs that merge registries: the same content as `text`, more slowly. */
  readonly registry = new Registry();
  readonly #lag = new EventLoopLag();
  readonly families: readonly MetricFamily[];
  readonly #names: ReadonlySet<string>;
  #scrape: Scrape;

  constructor(context: AdminContext) {
    this.#context = context;
    this.#sums = new LaneSums(context.region);
    this.#scrape = this.#takeScrape();
    this.families = [
      ...processMetrics(this.#lag),
      ...LISTENER_METRICS,
      ...CERTIFICATE_METRICS,
      ...PROVIDER_METRICS,
      ...POLICY_METRICS,
      ...UPSTREAM_METRICS,
      ...MIRROR_METRICS,
      ...SOURCE_METRICS,
      ...GRPC_METRICS,
      ...ENDPOINT_METRICS,
    ];
    this.#names = new Set(this.families.map(({ name }) => name));
    for (const family of this.families) this.registry.registerMetric(this.#collectorOf(family));
  }

  /** Values of Content-Type by format. */
  get contentTypes(): Readonly<Record<MetricFormat, string>> {
    return { text: this.registry.contentType, openMetrics: OPEN_METRICS_TYPE };
  }

  start(): void {
    this.#lag.start();
  }

  stop(): void {
    this.#lag.stop();
  }

  /** The exposition of the families in these scopes. Yields to the event loop after each family. */
  async text(scopes: ReadonlySet<MetricScope>, format: MetricFormat = 'text'): Promise<string> {
    this.#scrape = this.#takeScrape();
    const texts: string[] = [];
    const isOpen = format === 'openMetrics';
    for (const family of this.families) {
      if (!scopes.has(family.scope)) continue;
      const samples = family.collect(this.#scrape);
      texts.push(isOpen ? openMetrics(family, samples, this.#names) : exposition(family, samples));
      await nextTurn();
    }
    return isOpen ? `${[...texts, OPEN_METRICS_END].join('\n')}\n` : `${texts.join('\n\n')}\n`;
  }

  #takeScrape(): Scrape {
    const context = this.#context;
    const views = new Map(context.health.endpoints().map((view) => [view.slot, view]));
    return { context, snapshot: context.snapshot(), sums: this.#sums, views };
  }

  /**
   * The part of a metric that the registry uses. prom-client's own classes hold their values; these are counted
   * elsewhere, and its histogram accepts no ready buckets.
   */
  #collectorOf({ name, help, type, collect }: MetricFamily): Metric {
    const get = () => Promise.resolve({ name, help, type, values: collect(this.#scrape) });
    return { name, help, get } as unknown as Metric;
  }
}

function lane(type: 'counter' | 'gauge', field: ListenerField, name: string, help: string): MetricFamily {
  return perListener(type, name, help, ({ sums }, { index }) => sums.listener(index, field));
}

/** @param received counts frames of clients @param sent counts ours */
function byDirection(name: string, help: string, received: ListenerField, sent: ListenerField): MetricFamily {
  return perListener(
    'counter',
    name,
    help,
    ({ sums }, { index }) => [
      ['received', sums.listener(index, received)] as const,
      ['sent', sums.listener(index, sent)] as const,
    ],
    'direction',
  );
}

const LISTENER_METRICS: readonly MetricFamily[] = [
  lane('gauge', 'connectionsOpen', 'connections', 'Connections of clients now.'),
  lane('counter', 'connectionsAccepted', 'connections_accepted_total', 'Connections taken.'),
  lane('counter', 'connectionsRefused', 'connections_refused_total', 'Connections closed at once because of a limit.'),
  lane(
    'counter',
    'clientConnectionsRefused',
    'client_connections_refused_total',
    'Refused connections of clients that had as many as limits.connectionsPerClient allows.',
  ),
  perListener(
    'counter',
    'connections_evicted_total',
    'Connections closed to make room for a new one, by limit.',
    ({ sums }, { index }) => [
      ['connections', sums.listener(index, 'connectionsEvicted')] as const,
      ['connectionsPerClient', sums.listener(index, 'clientConnectionsEvicted')] as const,
      ['openFiles', sums.listener(index, 'processConnectionsEvicted')] as const,
    ],
    'limit',
  ),
  perListener(
    'counter',
    'proxy_protocol_refused_total',
    'Connections closed for their PROXY protocol header, by cause: missing, malformed or late (header), or from an untrusted address (peer).',
    ({ sums }, { index }) => [
      ['header', sums.listener(index, 'proxyHeadersRefused')] as const,
      ['peer', sums.listener(index, 'proxyPeersRefused')] as const,
    ],
    'cause',
  ),
  perListener(
    'counter',
    'tls_handshakes_total',
    'TLS handshakes that completed: full ones, and resumptions of a session.',
    ({ sums }, { index }) => [
      ['full', sums.listener(index, 'tlsFull')] as const,
      ['resumed', sums.listener(index, 'tlsResumed')] as const,
    ],
    'kind',
  ),
  perListener(
    'counter',
    'tls_failures_total',
    'TLS handshakes that failed, by cause.',
    ({ sums }, { index }) =>
      Object.entries(TLS_FAILURES).map(([cause, field]) => [cause, sums.listener(index, field)] as const),
    'cause',
  ),
  lane('counter', 'requests', 'requests_total', 'Requests that have ended, refused ones among them.'),
  perListener(
    'counter',
    'responses_total',
    'Responses sent to clients, local replies included, by class of status.',
    ({ sums }, { index }) => STATUS_CLASSES.map(([name, field]) => [name, sums.listener(index, field)] as const),
    'class',
  ),
  lane('counter', 'badRequests', 'bad_requests_total', 'Requests refused as malformed, too large or not served.'),
  lane('counter', 'noRoute', 'no_route_total', 'Requests for which no route matched.'),
  lane('gauge', 'http2Connections', 'http2_connections', 'Connections of clients over HTTP/2 now.'),
  lane('counter', 'http2ConnectionsAccepted', 'http2_connections_total', 'Connections over HTTP/2 accepted.'),
  lane('gauge', 'http2Streams', 'http2_streams', 'Streams of HTTP/2 connections open now.'),
  lane(
    'counter',
    'http2StreamsRefused',
    'http2_streams_refused_total',
    'Streams of clients beyond the limit of their connection.',
  ),
  byDirection('http2_resets_total', 'RST_STREAM frames.', 'http2ResetsReceived', 'http2ResetsSent'),
  byDirection('http2_goaways_total', 'GOAWAY frames.', 'http2GoawaysReceived', 'http2GoawaysSent'),
  lane('counter', 'timeouts', 'timeouts_total', 'Requests that ended because the client was too slow.'),
  lane('counter', 'forwardedSpoofs', 'forwarded_spoofs_total', 'Requests of untrusted clients with forwarding fields.'),
  lane('counter', 'handOffs', 'hand_offs_total', 'Connections given from the fast path to the general path.'),
  lane('counter', 'bytesReceived', 'received_bytes_total', 'Body bytes from clients.'),
  lane('counter', 'bytesSent', 'sent_bytes_total', 'Body bytes to clients.'),
];

function family(
  name: string,
  help: string,
  label: string,
  samplesOf: (counts: GrpcMethodCounts) => readonly (readonly [value: string, count: number])[],
): MetricFamily {
  return {
    name: `${METRIC_PREFIX}grpc_${name}`,
    help,
    type: 'counter',
    scope: 'upstream',
    labels: ['upstream', 'method', label],
    collect: ({ context }) =>
      context.grpcCalls().flatMap((counts): MetricSample[] => {
        const sharedLabels = { upstream: counts.upstream, method: counts.method };
        return samplesOf(counts).map(([value, count]) => ({ labels: { [label]: value }, sharedLabels, value: count }));
      }),
  };
}

const GRPC_METRICS: readonly MetricFamily[] = [
  family('calls_total', 'gRPC calls that have ended, by method and status.', 'code', ({ calls }) =>
    calls.flatMap((count, status) => (count === 0 ? [] : [[GRPC_STATUSES[status]!, count] as const])),
  ),
  family('messages_total', 'Messages of these calls, by direction.', 'direction', (counts) => [
    ['request', counts.requestMessages],
    ['response', counts.responseMessages],
  ]),
];
