// Which sockets a configuration needs, as a generation asks its holder for them. Thread: main.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { BindAddress } from '../../core/snapshot/listener.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import { formatHostPort } from '../../net/host-port.ts';
import { BindError } from './bind-error.ts';
import { keyOfAdmin, keyOfListener, type SocketTable } from './inherited-sockets.ts';

/** Workers that may die in one generation before it must be replaced, where descriptors are few enough. */
const SPARES = 4;
/** Descriptors that spares may take in all: a process has 1,024 by default, and clients need them. */
const MOST_SPARES = 256;

export interface SocketNeed {
  readonly key: string;
  /** For messages: the listener's name, or `admin`. */
  readonly name: string;
  /** Where; a TCP host is an IP address, or '' for all of them. */
  readonly bind: BindAddress;
  /** How many sockets are bound there. */
  readonly sockets: number;
  /** How many descriptors lead to each. */
  readonly descriptors: number;
}

/**
 * What listeners and the admin API of a Snapshot need: where the kernel spreads connections over sockets one for each
 * worker, else one that they share; and spare descriptors for workers that replace dead ones.
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

/** Whether a table has all that is needed. More does no harm: workers take several sockets then. */
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
