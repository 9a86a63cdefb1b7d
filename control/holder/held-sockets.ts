// The sockets that a holder keeps: bound once, never listened on here, and given to every generation by descriptors of
// its own. As long as they are open no connection is lost that waits in their queues. Thread: main.

import { statSync, unlinkSync } from 'node:fs';
import net, { type BoundSocket, connect } from 'node:net';
import { BindError } from '../supervisor/bind-error.ts';
import type { SocketTable } from '../supervisor/inherited-sockets.ts';
import { notPassedMessage, type PassedSocket, socketsNamed } from '../supervisor/socket-table.ts';
import type { SocketNeed } from '../supervisor/socket-needs.ts';
import { FIRST_SOCKET } from './holder-messages.ts';

/** Hosts that '' stands for: every address, of IPv6 and IPv4 where there is IPv6. */
const ANY_HOST = ['::', '0.0.0.0'] as const;

interface Held {
  readonly need: SocketNeed;
  /** Null for sockets of systemd, which stay open as long as this process. */
  readonly sockets: readonly { readonly fd: number; readonly bound: BoundSocket | null }[];
}

/** What a generation is started with. */
export interface SocketHandover {
  readonly table: SocketTable;
  /** The descriptors here that become FIRST_SOCKET and those that follow. */
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
   * Binds what is needed and not there yet. What is there stays, whoever needs it.
   * @param isFirst whether nobody is served yet: an address is then looked at first, because of two processes of one
   *   user that bind it with SO_REUSEPORT each would silently get half of the connections
   * @throws BindError; what was bound before it stays bound
   */
  async provide(needs: readonly SocketNeed[], isFirst: boolean): Promise<void> {
    for (const need of needs) {
      const there = this.#held.get(need.key)?.sockets ?? [];
      const sockets = [...there];
      try {
        if (need.bind.kind === 'fd') sockets.splice(0, sockets.length, ...this.#socketsPassed(need));
        else if (need.bind.kind === 'unix' && there.length === 0) await removeAbandoned(need.bind.path);
        if (isFirst && there.length === 0) probe(need);
        while (need.bind.kind !== 'fd' && sockets.length < need.sockets) {
          const bound = bind(need, sockets[0]?.bound ?? null, isSpread(need));
          sockets.push({ fd: bound.fd(), bound });
        }
      } catch (error) {
        for (const { bound } of sockets.slice(there.length)) bound?.close();
        if (error instanceof BindError) throw error;
        throw new BindError(need.name, need.key, whyOf(error as NodeJS.ErrnoException));
      }
      this.#held.set(need.key, { need, sockets });
    }
  }

  /** A descriptor is passed several times over: each copy is closed for itself, and leads to the same socket. */
  socketHandover(): SocketHandover {
    const table: Record<string, number[][]> = {};
    const descriptors: number[] = [];
    for (const [key, { need, sockets }] of this.#held) {
      table[key] = sockets.map(({ fd }) =>
        Array.from({ length: need.descriptors }, () => FIRST_SOCKET + descriptors.push(fd) - 1),
      );
    }
    return { table, descriptors };
  }

  /** Closes sockets that nobody needs: a socket that is open and that nobody accepts from would be a hole. */
  release(keys: readonly string[]): void {
    for (const key of keys) {
      for (const { bound } of this.#held.get(key)?.sockets ?? []) bound?.close();
      this.#held.delete(key);
    }
  }

  /** Those of systemd stay open: it is the one to close them. */
  releaseAll(): void {
    this.release([...this.#held.keys()]);
  }

  #socketsPassed({ bind: address, name, key }: SocketNeed): Held['sockets'] {
    const fds = address.kind === 'fd' ? socketsNamed(this.#passed, address.fd).flat() : [];
    if (fds.length === 0) throw new BindError(name, key, notPassedMessage(this.#passed));
    return fds.map((fd) => ({ fd, bound: null }));
  }
}

/** Where others are bound there already, the port is theirs: the system chose it once. */
function bind({ bind: address, name, key }: SocketNeed, first: BoundSocket | null, isShared: boolean): BoundSocket {
  if (address.kind === 'unix') return bindPath(address.path);
  if (address.kind !== 'tcp') throw new BindError(name, key, 'it is not to be bound');
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

/** A generation with more workers may need more sockets at the address. The admin API has one, which nobody may join. */
function isSpread({ descriptors }: SocketNeed): boolean {
  return process.platform === 'linux' && descriptors > 1;
}

/** Whether this Node can bind without listening: TCP since 24.19, Unix sockets since about the same time. */
export function canHold(): boolean {
  return typeof net.BoundSocket === 'function';
}

function bindPath(path: string): BoundSocket {
  if (!('isPipe' in net.BoundSocket.prototype)) throw new Error("this Node can't bind Unix sockets ahead of time");
  // The types don't know this option yet.
  return new net.BoundSocket({ path } as object);
}

/** Binds alone for a moment. @throws the system's error where somebody has the address */
function probe(need: SocketNeed): void {
  if (need.bind.kind !== 'tcp' || need.bind.port === 0) return;
  bind(need, null, false).close();
}

/** Removes the file of a Unix socket that nobody listens behind any more. Whatever else is there stays. */
async function removeAbandoned(path: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const isAbandoned = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  if (isAbandoned) unlinkSync(path);
}

function whyOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') return 'another process has it (EADDRINUSE)';
  if (error.code === 'EACCES') return 'there is no permission (EACCES); ports below 1024 need CAP_NET_BIND_SERVICE';
  return error.code ?? error.message;
}
