// Files that are replaced as a whole: no reader sees half of one, and a full disk leaves the old one. Thread: main.

import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/** End of the names of files that are being written. */
export const DRAFT = '.tmp';

/** Writes a file, and the directories above it, for the owner alone. @throws Error of the file system; the old file stays */
export async function writeAtomically(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: OWNER_ONLY_FOLDER });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}${DRAFT}`;
  try {
    const handle = await open(draft, 'wx', OWNER_ONLY);
    try {
      await handle.writeFile(text);
      // Before the rename, so that a power failure leaves one of the two versions.
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw unwritable(file, error);
  }
}

/** The error of a write with the file's name, which those of the file system lack. */
export function unwritable(file: string, cause: unknown): Error {
  const { message, code } = cause as NodeJS.ErrnoException;
  return Object.assign(new Error(`${file} can't be written: ${message}`, { cause }), { code });
}

/** Text of a file; null where there is none. @throws Error where it can't be read */
export async function readIfPresent(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
