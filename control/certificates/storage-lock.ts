// Locks of a storage that several processes share: files that exist while a lock is held, refreshed by their owner. A lock
// whose owner has died is taken over. Two owners at once, after a pause of one process, cost an order and no more: files of
// the storage are replaced as a whole. Thread: main.

import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import type { TimerHandle, Timers } from '../../core/timers.ts';

/** Age at which a lock counts as left behind. */
const STALE_MS = 60_000;
const REFRESH_MS = 15_000;

interface Owner {
  readonly host: string;
  readonly pid: number;
  readonly nonce: string;
}

export interface StorageLock {
  release(): Promise<void>;
}

/** Where process ids have a meaning: the host, and the PID namespace of a container. */
const HOST = `${hostname()} ${pidNamespace()}`;

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Nonces of the locks that this process holds. */
const held = new Set<string>();

/**
 * Acquires a lock, or returns null where another process, or another part of this one, holds it.
 * @throws Error of the file system
 */
export async function acquireLock(file: string, timers: Timers): Promise<StorageLock | null> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const owner: Owner = { host: HOST, pid: process.pid, nonce: randomBytes(8).toString('hex') };
  if (!(await create(file, owner))) {
    if (!(await removeStale(file)) || !(await create(file, owner))) return null;
  }
  held.add(owner.nonce);
  return new HeldLock(file, owner.nonce, timers);
}

async function create(file: string, owner: Owner): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(JSON.stringify(owner));
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock whose owner is gone. Returns whether it did. */
async function removeStale(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch(() => null);
  // Released meanwhile.
  if (text === null) return true;
  const status = await stat(file).catch(() => null);
  if (status === null) return true;
  if (!isDead(text) && Date.now() - status.mtimeMs < STALE_MS) return false;
  // Renamed first: of several processes that find the lock stale, one gets it, and none removes the next owner's.
  const aside = `${file}.${randomBytes(4).toString('hex')}.stale`;
  try {
    await rename(file, aside);
  } catch {
    return false;
  }
  await rm(aside, { force: true });
  return true;
}

/** Whether the owner can't be alive; false where that isn't known. */
function isDead(text: string): boolean {
  const owner = parsed(text);
  if (owner === null || owner.host !== HOST) return false;
  if (owner.pid === process.pid) return !held.has(owner.nonce);
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function parsed(text: string): Owner | null {
  try {
    const { host, pid, nonce } = JSON.parse(text) as Partial<Owner>;
    return typeof host === 'string' && typeof pid === 'number' && typeof nonce === 'string'
      ? { host, pid, nonce }
      : null;
  } catch {
    return null;
  }
}

class HeldLock implements StorageLock {
  readonly #file: string;
  readonly #nonce: string;
  readonly #timers: Timers;
  #refresh: TimerHandle;
  #isReleased = false;

  constructor(file: string, nonce: string, timers: Timers) {
    this.#file = file;
    this.#nonce = nonce;
    this.#timers = timers;
    this.#refresh = this.#refreshLater();
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    this.#refresh.cancel();
    // Another process may have taken the lock over.
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    if (parsed(text)?.nonce === this.#nonce) await rm(this.#file, { force: true }).catch(() => undefined);
    held.delete(this.#nonce);
  }

  #refreshLater(): TimerHandle {
    return this.#timers.after(REFRESH_MS, () => {
      if (this.#isReleased) return;
      const now = new Date();
      void utimes(this.#file, now, now).catch(() => undefined);
      this.#refresh = this.#refreshLater();
    });
  }
}
