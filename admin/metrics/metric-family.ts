// What a metric is here: a name with its meaning, and a function that reads its values from a scrape. Thread: main.

import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { EndpointView } from '../../health/record/endpoint-view.ts';
import type { AdminContext } from '../admin-context.ts';
import type { LaneSums } from './lane-sums.ts';
import { coarseHistogram } from './latency.ts';

/** All names begin with it. */
export const METRIC_PREFIX = 'fairlead_';

/** What a metric is about; a scraper may ask for some scopes only. */
export const METRIC_SCOPES = ['process', 'listener', 'policy', 'upstream', 'endpoint'] as const;
export type MetricScope = (typeof METRIC_SCOPES)[number];

export type Labels = Readonly<Record<string, string | number>>;

/** One line of the exposition, as prom-client takes it. `metricName` where it isn't the family's (histograms). */
export interface MetricSample {
  readonly labels: Labels;
  /** Labels that many samples have: one object for all of them, so that it is written once. */
  readonly sharedLabels?: Labels;
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
  read: (scrape: Scrape, upstream: UpstreamSnapshot) => number | readonly LabelledValue[],
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

/** As `perUpstream`, for each endpoint; endpoints that health doesn't know (yet) are left out where `read` is null. */
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

/** A value of a label, and what was counted for it. */
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

/** The same object for the same label: values come from closed lists, so there are few. */
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

/** Every endpoint of every upstream, with its labels: the same objects for all families of a scrape. */
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

/** The lines of one histogram. @param sumMs sum of all observations in ms */
export function histogramSamples(
  name: string,
  sharedLabels: Labels,
  buckets: Float64Array,
  sumMs: number,
): MetricSample[] {
  const coarse = coarseHistogram(buckets);
  const lines = coarse.map(({ leSeconds, count }) => ({
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
