// What can go wrong with an attempt, and what follows from it: one table for outlier detection, retries and
// budgets alike (docs/algorithms.md 3.3). Thread: both.

/** Whose fault a failure is. */
export type Side = 'client' | 'endpoint' | 'internal';

/** What a signal does to an endpoint's count of consecutive failures. */
export type ConsecutiveEffect = 'add' | 'reset' | 'keep';

/** One row of the table. */
export interface SignalClass {
  readonly consecutive: ConsecutiveEffect;
  /** How the window of outlier detection counts it. */
  readonly window: 'ok' | 'fail' | 'ignore';
  /** Marks the endpoint suspect at once (docs/design.md 4). */
  readonly marksSuspect: boolean;
}

/** Signal classes of an attempt's end. */
export const SIGNALS = {
  connect: { consecutive: 'add', window: 'fail', marksSuspect: true },
  resetBefore: { consecutive: 'add', window: 'fail', marksSuspect: true },
  staleConnection: { consecutive: 'keep', window: 'ignore', marksSuspect: true },
  timeout: { consecutive: 'add', window: 'fail', marksSuspect: true },
  gateway: { consecutive: 'add', window: 'fail', marksSuspect: true },
  protocol: { consecutive: 'add', window: 'fail', marksSuspect: true },
  server: { consecutive: 'keep', window: 'fail', marksSuspect: false },
  overload: { consecutive: 'keep', window: 'fail', marksSuspect: false },
  resetBody: { consecutive: 'add', window: 'fail', marksSuspect: true },
  client: { consecutive: 'keep', window: 'ignore', marksSuspect: false },
  ok: { consecutive: 'reset', window: 'ok', marksSuspect: false },
} as const satisfies Record<string, SignalClass>;
export type Signal = keyof typeof SIGNALS;

/** The class of a response's status. `retryAfter`: whether the response carries that field. */
export function signalOfStatus(status: number, hasRetryAfter: boolean): Signal {
  if (status < 500) return status === 429 ? 'overload' : 'ok';
  if (status === 503 && hasRetryAfter) return 'overload';
  if (status === 502 || status === 503 || status === 504) return 'gateway';
  if (status === 501 || status === 505) return 'ok';
  return 'server';
}

/** Kinds of failure of an attempt. `sent` of the failure says whether a byte of the request had left. */
export const FAILURE_KINDS = [
  'connect-refused',
  'connect-timeout',
  'connect-failed',
  'tls-failed',
  'stale-connection',
  'reset',
  'response-timeout',
  'try-timeout',
  'idle-timeout',
  'malformed-response',
  'head-too-large',
  'truncated',
  'unsendable-request',
  'cancelled',
  'internal',
] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** Why an attempt failed. Plain data: made once a failure, never on the way of a good exchange. */
export interface Failure {
  readonly side: Side;
  readonly kind: FailureKind;
  readonly signal: Signal;
  /** Whether a byte of the request may have reached the endpoint. False proves that none did. */
  readonly wasSent: boolean;
  /** The error underneath, for the log; its message never reaches a client. */
  readonly cause: Error | null;
}

const SIGNAL_OF_KIND: Readonly<Record<FailureKind, Signal>> = {
  'connect-refused': 'connect',
  'connect-timeout': 'connect',
  'connect-failed': 'connect',
  'tls-failed': 'connect',
  'stale-connection': 'staleConnection',
  reset: 'resetBefore',
  'response-timeout': 'timeout',
  'try-timeout': 'timeout',
  'idle-timeout': 'resetBody',
  'malformed-response': 'protocol',
  'head-too-large': 'protocol',
  truncated: 'resetBody',
  'unsendable-request': 'client',
  cancelled: 'client',
  internal: 'client',
};

const CLIENT_KINDS: ReadonlySet<FailureKind> = new Set(['unsendable-request', 'cancelled']);

/** Makes a failure of `kind`. */
export function failureOf(kind: FailureKind, wasSent: boolean, cause: Error | null = null): Failure {
  const side = kind === 'internal' ? 'internal' : CLIENT_KINDS.has(kind) ? 'client' : 'endpoint';
  return { side, kind, signal: SIGNAL_OF_KIND[kind], wasSent, cause };
}
