// The record of a request that could not be parsed: what access log and counters get in place of an exchange.
// Thread: worker.

import type { ClientConnection } from '../../core/exchange-contract.ts';
import type { ExchangeRecord } from '../../core/exchange-record.ts';
import type { Termination } from '../../core/termination.ts';

/** What is known of it. */
export interface RefusedFacts {
  readonly requestId: string;
  readonly status: number;
  readonly termination: Termination;
  readonly wallMs: number;
  readonly openConnections: number;
}

export function refusedRecord(connection: ClientConnection, facts: RefusedFacts): ExchangeRecord {
  return {
    connection,
    head: null,
    requestId: facts.requestId,
    clientAddress: connection.peerAddress,
    beganWallMs: facts.wallMs,
    phases: { requestMs: -1, queueMs: -1, connectMs: -1, responseMs: -1, totalMs: 0 },
    routeName: '',
    upstream: null,
    endpoint: null,
    status: facts.status,
    bytesReceived: 0,
    bytesSent: 0,
    termination: facts.termination,
    attempts: 0,
    wasRedispatched: false,
    retryVerdict: 'none',
    failureKind: null,
    wasUpgraded: false,
    openConnections: facts.openConnections,
    listenerConnections: facts.openConnections,
    upstreamInflight: 0,
    endpointInflight: 0,
    endpointQueuePosition: 0,
    upstreamQueuePosition: 0,
  };
}
