// Closes the client's side of a tunnel. Thread: worker.

import type { Duplex } from 'node:stream';
import type { Timers } from '../../../core/timers.ts';

/** After one side has closed, the other side has this long to receive the remaining bytes. */
export const LINGER_MS = 2000;

/** Ends the client's side after `lastBytes`, and destroys it if it doesn't close in time. */
export function closeClient(client: Duplex, timers: Timers, lastBytes?: Buffer): void {
  client.on('error', ignore);
  if (lastBytes === undefined) client.end();
  else client.end(lastBytes);
  // Discards what the client still sends: left unread, it would turn our FIN into a reset that destroys the answer.
  client.resume();
  const timer = timers.after(LINGER_MS, () => client.destroy());
  client.once('close', () => timer.cancel());
}

function ignore(): void {}
