// Records of ended exchanges made of their parts, for tests and benchmarks of accounting. Thread: both.

import type { ClientConnection } from '../../../../core/exchange-contract.ts';
import type { ExchangePhases, ExchangeRecord } from '../../../../core/exchange-record.ts';
import { clientConnection } from '../../../support/client-connection.ts';
import { requestHead } from '../../../support/request-head.ts';
import { endpointSnapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

export function connectionOf(parts: Partial<ClientConnection> = {}): ClientConnection {
  return clientConnection({ peerAddress: '10.0.1.2', peerPort: 33317, ...parts });
}

export function phasesOf(parts: Partial<ExchangePhases> = {}): ExchangePhases {
  return { requestMs: 10, queueMs: 0, connectMs: 30, responseMs: 69, totalMs: 109, ...parts };
}

export const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0';

const SAMPLE_HEAD = requestHead({
  target: '/index.html?page=2',
  authority: 'www.example.com',
  fields: ['User-Agent', USER_AGENT, 'Referer', 'https://www.example.com/start'],
});

/** An exchange that went well, on 6 February 2009 at 12:14:14.655 UTC; `parts` replace its own. */
export function recordOf(parts: Partial<ExchangeRecord> = {}): ExchangeRecord {
  const endpoint = endpointSnapshot(0);
  return {
    connection: connectionOf(),
    head: SAMPLE_HEAD,
    requestId: '0198a7c1-6f3e-7b7e-9d3c-0000000010f5',
    clientAddress: '10.0.1.2',
    beganWallMs: Date.UTC(2009, 1, 6, 12, 14, 14, 655),
    phases: phasesOf(),
    routeName: 'all',
    upstream: upstreamSnapshot({ endpoints: [endpoint] }),
    endpoint,
    endpointProtocol: 'http1',
    status: 200,
    bytesReceived: 0,
    bytesSent: 2750,
    termination: 'ok',
    attempts: 1,
    wasRedispatched: false,
    retryVerdict: 'none',
    failureKind: null,
    wasUpgraded: false,
    load: { openConnections: 5, listenerConnections: 4, upstreamInflight: 3, endpointInflight: 2 },
    endpointQueuePosition: 0,
    upstreamQueuePosition: 1,
    ...parts,
  };
}
