// Metrics of gRPC calls by method, of upstreams with `grpcMetrics`. Thread: main.

import { GRPC_STATUSES, type GrpcMethodCounts } from '../../core/grpc-calls.ts';
import { METRIC_PREFIX, type MetricFamily, type MetricSample } from './metric-family.ts';

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

export const GRPC_METRICS: readonly MetricFamily[] = [
  family('calls_total', 'gRPC calls that have ended, by method and status.', 'code', ({ calls }) =>
    calls.flatMap((count, status) => (count === 0 ? [] : [[GRPC_STATUSES[status]!, count] as const])),
  ),
  family('messages_total', 'Messages of these calls, by direction.', 'direction', (counts) => [
    ['request', counts.requestMessages],
    ['response', counts.responseMessages],
  ]),
];
