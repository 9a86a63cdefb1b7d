// Open files of a root, bounded in number, and the check that each of them is inside: symbolic links may not leave the root.
// Thread: worker.

import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const open = promisify(fs.open);
const readlink = promisify(fs.readlink);
const realpath = promisify(fs.realpath);
const stat = promisify(fs.stat);
const fstat = (descriptor: number): Promise<fs.BigIntStats> =>
  new Promise((resolve, reject) => {
    fs.fstat(descriptor, { bigint: true }, (error, stats) => (error === null ? resolve(stats) : reject(error)));
  });

/** A FIFO would block its reader until somebody writes; a directory opens, and is recognised afterwards. */
const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;

/** Reasons for which a path has no file to send. */
export type FileRefusal = 'missing' | 'directory' | 'forbidden' | 'busy' | 'failed';

/** Open files of one worker. */
export class OpenFiles {
  readonly #most: number;
  #open = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get count(): number {
    return this.#open;
  }

  /** Opens a regular file below `root`. */
  async open(root: FileRoot, relative: string): Promise<OpenFile | FileRefusal> {
    if (this.#open >= this.#most) return 'busy';
    this.#open++;
    let descriptor = -1;
    try {
      descriptor = await open(path.join(root.path, relative), FLAGS);
      const stats = await fstat(descriptor);
      const refusal = stats.isDirectory() ? 'directory' : !stats.isFile() ? 'forbidden' : null;
      if (refusal === null && (await root.contains(descriptor, relative))) {
        return new OpenFile(descriptor, stats, () => this.#open--);
      }
      this.#close(descriptor);
      return refusal ?? 'forbidden';
    } catch (error) {
      this.#close(descriptor);
      return refusalOf((error as NodeJS.ErrnoException).code ?? '');
    }
  }

  #close(descriptor: number): void {
    this.#open--;
    if (descriptor >= 0) fs.close(descriptor, ignored);
  }
}

/** A regular file, as it was when it was opened. */
export class OpenFile {
  readonly descriptor: number;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
  /** Changes with each change of the file: time of the change in ns, and size. */
  readonly version: string;
  readonly #closed: () => void;
  #isOpen = true;

  constructor(descriptor: number, { size, mtimeNs, mtimeMs }: fs.BigIntStats, closed: () => void) {
    this.descriptor = descriptor;
    this.sizeBytes = Number(size);
    this.modifiedMs = Number(mtimeMs);
    this.version = `${mtimeNs.toString(36)}-${size.toString(36)}`;
    this.#closed = closed;
  }

  /** Not while a read is in progress: the descriptor could be another file's by then. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    fs.close(this.descriptor, ignored);
    this.#closed();
  }
}

/** The directory of a file route. It may be, or become, a symbolic link: releases are often switched so. */
export class FileRoot {
  readonly path: string;
  #real = '';

  constructor(root: string) {
    this.path = root;
  }

  /** Whether the open file is inside. Looks at the descriptor, because a path may lead elsewhere by now. */
  async contains(descriptor: number, relative: string): Promise<boolean> {
    const real = await realPathOf(descriptor, path.join(this.path, relative));
    if (this.#real !== '' && isInside(real, this.#real)) return true;
    this.#real = await realpath(this.path);
    return isInside(real, this.#real);
  }
}

async function realPathOf(descriptor: number, given: string): Promise<string> {
  if (process.platform === 'linux') return readlink(`/proc/self/fd/${descriptor}`);
  const real = await realpath(given);
  const [opened, named] = [await fstat(descriptor), await stat(real, { bigint: true })];
  return opened.ino === named.ino && opened.dev === named.dev ? real : '';
}

function isInside(real: string, root: string): boolean {
  return root === '/' || real.startsWith(`${root}/`);
}

function refusalOf(code: string): FileRefusal {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
    case 'ELOOP':
    case 'ENXIO':
      return 'missing';
    case 'EACCES':
    case 'EPERM':
      return 'forbidden';
    case 'EMFILE':
    case 'ENFILE':
      return 'busy';
    default:
      return 'failed';
  }
}

function ignored(): void {
  // Nothing was written: an error of close has no consequence.
}
