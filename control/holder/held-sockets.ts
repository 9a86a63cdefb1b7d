// The sockets of a holder: bound once, never listened on here, and passed to each generation as descriptors of its own.
// While they are open, no connection that waits in their queues is lost. Thread: main.

import { bindFault } from '../../net/bind-fault.ts';
import net, { type BoundSocket } from 'node:net';
import { removeStaleSocket } from '../../net/unix-socket.ts';
import { BindError } from '../supervisor/bind-error.ts';
import type { SocketTable } from '../supervisor/inherited-sockets.ts';
import { notPassedMessage, type PassedSocket, socketsNamed } from '../supervisor/socket-table.ts';
import type { SocketNeed } from '../supervisor/socket-needs.ts';
import { FIRST_SOCKET } from './holder-messages.ts';

/** Hosts to try for '': every address, IPv6 and IPv4 where there is IPv6. */
const ANY_HOST = ['::', '0.0.0.0'] as const;

interface Held {
  readonly need: SocketNeed;
  /** `bound` is null for sockets of systemd, which stay open as long as this process. */
  readonly sockets: readonly { readonly fd: number; readonly bound: BoundSocket | null }[];
}

/** Descriptors that a generation is started with. */
export interface PassedDescriptors {
  readonly table: SocketTable;
  /** Descriptors of this process that become FIRST_SOCKET, FIRST_SOCKET + 1, ... in the generation. */
  readonly descriptors: readonly number[];
}

export class HeldSockets {
  readonly #held = new Map<string, Held>();
  readonly #passed: readonly PassedSocket[];

  /** @param passed what systemd passed to this process */
  constructor(passed: readonly PassedSocket[] = []) {
    this.#passed = passed;
  }

  /**
   * Binds the sockets that are needed and missing. Others stay.
   * @param isFirst whether no generation serves yet: each address is then bound exclusively first, because two processes
   *   of one user that bind it with SO_REUSEPORT would silently get half of the connections each
   * @throws BindError; sockets of earlier needs stay bound
   */
  async provide(needs: readonly SocketNeed[], isFirst: boolean): Promise<void> {
    for (const need of needs) {
      const there = this.#held.get(need.key)?.sockets ?? [];
      const sockets = [...there];
      try {
        if (need.bind.kind === 'fd') sockets.splice(0, sockets.length, ...this.#socketsPassed(need));
        else if (need.bind.kind === 'unix' && there.length === 0) await removeStaleSocket(need.bind.path);
        if (isFirst && there.length === 0) probe(need);
        while (need.bind.kind !== 'fd' && sockets.length < need.sockets) {
          const bound = bind(need, sockets[0]?.bound ?? null, isSpread(need));
          sockets.push({ fd: bound.fd(), bound });
        }
      } catch (error) {
        for (const { bound } of sockets.slice(there.length)) bound?.close();
        if (error instanceof BindError) throw error;
        throw new BindError(need.name, need.key, bindFault(error));
      }
      this.#held.set(need.key, { need, sockets });
    }
  }

  /** Each socket is passed as several descriptors, because a worker that closes its own must not close the others. */
  passedDescriptors(): PassedDescriptors {
    const table: Record<string, number[][]> = {};
    const descriptors: number[] = [];
    for (const [key, { need, sockets }] of this.#held) {
      table[key] = sockets.map(({ fd }) =>
        Array.from({ length: need.descriptors }, () => FIRST_SOCKET + descriptors.push(fd) - 1),
      );
    }
    return { table, descriptors };
  }

  /** Closes unused sockets: connections to an open socket without acceptor would never be served. */
  release(keys: readonly string[]): void {
    for (const key of keys) {
      for (const { bound } of this.#held.get(key)?.sockets ?? []) bound?.close();
      this.#held.delete(key);
    }
  }

  /** Closes all sockets. Those of systemd stay open: systemd closes them. */
  releaseAll(): void {
    this.release([...this.#held.keys()]);
  }

  #socketsPassed({ bind: address, name, key }: SocketNeed): Held['sockets'] {
    const fds = address.kind === 'fd' ? socketsNamed(this.#passed, address.fd).flat() : [];
    if (fds.length === 0) throw new BindError(name, key, notPassedMessage(this.#passed));
    return fds.map((fd) => ({ fd, bound: null }));
  }
}

/** Binds one more socket of an address. @param first shares its port, which the system may have chosen */
function bind({ bind: address, name, key }: SocketNeed, first: BoundSocket | null, isShared: boolean): BoundSocket {
  if (address.kind === 'unix') return bindPath(address.path);
  if (address.kind !== 'tcp') throw new BindError(name, key, "it can't be bound");
  const chosen = first?.address();
  const port = typeof chosen === 'object' && chosen.port !== undefined ? chosen.port : address.port;
  const hosts = address.host === '' ? ANY_HOST : [address.host];
  for (const [index, host] of hosts.entries()) {
    try {
      return new net.BoundSocket({ host, port, reusePort: isShared });
    } catch (error) {
      const isV6Missing = ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'].includes(
        (error as NodeJS.ErrnoException).code ?? '',
      );
      if (!isV6Missing || index === hosts.length - 1) throw error;
    }
  }
  throw new BindError(name, key, 'it has no host');
}

/** Whether the address may get more sockets: a later generation may have more workers. The admin API has exactly one. */
function isSpread({ descriptors }: SocketNeed): boolean {
  return process.platform === 'linux' && descriptors > 1;
}

/** Whether this Node can bind without listening (TCP: since 24.19). */
export function canHold(): boolean {
  return typeof net.BoundSocket === 'function';
}

function bindPath(path: string): BoundSocket {
  if (!('isPipe' in net.BoundSocket.prototype)) throw new Error("this Node can't bind Unix sockets ahead of time");
  // Missing in the types.
  return new net.BoundSocket({ path } as object);
}

/** Binds exclusively for a moment. @throws the system's error where another process has the address */
function probe(need: SocketNeed): void {
  if (need.bind.kind !== 'tcp' || need.bind.port === 0) return;
  bind(need, null, false).close();
}
