// Listeners that some workers only can serve, for the log. Pure. Thread: main.

import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import { isShared } from '../../proxy/downstream/accept/listen-address.ts';

/**
 * Why a listener is not served by every worker, and the next step; null where it is.
 * @param acceptors workers that have a descriptor of its inherited sockets; null where workers bind for themselves
 */
export function unservedWords(
  { name, bind }: Pick<ListenerSnapshot, 'name' | 'bind'>,
  workers: number,
  acceptors: number | null,
): string | null {
  const serving = acceptors ?? (isShared(bind) ? workers : 1);
  if (serving >= workers) return null;
  return `listener ${name} is served by ${serving} of ${workers} workers: ${reasonOf(bind, acceptors)}`;
}

function reasonOf({ kind }: ListenerSnapshot['bind'], acceptors: number | null): string {
  const holder = 'with `fairlead run --holder` all of them serve it';
  if (acceptors !== null) return 'each needs a descriptor of its own: pass the socket once for each worker';
  if (kind === 'unix') return `a Unix socket belongs to the worker that binds it; ${holder}`;
  if (kind === 'fd') return `an inherited descriptor belongs to one worker; ${holder}`;
  return 'this platform does not spread connections over sockets of one address';
}
