// Metrics of providers, and of the registration of this Fairlead. Thread: main.

import type { ProviderStatus } from '../../providers/provider-runner.ts';
import { METRIC_PREFIX, type MetricFamily, type MetricSample, type Scrape } from './metric-family.ts';

function perProvider(
  name: string,
  help: string,
  read: (view: ProviderStatus, scrape: Scrape) => number | null,
): MetricFamily {
  const collect = (scrape: Scrape): MetricSample[] =>
    scrape.context.providers.views().flatMap((view) => {
      const value = read(view, scrape);
      return value === null ? [] : [{ labels: { provider: view.provider }, value }];
    });
  return {
    name: `${METRIC_PREFIX}provider_${name}`,
    help,
    type: 'gauge',
    scope: 'process',
    labels: ['provider'],
    collect,
  };
}

export const PROVIDER_METRICS: readonly MetricFamily[] = [
  perProvider(
    'current',
    '1 while the contribution in use is the newest one; 0 before the first, and while it is kept over a failure.',
    ({ state }) => (state === 'current' ? 1 : 0),
  ),
  perProvider(
    'age_seconds',
    'Time since the contribution in use was last confirmed.',
    ({ confirmedAt }, { context }) =>
      confirmedAt === null ? null : Math.max(0, (context.clock.wallMs() - confirmedAt) / 1000),
  ),
  perProvider('objects', 'Objects that contribute something.', ({ accepted }) => accepted),
  perProvider('refused_objects', 'Objects with a problem.', ({ refused }) => refused.length),
  {
    name: `${METRIC_PREFIX}registered`,
    help: "1 while Consul has this registration of Fairlead, as of the last contact; 0 while it has not, or doesn't answer.",
    type: 'gauge',
    scope: 'process',
    labels: ['id'],
    collect: ({ context }) =>
      context.registrar.views().map(({ id, state }) => ({ labels: { id }, value: state === 'current' ? 1 : 0 })),
  },
];
