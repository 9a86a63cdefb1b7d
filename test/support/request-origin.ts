// The client of a request, as PROXY protocol headers name it. Thread: both.

import type { ClientConnection, RequestOrigin } from '../../core/exchange-contract.ts';
import { clientConnection } from './client-connection.ts';

/** @param parts of its connection; the client is its peer */
export function requestOrigin(parts: Partial<ClientConnection> = {}): RequestOrigin {
  const connection = clientConnection(parts);
  return { connection, clientAddress: connection.peerAddress, requestId: 'id-1' };
}
