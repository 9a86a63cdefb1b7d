// Watches files for changed content: writes in place, editors that rename a new file over the old one, and Kubernetes,
// which switches a symbolic link to another directory. File system events only trigger a comparison of contents.
// Thread: main.

import { hash } from 'node:crypto';
import { type FSWatcher, readFileSync, realpathSync, watch } from 'node:fs';
import path from 'node:path';
import type { Random } from '../../core/random.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import { filesMatching } from '../include/include-pattern.ts';
import { statsAt } from './path-kind.ts';

/** Debounce: files are compared this long after the last event, because writers write in pieces. */
const QUIET_MS = 100;
/** Upper bound of the debounce while events keep arriving. */
const LONGEST_WAIT_MS = 1_000;
/** Polling interval: some file systems (NFS, FUSE) emit no events, and a directory may be created later. */
const POLL_MS = 5_000;

export interface FileWatchParts {
  readonly timers: Timers;
  readonly nowMs: () => number;
  /** Spreads the polls of many watches over the interval, for those that begin together. */
  readonly random?: Random;
  /**
   * Called when the content of any watched file has changed. Not called again until its promise settles, and then
   * immediately if the content has changed meanwhile. Must not reject.
   */
  readonly onChange: () => Promise<void>;
  /** Whether a file that can no longer be read has changed; default: it counts as unchanged. */
  readonly isMissingAChange?: boolean;
}

/** Instead of the digest of a file that can't be read. */
const MISSING = 'missing';

interface Folder {
  readonly watcher: FSWatcher;
  readonly inode: number;
}

export class FileWatch {
  readonly #parts: FileWatchParts;
  #first: string | null = null;
  #files: readonly string[] = [];
  #patterns: readonly string[] = [];
  /** Last digest of each file; a file that disappears keeps its digest. */
  readonly #digests = new Map<string, string>();
  readonly #folders = new Map<string, Folder>();
  #debounce: TimerHandle | null = null;
  #poll: TimerHandle | null = null;
  /** Time of the first event since the last comparison. */
  #eventMs: number | null = null;
  #isNotifying = false;
  /** A comparison was due while `onChange` ran. */
  #isOverdue = false;
  #isStopped = false;

  constructor(parts: FileWatchParts) {
    this.#parts = parts;
  }

  /**
   * Replaces the set of watched files. The current content of newly watched files counts as known.
   * @param first while this file is missing, no change is reported: its replacement isn't complete; null for none
   * @param files absolute paths, without `first`
   * @param patterns absolute paths with wildcards: another set of matching files is a change
   */
  watch(first: string | null, files: readonly string[], patterns: readonly string[] = []): void {
    this.#first = first;
    this.#files = [...new Set(first === null ? files : [first, ...files])];
    this.#patterns = patterns;
    const watched = new Set([...this.#files, ...patterns]);
    for (const file of watched) if (!this.#digests.has(file)) this.#hasChanged(file);
    for (const file of this.#digests.keys()) if (!watched.has(file)) this.#digests.delete(file);
    this.#watchFolders();
    const { timers, random } = this.#parts;
    this.#poll ??= timers.after(POLL_MS * (random?.next() ?? 1), () => this.#onPoll());
  }

  stop(): void {
    this.#isStopped = true;
    this.#debounce?.cancel();
    this.#poll?.cancel();
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #onPoll(): void {
    this.#poll = this.#parts.timers.after(POLL_MS, () => this.#onPoll());
    if (this.#debounce === null) this.#compare();
  }

  #onEvent(): void {
    if (this.#isStopped) return;
    const nowMs = this.#parts.nowMs();
    this.#eventMs ??= nowMs;
    this.#debounce?.cancel();
    const waitMs = Math.min(QUIET_MS, Math.max(0, this.#eventMs + LONGEST_WAIT_MS - nowMs));
    this.#debounce = this.#parts.timers.after(waitMs, () => this.#compare());
  }

  #compare(): void {
    this.#debounce = null;
    this.#eventMs = null;
    this.#isOverdue = this.#isNotifying;
    if (this.#isNotifying || this.#isStopped) return;
    this.#watchFolders();
    const first = this.#first === null ? null : digestOf(this.#first);
    if (this.#first !== null && first === null) return;
    // Compares every file, so that simultaneous changes cause one notification.
    const changed = [...this.#files, ...this.#patterns].filter((file) =>
      file === this.#first ? this.#isNew(file, first) : this.#hasChanged(file),
    );
    if (changed.length > 0) void this.#notify();
  }

  async #notify(): Promise<void> {
    this.#isNotifying = true;
    await this.#parts.onChange();
    this.#isNotifying = false;
    if (this.#isOverdue) this.#compare();
  }

  /** Updates the digest of a file or pattern and returns whether it changed. */
  #hasChanged(file: string): boolean {
    return this.#isNew(file, this.#patterns.includes(file) ? listingOf(file) : digestOf(file));
  }

  /** @param found null where the file or folder can't be read */
  #isNew(file: string, found: string | null): boolean {
    const digest = found ?? (this.#parts.isMissingAChange === true ? MISSING : null);
    if (digest === null || digest === this.#digests.get(file)) return false;
    this.#digests.set(file, digest);
    return true;
  }

  /** Watches the directory of each path and of its link target; replaced directories are watched again. */
  #watchFolders(): void {
    const wanted = new Set([...this.#files.flatMap(foldersOf), ...this.#patterns.map((one) => path.dirname(one))]);
    for (const [folder, { watcher, inode }] of this.#folders) {
      if (wanted.has(folder) && inodeOf(folder) === inode) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) if (!this.#folders.has(folder)) this.#watchFolder(folder);
  }

  /** Starts a watcher; a directory that can't be watched is covered by polling. */
  #watchFolder(folder: string): void {
    try {
      const inode = inodeOf(folder);
      const watcher = watch(folder, { persistent: false }, () => this.#onEvent());
      watcher.on('error', () => {
        watcher.close();
        this.#folders.delete(folder);
      });
      this.#folders.set(folder, { watcher, inode });
    } catch {
      return;
    }
  }
}

function foldersOf(file: string): string[] {
  const named = path.dirname(file);
  try {
    return [named, path.dirname(realpathSync.native(file))];
  } catch {
    return [named];
  }
}

/** Inode of a directory, 0 if it doesn't exist or can't be reached. */
function inodeOf(folder: string): number {
  return statsAt(folder)?.ino ?? 0;
}

/** The files that match a pattern, null if its folder can't be read. */
function listingOf(pattern: string): string | null {
  try {
    return filesMatching(pattern).join('\n');
  } catch {
    return null;
  }
}

/** Digest of a file's content, null if it can't be read. */
function digestOf(file: string): string | null {
  try {
    // Reading a pipe would block.
    if (statsAt(file)?.isFile() !== true) return null;
    return hash('sha256', readFileSync(file));
  } catch {
    return null;
  }
}
