// Layout of the memory shared by main and workers: unit, meaning and writer of every word. Thread: both.
// docs/design.md 1.2. One region holds, in this order: header, endpoint records, upstream records, worker records,
// rows for crash repair (in-flight, waiters and retries of each worker), lanes (one block of statistics per worker), and
// samples (latencies of successful responses per worker, for adaptive limits).

/** Writer of a word: all `workers` with Atomics, `main` alone, or one `worker` for the words of its own record. */
export type WordWriter = 'main' | 'workers' | 'worker';

/** Description of one word of a record. `index` counts 32-bit words from the start of the record. */
export interface Word {
  readonly index: number;
  readonly type: 'i32' | 'f64';
  readonly unit: string;
  readonly writer: WordWriter;
  readonly means: string;
}

/** Every record is one cache line, which avoids false sharing (about 70 ns). */
export const RECORD_BYTES = 64;
export const RECORD_WORDS = RECORD_BYTES / 4;

export const HEADER = {
  magic: { index: 0, type: 'i32', unit: 'constant', writer: 'main', means: 'identifies a region' },
  version: { index: 1, type: 'i32', unit: 'number', writer: 'main', means: 'version of this layout' },
  endpointCapacity: { index: 2, type: 'i32', unit: 'records', writer: 'main', means: 'slots in the region' },
  upstreamCapacity: { index: 3, type: 'i32', unit: 'records', writer: 'main', means: 'upstream records' },
  workerCapacity: { index: 4, type: 'i32', unit: 'records', writer: 'main', means: 'worker records, rows, lanes' },
  listenerCapacity: { index: 5, type: 'i32', unit: 'records', writer: 'main', means: 'listeners with a lane' },
  originWallMs: { index: 6, type: 'f64', unit: 'ms since 1970', writer: 'main', means: 'origin of all timestamps' },
  descriptorShortages: {
    index: 8,
    type: 'i32',
    unit: 'checks',
    writer: 'main',
    means: 'that found no descriptor left',
  },
  endpointsUsed: { index: 9, type: 'i32', unit: 'records', writer: 'main', means: 'slots that ever had an owner' },
} as const satisfies Record<string, Word>;

export const ENDPOINT = {
  inflight: {
    index: 0,
    type: 'i32',
    unit: 'requests',
    writer: 'workers',
    means: 'exact in-flight count of all workers',
  },
  queued: { index: 1, type: 'i32', unit: 'requests', writer: 'workers', means: 'waiting for this endpoint only' },
  availability: { index: 2, type: 'i32', unit: 'AVAILABILITY', writer: 'main', means: 'availability to picks' },
  consecutiveFailures: {
    index: 3,
    type: 'i32',
    unit: 'failures',
    writer: 'workers',
    means: 'since the last success, and their sources (failure-count.ts)',
  },
  limit: { index: 4, type: 'i32', unit: 'requests', writer: 'main', means: 'in-flight limit; 0 is none' },
  suspect: { index: 5, type: 'i32', unit: 'SUSPICION', writer: 'workers', means: 'set by CAS, cleared by main' },
  halfOpenToken: {
    index: 6,
    type: 'i32',
    unit: 'worker + 1',
    writer: 'workers',
    means: 'holder of the trial; 0 is none',
  },
  weight: { index: 7, type: 'i32', unit: '1..256', writer: 'main', means: 'configured or operator-set weight' },
  ewmaCostMs: { index: 8, type: 'f64', unit: 'ms', writer: 'workers', means: 'peak EWMA of the time to a head' },
  ewmaStampMs: { index: 10, type: 'f64', unit: 'ms', writer: 'workers', means: 'when ewmaCostMs was written' },
  lastSuccessMs: { index: 12, type: 'i32', unit: 'ms', writer: 'workers', means: 'last success of live traffic' },
  generation: { index: 13, type: 'i32', unit: 'number', writer: 'main', means: 'counts the owners of the slot' },
  factor: { index: 14, type: 'i32', unit: '1/65536', writer: 'main', means: 'dynamic share of the weight' },
  warmStartMs: { index: 15, type: 'i32', unit: 'ms', writer: 'main', means: 'when slow start began; 0 is never' },
} as const satisfies Record<string, Word>;

