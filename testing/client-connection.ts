// The facts of a played client's connection. Thread: both.

import type { ClientConnection } from '../core/exchange-contract.ts';

/** A client of a listener without TLS. */
export const CONNECTION: ClientConnection = {
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
};
