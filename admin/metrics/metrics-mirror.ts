// Metrics of mirrored requests, for the upstreams that get them. Thread: main.

import type { UpstreamField } from '../../core/memory/lane-fields.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { mirrorUpstreams } from '../../proxy/policies/mirror.ts';
import { type LabelledValue, type MetricFamily, perUpstream, type Scrape } from './metric-family.ts';

const DROPS = [
  ['busy', 'mirrorsDroppedBusy'],
  ['body_too_large', 'mirrorsDroppedBody'],
  ['no_memory', 'mirrorsDroppedMemory'],
  ['overload', 'mirrorsDroppedOverload'],
  ['unfinished', 'mirrorsDroppedUnfinished'],
] as const satisfies readonly (readonly [string, UpstreamField])[];

/** Names are looked up once a Snapshot: there may be thousands of routes. */
const known = new WeakMap<Snapshot, ReadonlySet<string>>();

function isMirror({ snapshot }: Scrape, { name }: UpstreamSnapshot): boolean {
  let names = known.get(snapshot);
  if (names === undefined) known.set(snapshot, (names = new Set(snapshot.routes.flatMap(mirrorUpstreams))));
  return names.has(name);
}

function counter(field: UpstreamField, name: string, help: string): MetricFamily {
  return perUpstream('counter', name, help, (scrape, upstream) =>
    isMirror(scrape, upstream) ? scrape.sums.upstream(upstream.index, field) : null,
  );
}

export const MIRROR_METRICS: readonly MetricFamily[] = [
  counter('mirrorsSent', 'mirrors_sent_total', 'Copies of requests that were mirrored to the upstream.'),
  counter('mirrorsFailed', 'mirrors_failed_total', 'Of these, the ones without a complete response.'),
  perUpstream(
    'counter',
    'mirrors_dropped_total',
    'Requests of the sample of a mirror that were not copied, by cause.',
    (scrape, upstream) =>
      isMirror(scrape, upstream)
        ? DROPS.map(([cause, field]): LabelledValue => [cause, scrape.sums.upstream(upstream.index, field)])
        : null,
    'cause',
  ),
];
