// Where a request would go by a configuration that doesn't run: every endpoint is up and idle. Thread: main.

import type { ExplainQuery, ExplainReply } from '../../admin/api/explain-schemas.ts';
import { compile, newTables } from '../../config/compile/compile.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { systemClock } from '../../core/clock.ts';
import { Region } from '../../core/memory/region.ts';
import type { Random } from '../../core/random.ts';
import { openBudget } from '../../proxy/placement/retry-budget.ts';
import { explain } from './explanation.ts';

/** @throws ExplainError */
export function explainFile(query: ExplainQuery, config: LoadedConfig, random: Random): ExplainReply {
  const { listeners, upstreams } = config.settings;
  const endpoints = Object.values(upstreams).reduce((sum, upstream) => sum + upstream.endpoints.length, 0);
  const counts = { endpoints, upstreams: Object.keys(upstreams).length, listeners: listeners.length };
  const snapshot = compile(config, newTables(counts), 0);
  const region = Region.allocate({ ...counts, workers: 1 }, 0);
  for (const upstream of snapshot.upstreams) openBudget(region, upstream.index, upstream.retry);
  const ports = snapshot.listeners.flatMap(({ name, bind }) =>
    bind.kind === 'tcp' ? [[name, bind.port] as const] : [],
  );
  const clock = { nowMs: () => 0, wallMs: () => systemClock.wallMs() };
  return explain(query, { snapshot, region, ports: new Map(ports), clock, random });
}
