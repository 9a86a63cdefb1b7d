// Inherited sockets, which are bound already, and their assignment to workers. Closing a descriptor that workers share
// would close it for all (docs/design.md 1.8), so each worker gets its own. When a worker dies its descriptors close, and
// its successor gets others of the same sockets. Thread: main.

import { closeSync } from 'node:fs';
import { formatBindAddress } from '../../net/host-port.ts';
import type { HeldDescriptors } from '../../core/messages.ts';
import type { BindAddress, ListenerSnapshot } from '../../core/snapshot/listener.ts';

/** By key: for each socket of the address, its descriptors. */
export type SocketTable = Readonly<Record<string, readonly (readonly number[])[]>>;

/** Key of the admin API's socket. */
export function keyOfAdmin(bind: BindAddress): string {
  return `admin ${formatBindAddress(bind)}`;
}

/** Key of a listener's sockets: its address, and its name while the system is still to choose the port. */
export function keyOfListener({ bind, name }: Pick<ListenerSnapshot, 'bind' | 'name'>): string {
  const text = formatBindAddress(bind);
  return bind.kind === 'tcp' && bind.port === 0 ? `${text} ${name}` : text;
}

interface Socket {
  readonly free: number[];
  /** Worker by descriptor; several workers may have a descriptor each. */
  readonly taken: Map<number, number>;
}

export class InheritedSockets {
  readonly #sockets = new Map<string, Socket[]>();
  /** Keys of sockets that main itself uses. */
  readonly #pinned = new Set<string>();
  /** Original keys of sockets that were renamed. */
  readonly #givenAs = new Map<string, string>();
  readonly #close: (fd: number) => void;

  constructor(table: SocketTable, close: (fd: number) => void = closeQuietly) {
    this.#close = close;
    for (const [key, sockets] of Object.entries(table)) {
      this.#sockets.set(
        key,
        sockets.map((descriptors) => ({ free: [...descriptors], taken: new Map() })),
      );
    }
  }

  has(key: string): boolean {
    return this.#sockets.has(key);
  }

  /** Takes one descriptor for main itself; null where there is none. */
  take(key: string): number | null {
    const fd = this.#sockets.get(key)?.[0]?.free.pop();
    if (fd !== undefined) this.#pinned.add(key);
    return fd ?? null;
  }

  /**
   * Assigns every socket to a worker and, as far as there are descriptors, a socket of every listener to every worker. A
   * socket without acceptor would be a hole: the kernel queues connections there all the same.
   * @param workers running or starting; earlier ones are preferred
   * @returns the descriptors that each gets in addition, and whether a socket is left without a worker
   */
  cover(listeners: readonly ListenerSnapshot[], workers: readonly number[]): Cover {
    const given = new Map<number, Record<string, number[]>>(workers.map((worker) => [worker, {}]));
    let isShort = false;
    for (const listener of listeners) {
      const sockets = this.#sockets.get(keyOfListener(listener));
      if (sockets === undefined) continue;
      for (const lists of given.values()) lists[listener.name] = [];
      const give = (worker: number, fd: number): unknown => given.get(worker)![listener.name]!.push(fd);
      if (!coverSockets(sockets, workers, give)) isShort = true;
      employWorkers(sockets, workers, give);
    }
    return { given, isShort };
  }

  /** Number of workers that have a descriptor of an address; null where it isn't inherited. */
  acceptorsOf(key: string): number | null {
    const sockets = this.#sockets.get(key);
    return sockets === undefined ? null : new Set(sockets.flatMap(({ taken }) => [...taken.values()])).size;
  }

  /** A worker has exited, which closed its descriptors. */
  workerGone(worker: number): void {
    for (const { taken } of [...this.#sockets.values()].flat()) {
      for (const [fd, owner] of taken) if (owner === worker) taken.delete(fd);
    }
  }

  /** Renames the sockets of a listener whose port the system has chosen: later Snapshots name it. */
  rename(from: string, to: string): void {
    const sockets = this.#sockets.get(from);
    if (sockets === undefined || from === to) return;
    this.#sockets.delete(from);
    this.#sockets.set(to, sockets);
    this.#givenAs.set(to, this.#givenAs.get(from) ?? from);
  }

  /** Closes the sockets of removed listeners; those of main stay. @returns their original keys */
  retain(listeners: readonly ListenerSnapshot[]): readonly string[] {
    const kept = new Set([...this.#pinned, ...listeners.map(keyOfListener)]);
    const released = [...this.#sockets.keys()].filter((key) => !kept.has(key));
    for (const key of released) {
      for (const { free } of this.#sockets.get(key)!) free.forEach(this.#close);
      this.#sockets.delete(key);
    }
    return released.map((key) => this.#givenAs.get(key) ?? key);
  }
}

/** Result of `cover`. */
export interface Cover {
  readonly given: ReadonlyMap<number, HeldDescriptors>;
  readonly isShort: boolean;
}

type Give = (worker: number, fd: number) => unknown;

/** Assigns sockets without acceptor to the workers that have fewest. @returns whether all have one then */
function coverSockets(sockets: readonly Socket[], workers: readonly number[], give: Give): boolean {
  let areCovered = true;
  for (const socket of sockets) {
    if (workers.some((worker) => isTakenBy(socket, worker))) continue;
    const fd = socket.free.pop();
    const worker = leastOf(workers, (one) => sockets.filter((other) => isTakenBy(other, one)).length);
    if (fd === undefined || worker === undefined) areCovered = false;
    else {
      socket.taken.set(fd, worker);
      give(worker, fd);
    }
  }
  return areCovered;
}

/** Workers without a socket share one that has few acceptors. */
function employWorkers(sockets: readonly Socket[], workers: readonly number[], give: Give): void {
  for (const worker of workers) {
    if (sockets.some((socket) => isTakenBy(socket, worker))) continue;
    const shareable = sockets.filter(({ free }) => free.length > 0);
    const socket = leastOf(shareable, ({ taken }) => taken.size);
    if (socket === undefined) return;
    const fd = socket.free.pop()!;
    socket.taken.set(fd, worker);
    give(worker, fd);
  }
}

function isTakenBy({ taken }: Socket, worker: number): boolean {
  return [...taken.values()].includes(worker);
}

function leastOf<T>(values: readonly T[], weigh: (value: T) => number): T | undefined {
  return values.toSorted((a, b) => weigh(a) - weigh(b))[0];
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // Closed already.
  }
}
