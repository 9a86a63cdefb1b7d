// A metric: name, help text, and a function that reads its values during a scrape. Thread: main.

import { LATENCY_BOUNDS_MS } from '../../core/memory/lane-fields.ts';
import type { Exemplar } from '../../core/request-tracer.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { EndpointView } from '../../health/record/endpoint-view.ts';
import type { AdminContext } from '../admin-context.ts';
import type { LaneSums } from './lane-sums.ts';

/** Prefix of all names. */
export const METRIC_PREFIX = 'fairlead_';

/** Subject of a metric; a scraper may select scopes. */
export const METRIC_SCOPES = ['process', 'listener', 'policy', 'upstream', 'endpoint'] as const;
export type MetricScope = (typeof METRIC_SCOPES)[number];

export type Labels = Readonly<Record<string, string | number>>;

/** One line of the exposition in prom-client's form. `metricName` differs from the family's for histograms. */
export interface MetricSample {
  readonly labels: Labels;
  /** Labels shared by many samples: one object, so that it is rendered once. */
  readonly sharedLabels?: Labels;
  readonly value: number;
  readonly metricName?: string;
  /** Written in OpenMetrics only. */
  readonly exemplar?: SampleExemplar | undefined;
}

/** A recorded request of a bucket. */
export interface SampleExemplar {
  readonly traceId: string;
  readonly seconds: number;
  /** Wall-clock ms of its end. */
  readonly atMs: number;
}

/** Data of one scrape, each looked up once. */
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
  /** Names of labels. Their values come only from the configuration, so that no client can create series. */
  readonly labels: readonly string[];
  readonly collect: (scrape: Scrape) => MetricSample[];
}

type FamilyType = 'counter' | 'gauge';

/** A value for each listener. */
export function perListener(
  type: FamilyType,
  name: string,
  help: string,
  read: (scrape: Scrape, listener: ListenerSnapshot) => number | readonly LabelledValue[],
  label?: string,
): MetricFamily {
  const collect = (scrape: Scrape): MetricSample[] => {
    const samples: MetricSample[] = [];
    for (const listener of scrape.snapshot.listeners) {
      addSamples(samples, { listener: listener.name }, read(scrape, listener), label);
    }
    return samples;
  };
  const labels = label === undefined ? ['listener'] : ['listener', label];
  return { name: `${METRIC_PREFIX}listener_${name}`, help, type, scope: 'listener', labels, collect };
}

/** A value for each upstream, or one for each upstream and value of one more label. */
export function perUpstream(
  type: FamilyType,
  name: string,
  help: string,
  read: (scrape: Scrape, upstream: UpstreamSnapshot) => number | readonly LabelledValue[] | null,
  label?: string,
): MetricFamily {
  const collect = (scrape: Scrape): MetricSample[] => {
    const samples: MetricSample[] = [];
    for (const upstream of scrape.snapshot.upstreams) {
      addSamples(samples, { upstream: upstream.name }, read(scrape, upstream), label);
    }
    return samples;
  };
  const labels = label === undefined ? ['upstream'] : ['upstream', label];
  return { name: `${METRIC_PREFIX}upstream_${name}`, help, type, scope: 'upstream', labels, collect };
}

/** Like `perUpstream`, for each endpoint; endpoints for which `read` returns null are left out. */
export function perEndpoint(
  type: FamilyType,
  name: string,
  help: string,
  read: (scrape: Scrape, endpoint: EndpointSnapshot) => number | readonly LabelledValue[] | null,
  label?: string,
): MetricFamily {
  const collect = (scrape: Scrape): MetricSample[] => {
    const samples: MetricSample[] = [];
    for (const { labels, endpoint } of eachEndpoint(scrape)) addSamples(samples, labels, read(scrape, endpoint), label);
    return samples;
  };
  const labels = label === undefined ? ['upstream', 'endpoint'] : ['upstream', 'endpoint', label];
  return { name: `${METRIC_PREFIX}endpoint_${name}`, help, type, scope: 'endpoint', labels, collect };
}

/** A label value and its count. */
export type LabelledValue = readonly [label: string, value: number];

function addSamples(
  samples: MetricSample[],
  sharedLabels: Labels,
  read: number | readonly LabelledValue[] | null,
  label: string | undefined,
): void {
  if (read === null) return;
  if (typeof read === 'number') samples.push({ labels: NO_LABELS, sharedLabels, value: read });
  else for (const [name, value] of read) samples.push({ labels: oneLabel(label!, name), sharedLabels, value });
}

