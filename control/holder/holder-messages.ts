// What a holder and its generations say to each other over their channel. Kept small: the two may be of different
// versions. Thread: main.

import type { SocketNeed } from '../supervisor/socket-needs.ts';

/** Names the sockets that a generation was given, as JSON of a SocketTable; it also says that there is a holder. */
export const SOCKETS_VARIABLE = 'FAIRLEAD_SOCKETS';

/** Descriptors of a generation begin here: 3 is the channel. */
export const FIRST_SOCKET = 4;

export const FORWARDED_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1'] as const;
/** With the one that is the holder's own business: USR2 has the next generation take over. */
export const TAKEN_SIGNALS = [...FORWARDED_SIGNALS, 'SIGUSR2'] as const;
export type ForwardedSignal = (typeof FORWARDED_SIGNALS)[number];

export type MessageToHolder =
  /** It was not given all that it needs, and ends; it is to be started again with these. */
  | { readonly kind: 'needs'; readonly needs: readonly SocketNeed[] }
  | { readonly kind: 'ready' }
  /** It could not start, and ends. */
  | { readonly kind: 'failed'; readonly message: string }
  /** It is to be replaced: somebody asked for it, or too many of its workers have died. */
  | { readonly kind: 'upgrade' }
  /** It has no use for these sockets any more. */
  | { readonly kind: 'release'; readonly keys: readonly string[] };

export type MessageToGeneration =
  /** Another generation has taken over: end when the last connection has. */
  | { readonly kind: 'retire' }
  | { readonly kind: 'signal'; readonly signal: ForwardedSignal }
  /** What the upgrade that was asked for came to. */
  | { readonly kind: 'upgraded'; readonly outcome: UpgradeOutcome };

export type UpgradeOutcome =
  | { readonly ok: true; readonly pid: number }
  | { readonly ok: false; readonly message: string };
