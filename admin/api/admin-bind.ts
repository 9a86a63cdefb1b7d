// Permitted addresses of the admin API, and binding. Thread: main.

import { bindFault } from '../../net/bind-fault.ts';
import fs from 'node:fs';
import type { Server } from 'node:http';
import type { ListenOptions } from 'node:net';
import type { BindAddress } from '../../core/snapshot/listener.ts';
import { formatBindAddress, isLoopback } from '../../net/host-port.ts';
import { removeStaleSocket } from '../../net/unix-socket.ts';

/** The admin API cannot be bound; the message names address and cause. */
export class AdminBindError extends Error {
  override readonly name = 'AdminBindError';
}

/** Owner and group may connect: access to a Unix socket is controlled by its permissions. */
const SOCKET_MODE = 0o660;

/**
 * Refuses what others could reach unless they need a token or a certificate: whoever reaches the admin API may change
 * this process. @throws AdminBindError
 */
export function refuseRemoteBind(bind: BindAddress, isProtected: boolean): void {
  if (!isProtected && bind.kind === 'tcp' && !isLoopback(bind.host)) throw remoteError(bind);
}

function remoteError(bind: BindAddress): AdminBindError {
  const where = formatBindAddress(bind);
  const advice = 'set admin.token or admin.tls.clientCa, or bind it to 127.0.0.1, [::1] or unix:/path';
  return new AdminBindError(`the admin API is not bound to ${where}: other machines could change this one; ${advice}`);
}

export interface BindOptions {
  /** Descriptor of a socket that is bound there already. */
  readonly fd?: number | undefined;
  /** Whether clients need a token or a certificate. */
  readonly isProtected: boolean;
}

/** Binds a server. @throws AdminBindError for an address that others can reach, that is taken, or can't be had */
export async function bindServer(server: Server, bind: BindAddress, { fd, isProtected }: BindOptions): Promise<void> {
  refuseRemoteBind(bind, isProtected);
  try {
    if (fd === undefined && bind.kind === 'unix') await removeStaleSocket(bind.path);
    await listen(server, fd === undefined ? listenOptions(bind) : { fd });
  } catch (error) {
    throw new AdminBindError(`the admin API can't be bound to ${formatBindAddress(bind)}: ${bindFault(error)}`);
  }
  const address = server.address();
  if (bind.kind === 'unix') fs.chmodSync(bind.path, SOCKET_MODE);
  if (!isProtected && address !== null && typeof address === 'object' && !isLoopback(address.address)) {
    server.close();
    throw remoteError(bind);
  }
}

function listen(server: Server, options: ListenOptions & { fd?: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function listenOptions(bind: BindAddress): ListenOptions & { fd?: number } {
  if (bind.kind === 'tcp') return { host: bind.host, port: bind.port };
  if (bind.kind === 'unix') return { path: bind.path };
  // A name is looked up by main, which hands the descriptor over. No socket has this one.
  return { fd: typeof bind.fd === 'number' ? bind.fd : -1 };
}