const NO_LABELS: Labels = {};
const oneLabels = new Map<string, Map<string | number, Labels>>();

/** Returns the same object for the same label. Values come from closed lists, so there are few. */
function oneLabel(label: string, value: string | number): Labels {
  const known = oneLabels.get(label) ?? new Map<string | number, Labels>();
  oneLabels.set(label, known);
  const labels = known.get(value) ?? { [label]: value };
  known.set(value, labels);
  return labels;
}

interface LabelledEndpoint {
  readonly labels: Labels;
  readonly endpoint: EndpointSnapshot;
}
const labelled = new WeakMap<Scrape, LabelledEndpoint[]>();

/** Every endpoint of every upstream with its labels; all families of a scrape share the objects. */
export function eachEndpoint(scrape: Scrape): readonly LabelledEndpoint[] {
  let endpoints = labelled.get(scrape);
  if (endpoints === undefined) {
    endpoints = scrape.snapshot.upstreams.flatMap((upstream) =>
      upstream.endpoints.map((endpoint) => ({
        labels: { upstream: upstream.name, endpoint: endpoint.id },
        endpoint,
      })),
    );
    labelled.set(scrape, endpoints);
  }
  return endpoints;
}

/** The lines of one histogram. @param sumMs sum of all observations in ms @param exemplars of its observations */
export function histogramSamples(
  name: string,
  sharedLabels: Labels,
  buckets: Float64Array,
  sumMs: number,
  exemplars: readonly Exemplar[] = [],
): MetricSample[] {
  const coarse = coarseHistogram(buckets);
  const newest = newestByBucket(exemplars, coarse);
  const lines = coarse.map(({ leSeconds, count }, index) => ({
    exemplar: newest[index],
    metricName: `${name}_bucket`,
    labels: oneLabel('le', leSeconds === Number.POSITIVE_INFINITY ? '+Inf' : leSeconds),
    sharedLabels,
    value: count,
  }));
  const count = coarse.at(-1)!.count;
  return [
    ...lines,
    { metricName: `${name}_sum`, labels: NO_LABELS, sharedLabels, value: sumMs / 1000 },
    { metricName: `${name}_count`, labels: NO_LABELS, sharedLabels, value: count },
  ];
}

/** The newest exemplar of each bucket that has one. */
function newestByBucket(exemplars: readonly Exemplar[], coarse: readonly CoarseBucket[]): SampleExemplar[] {
  const newest: SampleExemplar[] = [];
  for (const { traceId, ms, atMs } of exemplars) {
    const seconds = ms / 1000;
    const bucket = coarse.findIndex(({ leSeconds }) => seconds <= leSeconds);
    if ((newest[bucket]?.atMs ?? 0) <= atMs) newest[bucket] = { traceId, seconds, atMs };
  }
  return newest;
}

/** Bounds per decade in the coarse histogram. */
const COARSE_STEPS = [1, 2.5, 5];
/** Indexes of the fine bounds that are coarse bounds too: 0.1 ms, 0.25, 0.5, 1 ... 100 s. */
const COARSE_INDEXES: readonly number[] = LATENCY_BOUNDS_MS.flatMap((bound, index) => {
  const mantissa = Number((bound / 10 ** Math.floor(Math.log10(bound))).toPrecision(3));
  return COARSE_STEPS.includes(mantissa) ? [index] : [];
});

/** One `le` of a Prometheus histogram: the count of values up to the bound. */
export interface CoarseBucket {
  readonly leSeconds: number;
  readonly count: number;
}

/** Cumulative buckets; the last bound is infinite, with the total count. */
export function coarseHistogram(buckets: Float64Array): CoarseBucket[] {
  const coarse: CoarseBucket[] = [];
  let count = 0;
  let from = 0;
  for (const index of COARSE_INDEXES) {
    for (; from <= index; from++) count += buckets[from]!;
    coarse.push({ leSeconds: Number((LATENCY_BOUNDS_MS[index]! / 1000).toPrecision(3)), count });
  }
  for (; from < buckets.length; from++) count += buckets[from]!;
  return [...coarse, { leSeconds: Number.POSITIVE_INFINITY, count }];
}
