// Counting of ended exchanges and of attempts in the worker's lanes. Thread: worker.
//
// `accountExchange` counts from the record of an ended exchange. Attempts are counted as they happen, by the functions here.
// Other code counts client connections, TLS failures, hand-offs and spoofs (ListenerLane), queued requests and hedges
// (UpstreamLane), open and idle connections (EndpointLane).

import type { ExchangeObserver, ExchangeRecord } from '../../core/exchange-record.ts';
import { type FailureKind, type Signal, SIGNALS } from '../../core/failure.ts';
import { ENDPOINT_FIELD, LISTENER_FIELD, UPSTREAM_FIELD } from '../../core/memory/lane-fields.ts';
import type { Termination } from '../../core/termination.ts';
import type { EndpointLane, UpstreamLane, WorkerLanes } from './lane.ts';

/** Stands for no field. */
const NOTHING = -1;

const U = UPSTREAM_FIELD;
const L = LISTENER_FIELD;
const E = ENDPOINT_FIELD;

/** The fields that a termination increments: one of the upstream and one of the listener. */
interface TerminationCounts {
  readonly upstream: number;
  /** Whether the endpoint truncated a response that had begun. */
  readonly isTruncated: boolean;
  readonly listener: number;
}

function counts(upstream: number, listener = NOTHING, isTruncated = false): TerminationCounts {
  return { upstream, listener, isTruncated };
}

const COUNTS: Readonly<Record<Termination, TerminationCounts>> = {
  ok: counts(NOTHING),
  localReply: counts(NOTHING),
  policyRefused: counts(NOTHING),
  badRequest: counts(NOTHING, L.badRequests),
  noRoute: counts(NOTHING, L.noRoute),
  clientGoneRequest: counts(U.clientAborts),
  clientTimeoutRequest: counts(U.clientAborts, L.timeouts),
  clientGoneQueue: counts(U.clientAborts),
  queueTimeout: counts(U.queueTimeouts),
  queueFull: counts(U.queueFull),
  shed: counts(U.shed),
  noEndpoint: counts(U.noEndpoint),
  connectFailed: counts(NOTHING),
  connectTimeout: counts(NOTHING),
  clientGoneConnect: counts(U.clientAborts),
  clientGoneHead: counts(U.clientAborts),
  endpointGoneHead: counts(U.endpointAborts),
  responseTimeout: counts(NOTHING),
  badResponse: counts(NOTHING),
  clientGoneData: counts(U.clientAborts),
  clientTimeoutData: counts(U.clientAborts, L.timeouts),
  endpointGoneData: counts(U.endpointAborts, NOTHING, true),
  endpointTimeoutData: counts(NOTHING, NOTHING, true),
  badResponseData: counts(NOTHING, NOTHING, true),
  responseTooLarge: counts(NOTHING, NOTHING, true),
  drainedStream: counts(NOTHING),
  drainedTunnel: counts(NOTHING),
  tunnelTimeout: counts(NOTHING),
  sessionIdle: counts(NOTHING),
  endpointDown: counts(NOTHING),
  drainedSession: counts(NOTHING),
  policyFailed: counts(NOTHING),
  internal: counts(NOTHING),
};

/** Counts ended exchanges in this worker's lanes. */
export class LaneObserver implements ExchangeObserver {
  readonly readsLoad = false;
  readonly #lanes: WorkerLanes;

  constructor(lanes: WorkerLanes) {
    this.#lanes = lanes;
  }

  exchangeEnded(record: ExchangeRecord): void {
    accountExchange(record, this.#lanes);
  }
}

/** Counts ended TCP sessions. Their bytes are counted as they move, and their connections where they are accepted. */
export class SessionObserver implements ExchangeObserver {
  readonly readsLoad = false;
  readonly #lanes: WorkerLanes;

  constructor(lanes: WorkerLanes) {
    this.#lanes = lanes;
  }

