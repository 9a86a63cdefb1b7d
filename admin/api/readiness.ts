// Readiness of the process for traffic, with the reasons against it. Thread: main.

import type { AdminContext } from '../admin-context.ts';

/**
 * Reasons against readiness; none means ready. A restarting worker is no reason while another listens, since the kernel
 * distributes connections to listening workers only.
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
