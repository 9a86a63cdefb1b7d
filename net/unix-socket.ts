// Stale files of Unix sockets. Thread: both.

import { stat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/**
 * Removes the file of a socket without a listener, as a killed process leaves it. Any other file stays, so that binding
 * fails with its reason: a live socket belongs to another process, and a file that is no socket to somebody else.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const status = await stat(path).catch(() => null);
  if (status?.isSocket() === true && (await isRefused(path))) await unlink(path).catch(() => undefined);
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