  exchangeEnded(record: ExchangeRecord): void {
    const counted = COUNTS[record.termination];
    if (counted.listener !== NOTHING) this.#lanes.listener(record.connection.listenerIndex).add(counted.listener, 1);
    if (record.upstream === null) return;
    const upstream = this.#lanes.upstream(record.upstream.index);
    upstream.add(U.exchanges, 1);
    if (counted.upstream !== NOTHING) upstream.add(counted.upstream, 1);
    addRetries(upstream, record);
    upstream.observeLatency(record.phases.totalMs);
  }
}

/** Counts an ended exchange at its upstream and its listener. Once for each exchange. */
export function accountExchange(record: ExchangeRecord, lanes: WorkerLanes): void {
  const counted = COUNTS[record.termination];
  const listener = lanes.listener(record.connection.listenerIndex);
  listener.add(L.requests, 1);
  const answered = classField(record.status, L.responses1xx);
  if (answered !== NOTHING) listener.add(answered, 1);
  if (record.bytesReceived > 0) listener.add(L.bytesReceived, record.bytesReceived);
  if (record.bytesSent > 0) listener.add(L.bytesSent, record.bytesSent);
  if (counted.listener !== NOTHING) listener.add(counted.listener, 1);
  if (record.upstream === null) return;

  const upstream = lanes.upstream(record.upstream.index);
  upstream.add(U.exchanges, 1);
  const responses = classField(record.status, U.responses1xx);
  if (responses !== NOTHING) upstream.add(responses, 1);
  if (counted.upstream !== NOTHING) upstream.add(counted.upstream, 1);
  if (counted.isTruncated) upstream.add(U.truncated, 1);
  addRetries(upstream, record);
  // The duration of a tunnel is no latency of the upstream.
  if (record.wasUpgraded) upstream.add(U.upgrades, 1);
  else upstream.observeLatency(record.phases.totalMs);
}

function addRetries(upstream: UpstreamLane, record: ExchangeRecord): void {
  if (record.attempts > 1) upstream.add(U.retries, record.attempts - 1);
  if (record.wasRedispatched) upstream.add(U.redispatches, 1);
  if (record.retryVerdict === 'refused-budget') upstream.add(U.retryBudgetExhausted, 1);
  if (record.retryVerdict.startsWith('refused-')) upstream.add(U.retriesRefused, 1);
}

/** The field of a status class: one of five consecutive ones. Statuses below 100 or above 599 have none. */
function classField(status: number, first: number): number {
  const index = Math.floor(status / 100) - 1;
  return index >= 0 && index < 5 ? first + index : NOTHING;
}

/** Counts an attempt that begins. @param isRetry whether it isn't the exchange's first one */
export function countAttempt(lane: EndpointLane, isRetry: boolean): void {
  lane.add(E.attempts, 1);
  if (isRetry) lane.add(E.retries, 1);
}

/** Counts the lease of a reused or new connection. */
export function countLease(lane: EndpointLane, reused: boolean): void {
  lane.add(reused ? E.connectionsReused : E.connectionsOpened, 1);
}

/** Counts a final response head (or 101). @param headMs from the whole request to the head; -1 if unknown */
export function countHead(lane: EndpointLane, status: number, headMs: number): void {
  const field = classField(status, E.responses1xx);
  if (field !== NOTHING) lane.add(field, 1);
  lane.observeLatency(headMs);
}

/** Counts the outcome of an attempt for outlier detection. At most once for each attempt. */
export function countOutcome(lane: EndpointLane, signal: Signal): void {
  const judged = SIGNALS[signal].window;
  if (judged !== 'ignore') lane.add(judged === 'ok' ? E.ok : E.fail, 1);
}

/** The field of each kind of failure; none for failures that aren't the endpoint's. */
const FAILURE_FIELDS: Readonly<Record<FailureKind, number>> = {
  'connect-refused': E.failuresConnect,
  'connect-timeout': E.failuresConnect,
  'connect-failed': E.failuresConnect,
  'tls-failed': E.failuresConnect,
  'stale-connection': NOTHING,
  'refused-stream': NOTHING,
  reset: E.failuresReset,
  'response-timeout': E.failuresTimeout,
  'try-timeout': E.failuresTimeout,
  'idle-timeout': E.failuresTimeout,
  'malformed-response': E.failuresProtocol,
  'head-too-large': E.failuresProtocol,
  truncated: E.failuresTruncated,
  'unsendable-request': NOTHING,
  'upgrade-unsupported': NOTHING,
  cancelled: NOTHING,
  internal: NOTHING,
};

/** Counts a failed attempt by its kind. */
export function countFailure(lane: EndpointLane, kind: FailureKind): void {
  const field = FAILURE_FIELDS[kind];
  if (field !== NOTHING) lane.add(field, 1);
}

/** Counts body bytes to and from an endpoint. */
export function countBytes(lane: EndpointLane, sent: number, received: number): void {
  if (sent > 0) lane.add(E.bytesSent, sent);
  if (received > 0) lane.add(E.bytesReceived, received);
}
