// The layout of the memory that main and workers share: for every word its unit and who writes it. Thread: both.
// docs/design.md 1.2. One region holds, in this order: header, endpoint records, upstream records, worker records,
// rows of owned in-flight and of waiters (one each per worker), lanes (one block of statistics per worker), and samples
// (latencies of good answers per worker, for adaptive limits).

/** Who writes a word. `workers` with Atomics, `main` alone, or `worker` for a word that belongs to one worker. */
export type WordWriter = 'main' | 'workers' | 'worker';

/** What one word of a record is. `index` counts 32-bit words from the record's start. */
export interface Word {
  readonly index: number;
  readonly type: 'i32' | 'f64';
  readonly unit: string;
  readonly writer: WordWriter;
  readonly means: string;
}

/** Every record is one cache line, so that two records never share one (false sharing costs about 70 ns). */
export const RECORD_BYTES = 64;
export const RECORD_WORDS = RECORD_BYTES / 4;

export const HEADER = {
  magic: { index: 0, type: 'i32', unit: 'constant', writer: 'main', means: 'says that this is a region of ours' },
  version: { index: 1, type: 'i32', unit: 'number', writer: 'main', means: 'version of this layout' },
  endpointCapacity: { index: 2, type: 'i32', unit: 'records', writer: 'main', means: 'slots in the region' },
  upstreamCapacity: { index: 3, type: 'i32', unit: 'records', writer: 'main', means: 'upstream records' },
  workerCapacity: { index: 4, type: 'i32', unit: 'records', writer: 'main', means: 'worker records, rows, lanes' },
  listenerCapacity: { index: 5, type: 'i32', unit: 'records', writer: 'main', means: 'listeners with a lane' },
  originWallMs: { index: 6, type: 'f64', unit: 'ms since 1970', writer: 'main', means: 'zero of all stamps in ms' },
  descriptorShortages: { index: 8, type: 'i32', unit: 'looks', writer: 'main', means: 'that found no descriptor left' },
} as const satisfies Record<string, Word>;

export const ENDPOINT = {
  inflight: { index: 0, type: 'i32', unit: 'requests', writer: 'workers', means: 'exact in-flight of all workers' },
  queued: { index: 1, type: 'i32', unit: 'requests', writer: 'workers', means: 'waiting for this endpoint only' },
  availability: { index: 2, type: 'i32', unit: 'AVAILABILITY', writer: 'main', means: 'what a pick may do with it' },
  consecutiveFailures: { index: 3, type: 'i32', unit: 'failures', writer: 'workers', means: 'since the last success' },
  limit: { index: 4, type: 'i32', unit: 'requests', writer: 'main', means: 'most in-flight; 0 is none' },
  suspect: { index: 5, type: 'i32', unit: '0 or 1', writer: 'workers', means: 'set by CAS at a hard failure' },
  halfOpenToken: { index: 6, type: 'i32', unit: 'worker + 1', writer: 'workers', means: 'who tries it; 0 is nobody' },
  weight: { index: 7, type: 'i32', unit: '1..256', writer: 'main', means: 'configured or operator-set weight' },
  ewmaCostMs: { index: 8, type: 'f64', unit: 'ms', writer: 'workers', means: 'peak EWMA of the time to a head' },
  ewmaStampMs: { index: 10, type: 'f64', unit: 'ms', writer: 'workers', means: 'when ewmaCostMs was written' },
  lastSuccessMs: { index: 12, type: 'i32', unit: 'ms', writer: 'workers', means: 'last good answer to live traffic' },
  generation: { index: 13, type: 'i32', unit: 'number', writer: 'main', means: 'counts the owners of the slot' },
  factor: { index: 14, type: 'i32', unit: '1/65536', writer: 'main', means: 'dynamic share of the weight' },
  warmStartMs: { index: 15, type: 'i32', unit: 'ms', writer: 'main', means: 'when slow start began; 0 is never' },
} as const satisfies Record<string, Word>;

export const UPSTREAM = {
  epoch: { index: 0, type: 'i32', unit: 'number', writer: 'main', means: 'moves when any endpoint changed' },
  roundRobinCursor: { index: 1, type: 'i32', unit: 'picks', writer: 'workers', means: 'place in the schedule' },
  retryBalance: { index: 2, type: 'i32', unit: '1/1000 retry', writer: 'workers', means: 'what the budget holds' },
  queued: { index: 3, type: 'i32', unit: 'requests', writer: 'workers', means: 'waiting for any endpoint' },
  ticketNext: { index: 4, type: 'i32', unit: 'tickets', writer: 'workers', means: 'next ticket of the queue' },
  ticketServed: {
    index: 5,
    type: 'i32',
    unit: 'tickets',
    writer: 'workers',
    means: 'tickets whose waiter no longer waits',
  },
  allDown: { index: 6, type: 'i32', unit: '0 or 1', writer: 'main', means: 'no endpoint of any tier is usable' },
  suspects: { index: 7, type: 'i32', unit: 'endpoints', writer: 'workers', means: 'moves at each new suspect' },
  activeRetries: { index: 8, type: 'i32', unit: 'requests', writer: 'workers', means: 'retries in flight' },
} as const satisfies Record<string, Word>;

export const WORKER = {
  openExchanges: { index: 0, type: 'i32', unit: 'exchanges', writer: 'worker', means: 'begun and not finished' },
  openConnections: { index: 1, type: 'i32', unit: 'connections', writer: 'worker', means: 'of clients' },
  acknowledged: { index: 2, type: 'i32', unit: 'revision', writer: 'worker', means: 'newest Snapshot installed' },
  wake: { index: 3, type: 'i32', unit: 'number', writer: 'workers', means: 'a place became free for a waiter' },
  beat: { index: 4, type: 'i32', unit: 'number', writer: 'worker', means: 'moves while the event loop turns' },
  upgraded: { index: 5, type: 'i32', unit: 'connections', writer: 'worker', means: 'relayed after an Upgrade' },
  memory: { index: 7, type: 'i32', unit: 'KiB', writer: 'worker', means: 'heap and buffers, 20 times a second' },
  pressure: { index: 8, type: 'i32', unit: '1/1000', writer: 'worker', means: 'fullest of the limits of overload' },
  heapUsed: { index: 6, type: 'i32', unit: 'KiB', writer: 'worker', means: 'of its JavaScript heap, once a second' },
} as const satisfies Record<string, Word>;

/** Word `availability` and its kin for the hot path: plain numbers, no property chain. */
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

/** `factor` of an endpoint that carries its whole weight. */
export const FULL_FACTOR = 65_536;
