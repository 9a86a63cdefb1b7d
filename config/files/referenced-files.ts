// Files that a configuration names (certificates, keys, CAs), each read once, so that what was checked is what is
// used. Thread: main.

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A certificate chain has some kilobytes; a bundle of all public CAs about 250. */
const LARGEST_BYTES = 4 * 1024 * 1024;

export type FileOutcome =
  | { readonly ok: true; readonly text: string /** Permissions, as in chmod(1). */; readonly mode: number }
  | { readonly ok: false; readonly reason: string };

/** Reads files relative to the directory of the configuration. */
export class ReferencedFiles {
  readonly #directory: string;
  readonly #outcomes = new Map<string, FileOutcome>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The text of a file as it was when it was first asked for. */
  read(name: string): FileOutcome {
    const known = this.#outcomes.get(name);
    if (known !== undefined) return known;
    const outcome = readRegularFile(path.resolve(this.#directory, name));
    this.#outcomes.set(name, outcome);
    return outcome;
  }

  /** Of all that were asked for, those that could not be read among them. */
  names(): readonly string[] {
    return [...this.#outcomes.keys()];
  }

  /** What was read, by the name in the configuration. */
  texts(): ReadonlyMap<string, string> {
    const texts = new Map<string, string>();
    for (const [name, outcome] of this.#outcomes) if (outcome.ok) texts.set(name, outcome.text);
    return texts;
  }
}

function readRegularFile(absolute: string): FileOutcome {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK the opening of a named pipe waits for a writer, for ever.
    descriptor = openSync(absolute, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(descriptor);
    if (!status.isFile()) return { ok: false, reason: 'is not a regular file' };
    if (status.size > LARGEST_BYTES) return { ok: false, reason: 'is larger than 4 MiB' };
    return { ok: true, text: readFileSync(descriptor, 'utf8'), mode: status.mode & 0o777 };
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** What the system says against opening or reading a file, as it follows the file's name in a sentence. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user';
  if (code === 'EISDIR') return 'is a directory';
  return `cannot be read (${code ?? String(error)})`;
}
