// Files that a configuration refers to (certificates, keys, CAs). Each is read once, so that the text that was checked is
// the text that is used. Thread: main.

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A certificate chain has a few kilobytes; a bundle of all public CAs about 250. */
const LARGEST_BYTES = 4 * 1024 * 1024;

export type FileOutcome =
  | {
      readonly ok: true;
      readonly text: string;
      readonly bytes: Buffer;
      /** Permissions, as in chmod(1). */
      readonly mode: number;
    }
  | { readonly ok: false; readonly reason: string };

/** Reads files relative to the directory of the configuration. */
export class ReferencedFiles {
  readonly #directory: string;
  readonly #outcomes = new Map<string, FileOutcome>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Content of a file at its first read. */
  read(name: string): FileOutcome {
    const known = this.#outcomes.get(name);
    if (known !== undefined) return known;
    const outcome = readRegularFile(path.resolve(this.#directory, name));
    this.#outcomes.set(name, outcome);
    return outcome;
  }

  /** Names of all files that were requested, including unreadable ones. */
  names(): readonly string[] {
    return [...this.#outcomes.keys()];
  }

  /** Texts of the files that were read, by their name in the configuration. */
  texts(): ReadonlyMap<string, string> {
    const texts = new Map<string, string>();
    for (const [name, outcome] of this.#outcomes) if (outcome.ok) texts.set(name, outcome.text);
    return texts;
  }
}

/** Reads a regular file of at most 4 MiB. */
export function readRegularFile(absolute: string): FileOutcome {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK opening a named pipe would block until a writer appears.
    descriptor = openSync(absolute, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(descriptor);
    if (!status.isFile()) return { ok: false, reason: 'is not a regular file' };
    if (status.size > LARGEST_BYTES) return { ok: false, reason: 'is larger than 4 MiB' };
    const bytes = readFileSync(descriptor);
    return { ok: true, text: bytes.toString('utf8'), bytes, mode: status.mode & 0o777 };
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The reason for a file that doesn't exist. */
export const MISSING = 'does not exist';

/** Describes an error of opening or reading a file; continues a sentence that begins with the file name. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return MISSING;
  if (code === 'EACCES' || code === 'EPERM') return 'is not readable by this user (permission denied)';
  if (code === 'EISDIR') return 'is a directory';
  if (code === 'ELOOP') return 'is a loop of symbolic links (ELOOP)';
  if (code === 'ENAMETOOLONG') return 'has too long a name (ENAMETOOLONG)';
  return `cannot be read (${code ?? String(error)})`;
}

/** Continues a message about a file: the directory that its name is relative to. */
export function placeOf(name: string, directory: string): string {
  return name.startsWith('/') ? '' : ` (relative to ${directory})`;
}
