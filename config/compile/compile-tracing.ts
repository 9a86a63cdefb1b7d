// Compiles `tracing`: the receiver of spans and the resource that they belong to. Thread: main.

import type { TracingSnapshot } from '../../core/snapshot/tracing.ts';
import type { Config } from '../schema/schema.ts';

export function compileTracing({ tracing }: Pick<Config, 'tracing'>): TracingSnapshot | null {
  if (tracing === undefined) return null;
  const { endpoint, service, attributes = {}, headers = {}, compression, timeout, queue } = tracing;
  return {
    url: endpoint,
    secrets: Object.entries(headers).flat(),
    resource: ['service.name', service, ...Object.entries(attributes).flat()],
    timeoutMs: timeout,
    queueBytes: queue,
    isCompressed: compression === 'gzip',
  };
}
