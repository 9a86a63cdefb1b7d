// The client of a request, as PROXY protocol headers name it. Thread: both.

import type { ClientConnection, RequestOrigin } from '../../core/exchange-contract.ts';

/** @param parts of its connection; the client is its peer */
export function requestOrigin(parts: Partial<ClientConnection> = {}): RequestOrigin {
  const connection: ClientConnection = {
    listenerIndex: 0,
    listenerName: 'web',
    peerAddress: '192.0.2.1',
    peerPort: 40_000,
    localPort: 8080,
    isTls: false,
    tlsVersion: '',
    isTrusted: false,
    localAddress: '198.51.100.1',
    serverName: '',
    onceClosed: () => undefined,
    ...parts,
  };
  return { connection, clientAddress: connection.peerAddress, requestId: 'id-1' };
}
