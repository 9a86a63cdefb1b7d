// Checks the addresses of new listeners before workers bind them together. With SO_REUSEPORT two processes of one user
// can share a port silently, and each would get half of the connections. Thread: main.

import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import { createServer } from 'node:net';
import { formatBindAddress } from '../../net/host-port.ts';
import type { BindAddress, ListenerSnapshot } from '../../core/snapshot/listener.ts';
import { BindError } from './bind-error.ts';

type TcpAddress = Extract<BindAddress, { kind: 'tcp' }>;

/**
 * @param fresh listeners to be bound
 * @param own addresses of listeners that this process has now, which may share the port of a new one
 * @param admin address that the admin API has now
 * @throws BindError for an address that another process has, or a descriptor that is no socket
 */
export async function checkAddresses(
  fresh: readonly ListenerSnapshot[],
  own: readonly BindAddress[],
  admin: BindAddress | null,
): Promise<void> {
  const ownPorts = own.map((bind) => (bind.kind === 'tcp' ? bind.port : 0));
  for (const { name, bind } of fresh) {
    if (bind.kind === 'fd') checkDescriptor(name, bind);
    else if (bind.kind === 'tcp' && bind.port !== 0 && !ownPorts.includes(bind.port))
      await bindAlone(name, bind, admin);
  }
}

/** Binds an address exclusively for a moment. Errors other than EADDRINUSE are left to the workers, which explain them. */
async function bindAlone(name: string, bind: TcpAddress, admin: BindAddress | null): Promise<void> {
  const server = createServer();
  try {
    server.listen({ port: bind.port, exclusive: true, ...(bind.host === '' ? {} : { host: bind.host }) });
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') return;
    const isAdmins = admin?.kind === 'tcp' && admin.port === bind.port;
    const owner = isAdmins ? 'the admin API has it until this reload; move that first' : 'another process has it';
    throw new BindError(name, formatBindAddress(bind), `${owner} (EADDRINUSE)`);
  } finally {
    if (server.listening) {
      server.close();
      await once(server, 'close');
    }
  }
}

function checkDescriptor(name: string, bind: Extract<BindAddress, { kind: 'fd' }>): void {
  const address = formatBindAddress(bind);
  if (typeof bind.fd === 'string') {
    throw new BindError(name, address, 'sockets are passed by name at the start only; restart to use this one');
  }
  try {
    if (!fstatSync(bind.fd).isSocket()) throw new Error('it is no socket');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new BindError(name, address, code === 'EBADF' ? 'this process has no such descriptor (EBADF)' : message);
  }
}
