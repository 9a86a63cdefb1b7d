// The record of an ended exchange, and its observers: counters, access log, traces. Thread: both.

import type { ClientConnection } from './exchange-contract.ts';
import type { FailureKind } from './failure.ts';
import type { RequestHead } from './head.ts';
import type { EndpointSnapshot } from './snapshot/endpoint.ts';
import type { UpstreamSnapshot } from './snapshot/upstream.ts';
import type { Termination } from './termination.ts';

/** The rule of docs/design.md 5 allowed another attempt, or forbade it. */
export type RetryVerdict =
  | 'none'
  | 'never-sent'
  | 'unanswered-safe'
  | 'status'
  | 'refused-not-retryable'
  | 'refused-attempts'
  | 'refused-budget'
  | 'refused-body'
  | 'refused-no-other-endpoint'
  | 'refused-no-time'
  | 'refused-response-begun';

/** Phases in ms; -1 where the phase was not reached (as in HAProxy's TR/Tw/Tc/Tr/Ta). */
export interface ExchangePhases {
  /** First byte of the head to its end. */
  readonly requestMs: number;
  /** Waiting in the queue. */
  readonly queueMs: number;
  /** Getting a connection, over all attempts. */
  readonly connectMs: number;
  /** Connection leased to the first byte of the response head. */
  readonly responseMs: number;
  /** First byte of the head to the last byte of the response. */
  readonly totalMs: number;
}

/** Load when the exchange ended, as HAProxy logs it. Read only where an observer logs it; zeros elsewhere. */
export interface LoadAtEnd {
  /** Client connections of this worker, and of the listener. */
  readonly openConnections: number;
  readonly listenerConnections: number;
  /** Requests in flight at the upstream and at the endpoint. */
  readonly upstreamInflight: number;
  readonly endpointInflight: number;
}

/** The record of an ended exchange. Observers copy what they keep: the exchange is reused. */
export interface ExchangeRecord {
  readonly connection: ClientConnection;
  /** Null where it could not be parsed, and for a TCP session. */
  readonly head: RequestHead | null;
  /** Whether it is a TCP session; absent for a request. */
  readonly isSession?: boolean;
  readonly requestId: string;
  /** The client's address behind trusted proxies. */
  readonly clientAddress: string;
  /** Wall-clock ms at which the request began. */
  readonly beganWallMs: number;
  readonly phases: ExchangePhases;
  readonly routeName: string;
  readonly upstream: UpstreamSnapshot | null;
  /** The endpoint of the last attempt. */
  readonly endpoint: EndpointSnapshot | null;
  /** Protocol of the last attempt; null where there was none. */
  readonly endpointProtocol: 'http1' | 'http2' | 'tcp' | null;
  /** Status sent to the client; 0 where none was. */
  readonly status: number;
  /** Body bytes from and to the client. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly termination: Termination;
  readonly attempts: number;
  /** Whether a retry went to another endpoint. */
  readonly wasRedispatched: boolean;
  readonly retryVerdict: RetryVerdict;
  /** The failure of the last failed attempt. */
  readonly failureKind: FailureKind | null;
  /** The rule that a malformed response broke, and the field; absent or null for other failures. */
  readonly failureReason?: string | null;
  readonly wasUpgraded: boolean;
  readonly load: LoadAtEnd;
  /** Requests queued before this one: at the only endpoint that could serve it, and at the upstream. */
  readonly endpointQueuePosition: number;
  readonly upstreamQueuePosition: number;
  /** The memo of a policy by its name; undefined where it has none. */
  policyMemo?(policy: string): unknown;
}

/** Receives the record of every ended exchange, and of every refused request. */
export interface ExchangeObserver {
  /** Whether it uses `ExchangeRecord.load`, which costs a read of every endpoint of the upstream. */
  readonly readsLoad: boolean;
  /** Never throws and never waits. */
  exchangeEnded(record: ExchangeRecord): void;
}