export const UPSTREAM = {
  epoch: { index: 0, type: 'i32', unit: 'number', writer: 'main', means: 'incremented when any endpoint changes' },
  roundRobinCursor: { index: 1, type: 'i32', unit: 'picks', writer: 'workers', means: 'position in the schedule' },
  retryBalance: {
    index: 2,
    type: 'i32',
    unit: '1/1000 retry',
    writer: 'workers',
    means: 'balance of the retry budget',
  },
  queued: { index: 3, type: 'i32', unit: 'requests', writer: 'workers', means: 'waiting for any endpoint' },
  ticketNext: { index: 4, type: 'i32', unit: 'tickets', writer: 'workers', means: 'next ticket of the queue' },
  ticketServed: {
    index: 5,
    type: 'i32',
    unit: 'tickets',
    writer: 'workers',
    means: 'tickets whose waiter has left the queue',
  },
  allDown: { index: 6, type: 'i32', unit: '0 or 1', writer: 'main', means: 'no endpoint of any tier is usable' },
  suspects: { index: 7, type: 'i32', unit: 'endpoints', writer: 'workers', means: 'incremented at each new suspect' },
  activeRetries: { index: 8, type: 'i32', unit: 'requests', writer: 'workers', means: 'retries in flight' },
} as const satisfies Record<string, Word>;

export const WORKER = {
  openExchanges: { index: 0, type: 'i32', unit: 'exchanges', writer: 'worker', means: 'started and not finished' },
  openConnections: { index: 1, type: 'i32', unit: 'connections', writer: 'worker', means: 'of clients' },
  acknowledged: { index: 2, type: 'i32', unit: 'revision', writer: 'worker', means: 'newest Snapshot installed' },
  wake: { index: 3, type: 'i32', unit: 'number', writer: 'workers', means: 'a place became free for a waiter' },
  liveness: { index: 4, type: 'i32', unit: 'number', writer: 'worker', means: 'incremented while the event loop runs' },
  upgraded: { index: 5, type: 'i32', unit: 'connections', writer: 'worker', means: 'relayed after an Upgrade' },
  memory: { index: 7, type: 'i32', unit: 'KiB', writer: 'worker', means: 'heap and buffers, 20 times a second' },
  pressure: { index: 8, type: 'i32', unit: '1/1000', writer: 'worker', means: 'highest use of an overload limit' },
  heapUsed: { index: 6, type: 'i32', unit: 'KiB', writer: 'worker', means: 'of its JavaScript heap, once a second' },
  membership: {
    index: 10,
    type: 'i32',
    unit: 'number',
    writer: 'worker',
    means: 'newest change of endpoints installed',
  },
  accessLinesLost: { index: 9, type: 'i32', unit: 'lines', writer: 'worker', means: 'access log lines that were lost' },
} as const satisfies Record<string, Word>;

/** Word indices for the hot path: plain numbers instead of property chains. */
export const E_INFLIGHT = ENDPOINT.inflight.index;
export const E_QUEUED = ENDPOINT.queued.index;
export const E_AVAILABILITY = ENDPOINT.availability.index;
export const E_CONSECUTIVE = ENDPOINT.consecutiveFailures.index;
export const E_LIMIT = ENDPOINT.limit.index;
export const E_SUSPECT = ENDPOINT.suspect.index;
export const E_TOKEN = ENDPOINT.halfOpenToken.index;
export const E_WEIGHT = ENDPOINT.weight.index;
export const E_LAST_SUCCESS = ENDPOINT.lastSuccessMs.index;
export const E_GENERATION = ENDPOINT.generation.index;
export const E_FACTOR = ENDPOINT.factor.index;
export const E_WARM_START = ENDPOINT.warmStartMs.index;
/** In 64-bit words. */
export const E_EWMA_COST = ENDPOINT.ewmaCostMs.index / 2;
export const E_EWMA_STAMP = ENDPOINT.ewmaStampMs.index / 2;

/** Values of `suspect`: none, a failure, or responses that are overdue and say nothing about where keys belong. */
export const SUSPICION = { none: 0, failure: 1, slow: 2 } as const;

/** `factor` of an endpoint at its full weight. */
export const FULL_FACTOR = 65_536;
