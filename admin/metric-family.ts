// What a metric is here: a name with its meaning, and a function that reads its values from a scrape. Thread: main.

import type { EndpointSnapshot, ListenerSnapshot, Snapshot, UpstreamSnapshot } from '../core/snapshot.ts';
import type { EndpointView } from '../health/endpoint-view.ts';
import type { AdminContext } from './context.ts';
import type { LaneSums } from './lane-sums.ts';
import { coarseHistogram } from './latency.ts';

/** All names begin with it. */
export const METRIC_PREFIX = 'fairlead_';

/** What a metric is about; a scraper may ask for some scopes only. */
export const METRIC_SCOPES = ['process', 'listener', 'upstream', 'endpoint'] as const;
export type MetricScope = (typeof METRIC_SCOPES)[number];

export type Labels = Readonly<Record<string, string | number>>;

/** One line of the exposition. `metricName` where it isn't the family's (histograms). */
export interface MetricSample {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

/** What families read: each thing is looked up once a scrape. */
export interface Scrape {
  readonly context: AdminContext;
  readonly snapshot: Snapshot;
  readonly sums: LaneSums;
  /** By slot. */
  readonly views: ReadonlyMap<number, EndpointView>;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly scope: MetricScope;
  /** Names of labels; their values come from the configuration alone, so that no client can make series. */
  readonly labels: readonly string[];
  readonly collect: (scrape: Scrape) => MetricSample[];
}

type FamilyType = 'counter' | 'gauge';

/** A value for each listener. */
export function perListener(
  type: FamilyType,
  name: string,
  help: string,
  read: (scrape: Scrape, listener: ListenerSnapshot) => number,
): MetricFamily {
  const collect = (scrape: Scrape): MetricSample[] =>
    scrape.snapshot.listeners.map((listener) => ({
      labels: { listener: listener.name },
      value: read(scrape, listener),
    }));
  return { name: `${METRIC_PREFIX}listener_${name}`, help, type, scope: 'listener', labels: ['listener'], collect };
}

/** A value for each upstream, or one for each upstream and value of one more label. */
export function perUpstream(
  type: FamilyType,
  name: string,
  help: string,
  read: (scrape: Scrape, upstream: UpstreamSnapshot) => number | readonly LabelledValue[],
  label?: string,
): MetricFamily {
  const collect = (scrape: Scrape): MetricSample[] =>
    scrape.snapshot.upstreams.flatMap((upstream) =>
      samplesOf({ upstream: upstream.name }, read(scrape, upstream), label),
    );
  const labels = label === undefined ? ['upstream'] : ['upstream', label];
  return { name: `${METRIC_PREFIX}upstream_${name}`, help, type, scope: 'upstream', labels, collect };
}

/** As `perUpstream`, for each endpoint; endpoints that health doesn't know (yet) are left out where `read` is null. */
export function perEndpoint(
  type: FamilyType,
  name: string,
  help: string,
  read: (scrape: Scrape, endpoint: EndpointSnapshot) => number | readonly LabelledValue[] | null,
  label?: string,
): MetricFamily {
  const collect = (scrape: Scrape): MetricSample[] =>
    eachEndpoint(scrape).flatMap(({ labels, endpoint }) => samplesOf(labels, read(scrape, endpoint), label));
  const labels = label === undefined ? ['upstream', 'endpoint'] : ['upstream', 'endpoint', label];
  return { name: `${METRIC_PREFIX}endpoint_${name}`, help, type, scope: 'endpoint', labels, collect };
}

/** A value of a label, and what was counted for it. */
export type LabelledValue = readonly [label: string, value: number];

function samplesOf(
  labels: Labels,
  read: number | readonly LabelledValue[] | null,
  label: string | undefined,
): MetricSample[] {
  if (read === null) return [];
  if (typeof read === 'number') return [{ labels, value: read }];
  return read.map(([name, value]) => ({ labels: { ...labels, [label!]: name }, value }));
}

/** Every endpoint of every upstream, with its labels. */
export function eachEndpoint({ snapshot }: Scrape): { labels: Labels; endpoint: EndpointSnapshot }[] {
  return snapshot.upstreams.flatMap((upstream) =>
    upstream.endpoints.map((endpoint) => ({
      labels: { upstream: upstream.name, endpoint: endpoint.id },
      endpoint,
    })),
  );
}

/** The lines of one histogram. @param sumMs sum of all observations in ms */
export function histogramSamples(name: string, labels: Labels, buckets: Float64Array, sumMs: number): MetricSample[] {
  const coarse = coarseHistogram(buckets);
  const lines = coarse.map(({ leSeconds, count }) => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le: leSeconds === Number.POSITIVE_INFINITY ? '+Inf' : leSeconds },
    value: count,
  }));
  const count = coarse.at(-1)!.count;
  return [
    ...lines,
    { metricName: `${name}_sum`, labels, value: sumMs / 1000 },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
