// Metrics of the process: version, configuration, workers, memory. Thread: main.

import { HEADER, WORKER, type Word } from '../../core/memory/layout.ts';
import type { EventLoopLag } from './event-loop-lag.ts';
import { METRIC_PREFIX, type MetricFamily, type MetricSample, type Scrape } from './metric-family.ts';
import { notReadyBecause } from '../api/readiness.ts';

const WORKER_STATES = ['starting', 'listening', 'draining', 'exited'] as const;

function single(type: 'counter' | 'gauge', name: string, help: string, read: (scrape: Scrape) => number): MetricFamily {
  const collect = (scrape: Scrape): MetricSample[] => [{ labels: {}, value: read(scrape) }];
  return { name: METRIC_PREFIX + name, help, type, scope: 'process', labels: [], collect };
}

/** A word of each worker's record. @param factor converts its unit to the metric's */
function perWorker(name: string, help: string, word: Word, factor = 1): MetricFamily {
  const collect = ({ context }: Scrape): MetricSample[] =>
    context.workers().map(({ worker }) => ({
      labels: { worker },
      value: context.region.words[context.region.workerWord(worker) + word.index]! * factor,
    }));
  return { name: METRIC_PREFIX + name, help, type: 'gauge', scope: 'process', labels: ['worker'], collect };
}

const BUILD_INFO: MetricFamily = {
  name: `${METRIC_PREFIX}build_info`,
  help: 'Always 1; the labels say what runs.',
  type: 'gauge',
  scope: 'process',
  labels: ['version', 'node'],
  collect: ({ context }) => [{ labels: { version: context.version, node: process.versions.node }, value: 1 }],
};

const WORKERS: MetricFamily = {
  name: `${METRIC_PREFIX}workers`,
  help: 'Worker threads by state.',
  type: 'gauge',
  scope: 'process',
  labels: ['state'],
  collect: ({ context }) => {
    const states = context.workers().map(({ state }) => state);
    return WORKER_STATES.map((state) => ({ labels: { state }, value: states.filter((one) => one === state).length }));
  },
};

const WORKER_RESTARTS: MetricFamily = {
  name: `${METRIC_PREFIX}worker_restarts_total`,
  help: 'Times that a worker thread was started again after it died.',
  type: 'counter',
  scope: 'process',
  labels: ['worker'],
  collect: ({ context }) => context.workers().map(({ worker, restarts }) => ({ labels: { worker }, value: restarts })),
};

function lagFamily(lag: EventLoopLag): MetricFamily {
  return {
    name: `${METRIC_PREFIX}main_event_loop_lag_seconds`,
    help: 'How late the event loop of the main thread ran since the last scrape.',
    type: 'gauge',
    scope: 'process',
    // Not `quantile`, which the exposition format reserves for summaries.
    labels: ['statistic'],
    collect: () => lag.take().map(({ statistic, seconds }) => ({ labels: { statistic }, value: seconds })),
  };
}

const LOG_LINES_LOST: MetricFamily = {
  name: `${METRIC_PREFIX}log_lines_lost_total`,
  help: 'Log lines that were lost because the output failed or was too slow.',
  type: 'counter',
  scope: 'process',
  labels: ['log'],
  collect: ({ context }) => {
    const { region } = context;
    let access = 0;
    for (let worker = 0; worker < region.capacity.workers; worker++) {
      access += region.words[region.workerWord(worker) + WORKER.accessLinesLost.index]!;
    }
    return [
      { labels: { log: 'access' }, value: access },
      { labels: { log: 'process' }, value: context.lostLogLines() },
    ];
  },
};

const MAINTENANCE: MetricFamily = {
  name: `${METRIC_PREFIX}maintenance`,
  help: '1 for each route and upstream in maintenance, 0 for other upstreams.',
  type: 'gauge',
  scope: 'process',
  labels: ['of', 'name'],
  collect: ({ context, snapshot }) => {
    const on = context.maintenance.list();
    const upstreamsOn = new Set(on.flatMap(({ of, name }) => (of === 'upstream' ? [name] : [])));
    const routes = on.filter(({ of }) => of === 'route').map(({ of, name }) => ({ labels: { of, name }, value: 1 }));
    const upstreams = snapshot.upstreams.map(({ name }) => {
      return { labels: { of: 'upstream', name }, value: upstreamsOn.has(name) ? 1 : 0 };
    });
    return [...upstreams, ...routes];
  },
};

