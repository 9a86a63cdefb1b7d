// Metrics of discovery sources. Thread: main.

import type { SourceView } from '../../discovery/source-runner.ts';
import { METRIC_PREFIX, type MetricFamily, type MetricSample, type Scrape } from './metric-family.ts';

const LABELS = ['upstream', 'source', 'subject'];

function perSource(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  read: (view: SourceView, scrape: Scrape) => number | null,
): MetricFamily {
  const collect = (scrape: Scrape): MetricSample[] =>
    scrape.context.membership.sources().flatMap((view) => {
      const value = read(view, scrape);
      const { upstream, source, subject } = view;
      return value === null ? [] : [{ labels: { upstream, source, subject }, value }];
    });
  return { name: `${METRIC_PREFIX}source_${name}`, help, type, scope: 'upstream', labels: LABELS, collect };
}

export const SOURCE_METRICS: readonly MetricFamily[] = [
  perSource('gauge', 'endpoints', 'Endpoints of the set in use.', ({ endpoints }) => endpoints),
  perSource(
    'gauge',
    'current',
    '1 while the set in use is the newest one; 0 while it is kept over a failure or held.',
    ({ state }) => (state === 'current' ? 1 : 0),
  ),
  perSource('gauge', 'age_seconds', 'Time since the set in use was last confirmed.', ({ confirmedAt }, { context }) =>
    confirmedAt === null ? null : Math.max(0, (context.clock.wallMs() - confirmedAt) / 1000),
  ),
  perSource('counter', 'updates_total', 'Sets that the source has yielded.', ({ updates }) => updates),
  perSource('counter', 'failures_total', 'Failures that the source has reported.', ({ failures }) => failures),
];
