// Watches files for other content: through writes in place, editors that rename another file over them, and Kubernetes,
// which turns a symbolic link to another folder. Looks at contents, never at what the system says has happened: that only
// says when to look. Thread: main.

import { createHash } from 'node:crypto';
import { type FSWatcher, readFileSync, realpathSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import type { TimerHandle, Timers } from '../../core/timers.ts';

/** Writers write in pieces: quiet for so long, and it is looked at. */
const QUIET_MS = 100;
/** Whoever never stops writing is looked at so often all the same. */
const LONGEST_WAIT_MS = 1_000;
/** Looked at without being told: some file systems (NFS, FUSE) tell nothing, and a folder may come later. */
const LOOK_EVERY_MS = 5_000;

export interface FileWatchParts {
  readonly timers: Timers;
  readonly nowMs: () => number;
  /**
   * What is watched has other content. Called again only when it has ended, and then at once where the content has
   * changed meanwhile. Must not fail.
   */
  readonly onChange: () => Promise<void>;
}

interface Folder {
  readonly watcher: FSWatcher;
  readonly inode: number;
}

export class FileWatch {
  readonly #parts: FileWatchParts;
  #first = '';
  #files: readonly string[] = [];
  /** Of each file as it was seen last; one that is missing keeps what it had. */
  readonly #digests = new Map<string, string>();
  readonly #folders = new Map<string, Folder>();
  #soon: TimerHandle | null = null;
  #later: TimerHandle | null = null;
  /** When the first event came that was not looked at yet. */
  #eventMs: number | null = null;
  #isTelling = false;
  #isStopped = false;

  constructor(parts: FileWatchParts) {
    this.#parts = parts;
  }

  /**
   * Watches these from now on. Files that were not watched before count as seen.
   * @param first while this one is missing, nothing is told: whoever replaces it isn't done
   * @param files absolute paths, `first` not among them
   */
  watch(first: string, files: readonly string[]): void {
    this.#first = first;
    this.#files = [...new Set([first, ...files])];
    for (const file of this.#files) if (!this.#digests.has(file)) this.#hasChanged(file);
    for (const file of this.#digests.keys()) if (!this.#files.includes(file)) this.#digests.delete(file);
    this.#watchFolders();
    this.#later ??= this.#parts.timers.after(LOOK_EVERY_MS, () => this.#lookUnasked());
  }

  stop(): void {
    this.#isStopped = true;
    this.#soon?.cancel();
    this.#later?.cancel();
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #lookUnasked(): void {
    this.#later = this.#parts.timers.after(LOOK_EVERY_MS, () => this.#lookUnasked());
    if (this.#soon === null) this.#look();
  }

  #onEvent(): void {
    if (this.#isStopped) return;
    const nowMs = this.#parts.nowMs();
    this.#eventMs ??= nowMs;
    this.#soon?.cancel();
    const waitMs = Math.min(QUIET_MS, Math.max(0, this.#eventMs + LONGEST_WAIT_MS - nowMs));
    this.#soon = this.#parts.timers.after(waitMs, () => this.#look());
  }

  #look(): void {
    this.#soon = null;
    this.#eventMs = null;
    if (this.#isTelling || this.#isStopped) return;
    this.#watchFolders();
    if (digestOf(this.#first) === null) return;
    // Every one is looked at, so that two that changed at once are told of once.
    const changed = this.#files.filter((file) => this.#hasChanged(file));
    if (changed.length > 0) void this.#tell();
  }

  async #tell(): Promise<void> {
    this.#isTelling = true;
    await this.#parts.onChange();
    this.#isTelling = false;
    this.#look();
  }

  /** Notes what a file has. One that is missing has not changed. */
  #hasChanged(file: string): boolean {
    const digest = digestOf(file);
    if (digest === null || digest === this.#digests.get(file)) return false;
    this.#digests.set(file, digest);
    return true;
  }

  /** Watches the folder of each name, and the one that it leads to; folders that are others by now are watched anew. */
  #watchFolders(): void {
    const wanted = new Set(this.#files.flatMap(foldersOf));
    for (const [folder, { watcher, inode }] of this.#folders) {
      if (wanted.has(folder) && inodeOf(folder) === inode) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) if (!this.#folders.has(folder)) this.#watchFolder(folder);
  }

  /** One that can't be watched is looked at now and then. */
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
    return [named, path.dirname(realpathSync(file))];
  } catch {
    return [named];
  }
}

/** 0 where there is none. */
function inodeOf(folder: string): number {
  return statSync(folder, { throwIfNoEntry: false })?.ino ?? 0;
}

/** Null where it can't be read. */
function digestOf(file: string): string | null {
  try {
    // A pipe would be waited for.
    if (!statSync(file).isFile()) return null;
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return null;
  }
}
