// The limit on open files, and the share of it that client connections may use: requests need descriptors for connections to
// endpoints too. Thread: both.

import { readFileSync } from 'node:fs';

/** Descriptors of the process that belong to no connection: listeners, logs, event loops. */
const OWN = 64;
const OWN_OF_A_WORKER = 12;

/**
 * The most files that this process may have open; Infinity where that isn't known. Node raises the soft limit to the hard one
 * at its start.
 */
export function openFilesLimit(): number {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The most client connections of a process: half of what it may have open beside its own files, at least a quarter of all. */
export function clientShareOf(openFiles: number, workers: number): number {
  return Math.floor(Math.max(openFiles / 4, (openFiles - OWN - OWN_OF_A_WORKER * workers) / 2));
}
