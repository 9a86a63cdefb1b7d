// Whether an address is free before workers bind it together: with reusePort two Fairleads of one user would share a
// port in silence, and half the requests would go astray. Thread: main.

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import { BindError } from './bind-error.ts';

/** Binds each port alone for a moment. @throws BindError where somebody has it */
export async function probePorts(listeners: readonly ListenerSnapshot[]): Promise<void> {
  for (const { name, bind } of listeners) {
    if (bind.kind !== 'tcp' || bind.port === 0) continue;
    const server = createServer();
    try {
      server.listen({ port: bind.port, exclusive: true, ...(bind.host === '' ? {} : { host: bind.host }) });
      await once(server, 'listening');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // What else may be wrong with the address is told by the workers, which say it better.
      if (code !== 'EADDRINUSE') continue;
      const host = bind.host.includes(':') ? `[${bind.host}]` : bind.host;
      throw new BindError(name, `${host}:${bind.port}`, 'another process has it (EADDRINUSE)');
    } finally {
      if (server.listening) {
        server.close();
        await once(server, 'close');
      }
    }
  }
}
