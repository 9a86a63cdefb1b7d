// The facts of a client's connection. Thread: both.

import type { ClientConnection } from '../../core/exchange-contract.ts';
import { CONNECTION } from '../../testing/client-connection.ts';

export function clientConnection(parts: Partial<ClientConnection> = {}): ClientConnection {
  return { ...CONNECTION, ...parts };
}
