// Kinds of files at paths of the configuration, without exceptions: paths may lead to directories of other users, loops of links, or names that
// are too long. Thread: main.

import { type Stats, statSync } from 'node:fs';
import { reasonOf } from './referenced-files.ts';

/** Status of the file at a path, behind links; null where none exists, or this user can't reach it. */
export function statsAt(name: string): Stats | null {
  try {
    return statSync(name);
  } catch {
    return null;
  }
}

/** The reason why a path is not that of a directory, or null; continues a sentence that begins with the directory. */
export function faultOfDirectory(name: string): string | null {
  try {
    return statSync(name).isDirectory() ? null : 'is a file';
  } catch (error) {
    return reasonOf(error);
  }
}