const SPLIT_WEIGHT: MetricFamily = {
  name: `${METRIC_PREFIX}split_weight`,
  help: 'Weight in effect of each upstream in the split of a route.',
  type: 'gauge',
  scope: 'process',
  labels: ['route', 'upstream'],
  collect: ({ context }) =>
    context.splits
      .list()
      .flatMap(({ route, upstreams }) =>
        upstreams.map(({ name, weight }) => ({ labels: { route, upstream: name }, value: weight })),
      ),
};

const TRACE_SPANS_LOST: MetricFamily = {
  name: `${METRIC_PREFIX}trace_spans_lost_total`,
  help: 'Spans that were lost, by cause: queue (full), refused (by the receiver), worker (too many in a second).',
  type: 'counter',
  scope: 'process',
  labels: ['cause'],
  collect: ({ context }) =>
    Object.entries(context.traces.counts.lost).map(([cause, value]) => ({ labels: { cause }, value })),
};

const TRACING: readonly MetricFamily[] = [
  single('counter', 'trace_spans_exported_total', 'Spans that the receiver of traces has accepted.', ({ context }) => {
    return context.traces.counts.exported;
  }),
  TRACE_SPANS_LOST,
  single(
    'counter',
    'trace_export_failures_total',
    'Requests to the receiver of traces that failed; most are repeated.',
    ({ context }) => context.traces.counts.failedRequests,
  ),
  single('gauge', 'trace_queue_bytes', 'Memory of spans that wait for the receiver of traces.', ({ context }) => {
    return context.traces.queuedBytes;
  }),
];

/** All families of the process; `lag` measures from its start. */
export function processMetrics(lag: EventLoopLag): readonly MetricFamily[] {
  return [
    BUILD_INFO,
    single('gauge', 'start_time_seconds', 'When the process began.', ({ context }) => context.startedAt / 1000),
    single('gauge', 'ready', '1 while the process may be sent traffic.', ({ context }) =>
      notReadyBecause(context).length === 0 ? 1 : 0,
    ),
    single('gauge', 'config_generation', 'Number of the running configuration.', ({ snapshot }) => snapshot.revision),
    MAINTENANCE,
    SPLIT_WEIGHT,
    WORKERS,
    WORKER_RESTARTS,
    perWorker('worker_config_generation', 'Newest configuration that the worker runs on.', WORKER.acknowledged),
    perWorker('worker_exchanges', 'Requests in progress in the worker.', WORKER.openExchanges),
    perWorker('worker_connections', 'Connections of clients to the worker.', WORKER.openConnections),
    perWorker('worker_upgraded', 'Upgraded connections that the worker relays.', WORKER.upgraded),
    perWorker('worker_memory_bytes', "Memory in use in the worker's heap and buffers.", WORKER.memory, 1024),
    perWorker('worker_pressure', 'The fullest of the limits of overload; 1 is full.', WORKER.pressure, 0.001),
    perWorker('worker_heap_used_bytes', "Memory in use in the worker's heap.", WORKER.heapUsed, 1024),
    single('gauge', 'process_resident_memory_bytes', 'Memory of the process, all threads together.', () =>
      process.memoryUsage.rss(),
    ),
    single('counter', 'process_cpu_seconds_total', 'Processor time of the process, all threads together.', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
    single(
      'counter',
      'process_descriptor_shortages_total',
      'Looks, one a second, that found no file descriptor left: new connections are lost then.',
      ({ context }) => context.region.words[HEADER.descriptorShortages.index]!,
    ),
    single(
      'counter',
      'rate_limit_evictions_total',
      'Clients that were forgotten before their rate was at rest, because too many others sent requests.',
      ({ context }) => context.clients.evictions,
    ),
    single('gauge', 'main_heap_used_bytes', "Memory in use in the main thread's heap.", () => {
      return process.memoryUsage().heapUsed;
    }),
    lagFamily(lag),
    LOG_LINES_LOST,
    ...TRACING,
  ];
}
