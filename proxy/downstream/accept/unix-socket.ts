// The file of a Unix socket: what a listener may do with one that is there already. Thread: worker.

import { stat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/**
 * Removes a socket's file that nobody listens behind any more, as a process leaves it that was killed. Whatever else is
 * there stays, so that binding fails and says so: a live socket is somebody's, and a file that is no socket, too.
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
