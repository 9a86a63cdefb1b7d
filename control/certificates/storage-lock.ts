// Locks of a storage that several processes share: files that exist while a lock is held, refreshed by their owner. A lock
// whose owner has died is taken over by one of those that find it. Two owners at once, after a pause of one process, cost an
// order and no more: files of the storage are replaced as a whole. Thread: main.

import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { unwritable } from './atomic-file.ts';
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
  // Before it is written: other parts of this process take a lock of an unknown nonce for one of a dead process.
  held.add(owner.nonce);
  let isOurs = false;
  try {
    isOurs = (await create(file, owner)) || (await takeOver(file, owner, timers));
  } finally {
    if (!isOurs) held.delete(owner.nonce);
  }
  return isOurs ? new HeldLock(file, owner.nonce, timers) : null;
}

/** @returns false where there is a lock */
async function create(file: string, owner: Owner): Promise<boolean> {
  try {
    await writeNew(file, owner);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** @throws Error of the file system; a file that couldn't be written whole is removed */
async function writeNew(file: string, owner: Owner): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(JSON.stringify(owner));
  } catch (error) {
    await rm(file, { force: true }).catch(() => undefined);
    throw unwritable(file, error);
  } finally {
    await handle.close();
  }
}

/** Replaces a lock whose owner is gone. @returns whether it did */
async function takeOver(file: string, owner: Owner, timers: Timers): Promise<boolean> {
  const abandoned = await readAbandoned(file);
  if (abandoned === null) return false;
  // A lock for this one owner. Of several processes that find its lock abandoned, one replaces it, and the others then find
  // the lock of the next owner: none removes a lock that it hasn't seen.
  const claim = await acquireLock(`${file}.${nameOf(abandoned)}`, timers);
  if (claim === null) return false;
  try {
    if ((await readAbandoned(file)) !== abandoned) return false;
    await replace(file, owner);
    return parsed(await readFile(file, 'utf8').catch(() => ''))?.nonce === owner.nonce;
  } finally {
    await claim.release();
  }
}

/** At no moment is there no lock, or half of one. */
async function replace(file: string, owner: Owner): Promise<void> {
  const draft = `${file}.${owner.nonce}.tmp`;
  await writeNew(draft, owner);
  await rename(draft, file).catch(async (error: unknown) => {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  });
}

/** Text of a lock whose owner is gone; null where there is another, or none any more. */
async function readAbandoned(file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  const status = text === null ? null : await stat(file).catch(() => null);
  if (text === null || status === null) return null;
  return isDead(text) || Date.now() - status.mtimeMs >= STALE_MS ? text : null;
}

/** A name for a lock: its nonce, or a digest of what isn't a lock. */
function nameOf(text: string): string {
  const nonce = parsed(text)?.nonce ?? '';
  return /^\w{1,64}$/.test(nonce) ? nonce : createHash('sha256').update(text).digest('hex').slice(0, 16);
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
  /** Wall-clock ms. */
  #refreshedMs = Date.now();

  constructor(file: string, nonce: string, timers: Timers) {
    this.#file = file;
    this.#nonce = nonce;
    this.#timers = timers;
    this.#refresh = this.#refreshLater();
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    this.#refresh.cancel();
    // One that may be taken over at any moment is left for that: removed, it could be the next owner's.
    const isFresh = Date.now() - this.#refreshedMs < STALE_MS / 2;
    if (isFresh && (await this.#isOurs())) await rm(this.#file, { force: true }).catch(() => undefined);
    held.delete(this.#nonce);
  }

  #refreshLater(): TimerHandle {
    return this.#timers.after(REFRESH_MS, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const isOurs = await this.#isOurs();
    if (this.#isReleased) return;
    if (isOurs) await this.#touch().catch(() => undefined);
    if (!this.#isReleased) this.#refresh = this.#refreshLater();
  }

  async #touch(): Promise<void> {
    const now = new Date();
    await utimes(this.#file, now, now);
    this.#refreshedMs = now.getTime();
  }

  /** False where another process has taken the lock over. */
  async #isOurs(): Promise<boolean> {
    return parsed(await readFile(this.#file, 'utf8').catch(() => ''))?.nonce === this.#nonce;
  }
}
