// Addresses to listen on: sharing by workers, and errors. Thread: both.

import type { BindAddress } from '../../../core/snapshot/listener.ts';
import { formatBindAddress } from '../../../net/host-port.ts';

/** Platforms whose kernel spreads connections over sockets that are bound to one address (SO_REUSEPORT). */
const SPREADING_PLATFORMS: readonly string[] = ['linux', 'freebsd', 'dragonfly', 'sunos', 'aix'];

/**
 * Whether each worker binds the address for itself. The path of a Unix socket has one owner, and a descriptor that several
 * workers close would be closed for all: those belong to the first worker, as does everything without SO_REUSEPORT.
 */
export function isShared(bind: BindAddress, platform: string = process.platform): boolean {
  return bind.kind === 'tcp' && SPREADING_PLATFORMS.includes(platform);
}

/** A listener could not be bound. Its message names the address, the cause and the next step. */
export class ListenError extends Error {
  readonly listener: string;
  readonly address: string;

  constructor(listener: string, bind: BindAddress, cause: NodeJS.ErrnoException) {
    const address = formatBindAddress(bind);
    super(`${whyOf(bind, address, cause)} (${cause.code ?? cause.message})`, { cause });
    this.name = 'ListenError';
    this.listener = listener;
    this.address = address;
  }
}

const PRIVILEGED_PORTS_END = 1024;

function whyOf(bind: BindAddress, address: string, cause: NodeJS.ErrnoException): string {
  switch (cause.code) {
    case 'EADDRINUSE':
      return `something else listens on ${address}`;
    case 'EACCES':
      return `there is no permission to listen on ${address}${permissionHint(bind)}`;
    case 'EADDRNOTAVAIL':
      return `this machine has no address ${address}`;
    case 'ENOTFOUND':
      return `the host of ${address} has no address`;
    default:
      return `listening on ${address} failed`;
  }
}

function permissionHint(bind: BindAddress): string {
  if (bind.kind === 'unix') return '; its directory must be writable';
  if (bind.kind === 'tcp' && bind.port < PRIVILEGED_PORTS_END) {
    return `; ports below ${PRIVILEGED_PORTS_END} need CAP_NET_BIND_SERVICE, or a lower net.ipv4.ip_unprivileged_port_start`;
  }
  return '';
}
