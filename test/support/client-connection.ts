// The facts of a client's connection. Thread: both.

import type { ClientConnection } from '../../core/exchange-contract.ts';

export function clientConnection(parts: Partial<ClientConnection> = {}): ClientConnection {
  return {
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
}
