// Metric registry of prom-client, and the text of a scrape. Families read the shared lanes at each scrape.
// Thread: main.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Metric, Registry } from 'prom-client';
import type { AdminContext } from '../admin-context.ts';
import { EventLoopLag } from './event-loop-lag.ts';
import { exposition } from './exposition.ts';
import { LaneSums } from './lane-sums.ts';
import type { MetricFamily, MetricScope, Scrape } from './metric-family.ts';
import { ENDPOINT_METRICS } from './metrics-endpoint.ts';
import { LISTENER_METRICS } from './metrics-listener.ts';
import { POLICY_METRICS } from './metrics-policy.ts';
import { processMetrics } from './metrics-process.ts';
import { UPSTREAM_METRICS } from './metrics-upstream.ts';

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
  #scrape: Scrape;

  constructor(context: AdminContext) {
    this.#context = context;
    this.#sums = new LaneSums(context.region);
    this.#scrape = this.#takeScrape();
    this.families = [
      ...processMetrics(this.#lag),
      ...LISTENER_METRICS,
      ...POLICY_METRICS,
      ...UPSTREAM_METRICS,
      ...ENDPOINT_METRICS,
    ];
    for (const family of this.families) this.registry.registerMetric(this.#collectorOf(family));
  }

  /** Value of the response's Content-Type. */
  get contentType(): string {
    return this.registry.contentType;
  }

  start(): void {
    this.#lag.start();
  }

  stop(): void {
    this.#lag.stop();
  }

  /** The exposition of the families in these scopes. Yields to the event loop after each family. */
  async text(scopes: ReadonlySet<MetricScope>): Promise<string> {
    this.#scrape = this.#takeScrape();
    const texts: string[] = [];
    for (const family of this.families) {
      if (!scopes.has(family.scope)) continue;
      texts.push(exposition(family, family.collect(this.#scrape)));
      await nextTurn();
    }
    return `${texts.join('\n\n')}\n`;
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
