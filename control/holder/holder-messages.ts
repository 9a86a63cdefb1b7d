// Messages between a holder and its generations. Kept small: the two may be of different versions. Thread: main.

import type { SocketNeed } from '../supervisor/socket-needs.ts';

/** Environment variable with the sockets of a generation, as JSON of a SocketTable. Its presence means: there is a holder. */
export const SOCKETS_VARIABLE = 'FAIRLEAD_SOCKETS';

/** First descriptor of a generation's sockets: 3 is the channel. */
export const FIRST_SOCKET = 4;

export const FORWARDED_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1'] as const;
/** With the holder's own signal: USR2 upgrades. */
export const TAKEN_SIGNALS = [...FORWARDED_SIGNALS, 'SIGUSR2'] as const;
export type ForwardedSignal = (typeof FORWARDED_SIGNALS)[number];

export type MessageToHolder =
  /** The generation lacks sockets and exits; the holder starts it again with these. */
  | { readonly kind: 'needs'; readonly needs: readonly SocketNeed[] }
  | { readonly kind: 'ready' }
  /** The generation failed to start, and exits. */
  | { readonly kind: 'failed'; readonly message: string }
  /** The generation requests to be replaced: by an operator, or because too many of its workers have died. */
  | { readonly kind: 'upgrade' }
  /** The generation no longer uses these sockets. */
  | { readonly kind: 'release'; readonly keys: readonly string[] };

export type MessageToGeneration =
  /** The next generation serves: drain and exit. */
  | { readonly kind: 'retire' }
  | { readonly kind: 'signal'; readonly signal: ForwardedSignal }
  /** The outcome of a requested upgrade. */
  | { readonly kind: 'upgraded'; readonly outcome: UpgradeOutcome };

export type UpgradeOutcome =
  | { readonly ok: true; readonly pid: number }
  | { readonly ok: false; readonly message: string };
