// Sockets that this process was given, bound already, and which worker accepts from which of them. Closing a descriptor
// that workers share would close it for all (docs/design.md 1.8), so each gets its own; a worker that dies takes its
// descriptors with it, and the next one gets others that lead to the same sockets. Thread: main.

import { closeSync } from 'node:fs';
import { formatBindAddress } from '../../net/host-port.ts';
import type { HeldDescriptors } from '../../core/messages.ts';
import type { BindAddress, ListenerSnapshot } from '../../core/snapshot/listener.ts';

/** By key, for each socket that is bound to its address: the descriptors that lead to it. */
export type SocketTable = Readonly<Record<string, readonly (readonly number[])[]>>;

/** What the admin API's socket is known by. */
export function keyOfAdmin(bind: BindAddress): string {
  return `admin ${formatBindAddress(bind)}`;
}

/** What a listener's sockets are known by: its address; where the system chooses the port, its name, too. */
export function keyOfListener({ bind, name }: Pick<ListenerSnapshot, 'bind' | 'name'>): string {
  const text = formatBindAddress(bind);
  return bind.kind === 'tcp' && bind.port === 0 ? `${text} ${name}` : text;
}

interface Socket {
  readonly free: number[];
  /** The worker that has a descriptor; several may have one each. */
  readonly taken: Map<number, number>;
}

export class InheritedSockets {
  readonly #sockets = new Map<string, Socket[]>();
  /** Keys of what main itself has taken. */
  readonly #pinned = new Set<string>();
  /** Keys that they were given under, of those that are known by another one now. */
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

  /** One descriptor for main itself; null where there is none. */
  take(key: string): number | null {
    const fd = this.#sockets.get(key)?.[0]?.free.pop();
    if (fd !== undefined) this.#pinned.add(key);
    return fd ?? null;
  }

  /**
   * Sees to it that every socket has a worker that accepts from it, and as far as there are descriptors every worker a
   * socket of every listener. A socket without one would be a hole: the kernel gives it connections all the same.
   * @param workers those that run, or are about to; where it is all the same, earlier ones come first
   * @returns what each gets besides what it has, and whether a socket is left without a worker
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

  /** A worker has ended, and its descriptors with it. */
  workerGone(worker: number): void {
    for (const { taken } of [...this.#sockets.values()].flat()) {
      for (const [fd, owner] of taken) if (owner === worker) taken.delete(fd);
    }
  }

  /** The system has chosen a listener's port: later Snapshots name it. */
  rename(from: string, to: string): void {
    const sockets = this.#sockets.get(from);
    if (sockets === undefined || from === to) return;
    this.#sockets.delete(from);
    this.#sockets.set(to, sockets);
    this.#givenAs.set(to, this.#givenAs.get(from) ?? from);
  }

  /** Lets go of the sockets of listeners that are gone, and keeps what main has taken. @returns keys of the former, as given */
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

/** What `cover` came to. */
export interface Cover {
  readonly given: ReadonlyMap<number, HeldDescriptors>;
  readonly isShort: boolean;
}

type Give = (worker: number, fd: number) => unknown;

/** Sockets that nobody accepts from go to the workers that have fewest. @returns whether each has somebody then */
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

/** Workers without a socket share one that has few. */
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
    // It was closed already, which is what is wanted.
  }
}
