// What is known of an exchange when it has ended: the input of access log and counters. Thread: both.

import type { ClientConnection } from './exchange-contract.ts';
import type { FailureKind } from './failure.ts';
import type { RequestHead } from './head.ts';
import type { EndpointSnapshot } from './snapshot/endpoint.ts';
import type { UpstreamSnapshot } from './snapshot/upstream.ts';
import type { Termination } from './termination.ts';

/** Which rule of docs/design.md 5 let a try follow another, or forbade it. */
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
  /** Waiting for a place at an endpoint. */
  readonly queueMs: number;
  /** Getting a connection, all tries together. */
  readonly connectMs: number;
  /** Request sent to the first byte of the response's head. */
  readonly responseMs: number;
  /** First byte of the head to the last byte of the response. */
  readonly totalMs: number;
}

export interface ExchangeRecord {
  readonly connection: ClientConnection;
  /** Null for what could not be parsed. */
  readonly head: RequestHead | null;
  readonly requestId: string;
  /** The client's address after trusted proxies were looked through. */
  readonly clientAddress: string;
  /** Wall-clock ms at which the request began. */
  readonly beganWallMs: number;
  readonly phases: ExchangePhases;
  readonly routeName: string;
  readonly upstream: UpstreamSnapshot | null;
  /** The endpoint of the last attempt. */
  readonly endpoint: EndpointSnapshot | null;
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
  /** Of the last failed attempt. */
  readonly failureKind: FailureKind | null;
  readonly wasUpgraded: boolean;
  /** HAProxy's five counters at the end: this worker, listener, upstream, endpoint. */
  readonly openConnections: number;
  readonly listenerConnections: number;
  readonly upstreamInflight: number;
  readonly endpointInflight: number;
  /** Requests before this one in the queue of the endpoint and of the upstream when it was queued. */
  readonly endpointQueuePosition: number;
  readonly upstreamQueuePosition: number;
}
