// Whether this process may be sent traffic, and why not. Thread: main.

import type { AdminContext } from '../admin-context.ts';

/**
 * Reasons why it may not; none means ready. A worker that is being restarted is no reason while another listens: the
 * kernel gives its connections to those that do.
 */
export function notReadyBecause(context: Pick<AdminContext, 'workers' | 'isDraining'>): readonly string[] {
  const workers = context.workers();
  const reasons: string[] = [];
  if (context.isDraining()) reasons.push('draining');
  if (!workers.some(({ state }) => state === 'listening')) reasons.push('no worker is listening');
  for (const { worker, state, restarts } of workers) {
    if (state === 'starting' && restarts === 0) reasons.push(`worker ${worker} is starting`);
  }
  return reasons;
}
