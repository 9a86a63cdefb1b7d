// Sockets that a configuration needs, as a generation requests them from its holder. Thread: main.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { BindAddress } from '../../core/snapshot/listener.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import { formatHostPort } from '../../net/host-port.ts';
import { BindError } from './bind-error.ts';
import { keyOfAdmin, keyOfListener, type SocketTable } from './inherited-sockets.ts';

/** Workers that may die before the generation must be replaced, if there are enough descriptors. */
const SPARES = 4;
/** Most descriptors for spares in total: a process has 1,024 by default, and clients need them. */
const MOST_SPARES = 256;

export interface SocketNeed {
  readonly key: string;
  /** For messages: the listener's name, or `admin`. */
  readonly name: string;
  /** Address; a TCP host is an IP address, or '' for all of them. */
  readonly bind: BindAddress;
  /** Number of sockets bound to the address. */
  readonly sockets: number;
  /** Number of descriptors of each socket. */
  readonly descriptors: number;
}

/**
 * The sockets of the listeners and the admin API: one per worker where the kernel spreads connections over sockets, else
 * one that workers share; and spare descriptors for workers that replace dead ones.
 * @throws BindError for a host that has no address
 */
export async function needsOf(snapshot: Snapshot, platform: string = process.platform): Promise<readonly SocketNeed[]> {
  const { workers, listeners, admin } = snapshot;
  const most = Math.max(1, Math.floor(MOST_SPARES / Math.max(1, listeners.length * workers)));
  const spares = Math.min(SPARES, most);
  const needs: SocketNeed[] = [];
  for (const { name, bind } of listeners) {
    const sockets = bind.kind === 'tcp' && platform === 'linux' ? workers : 1;
    const descriptors = Math.ceil(workers / sockets) + spares;
    needs.push({ key: keyOfListener({ name, bind }), name, bind: await numeric(name, bind), sockets, descriptors });
  }
  if (admin !== null) {
    const bind = await numeric('admin', admin.bind);
    needs.push({ key: keyOfAdmin(admin.bind), name: 'admin', bind, sockets: 1, descriptors: 1 });
  }
  return needs;
}

/** Whether a table meets the needs. It may have more: workers then take several sockets. */
export function isMet(needs: readonly SocketNeed[], table: SocketTable): boolean {
  return needs.every(({ key, sockets, descriptors, bind }) => {
    const there = table[key] ?? [];
    const isEnough = bind.kind === 'fd' ? there.length > 0 : there.length >= sockets;
    return isEnough && there.every((list) => list.length >= descriptors);
  });
}

async function numeric(name: string, bind: BindAddress): Promise<BindAddress> {
  if (bind.kind !== 'tcp' || bind.host === '' || isIP(bind.host) !== 0) return bind;
  try {
    return { ...bind, host: (await lookup(bind.host)).address };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BindError(name, formatHostPort(bind.host, bind.port), `the host has no address (${code})`);
  }
}
