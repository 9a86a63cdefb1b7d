// Failures of an attempt and their consequences: one table for outlier detection, retries and
// budgets alike (docs/algorithms.md 3.3). Thread: both.

/** The side that caused a failure. */
export type Side = 'client' | 'endpoint' | 'internal';

/** Effect of a signal on an endpoint's count of consecutive failures. */
export type ConsecutiveEffect = 'add' | 'reset' | 'keep';

/** One row of the signal table. */
export interface SignalClass {
  readonly consecutive: ConsecutiveEffect;
  /** How the outlier detection window counts it. */
  readonly window: 'ok' | 'fail' | 'ignore';
  /** Whether it marks the endpoint suspect immediately (docs/design.md 4). */
  readonly marksSuspect: boolean;
}

/** Signals that the end of an attempt can give about its endpoint. */
export const SIGNALS = {
  connect: { consecutive: 'add', window: 'fail', marksSuspect: true },
  resetBefore: { consecutive: 'add', window: 'fail', marksSuspect: true },
  staleConnection: { consecutive: 'keep', window: 'ignore', marksSuspect: false },
  /** HTTP/2: the endpoint did not process the request, which it says when it restarts or has too many streams. */
  refusedStream: { consecutive: 'keep', window: 'ignore', marksSuspect: false },
  timeout: { consecutive: 'add', window: 'fail', marksSuspect: true },
  /** Requests are overdue, and none has failed: a reason to check, not to judge. */
  slow: { consecutive: 'keep', window: 'ignore', marksSuspect: true },
  /** No response in time, while the endpoint answers other requests. */
  slowUrl: { consecutive: 'keep', window: 'ignore', marksSuspect: false },
  /** The attempt failed before the client had sent the whole request. */
  unfinished: { consecutive: 'keep', window: 'ignore', marksSuspect: false },
  gateway: { consecutive: 'add', window: 'fail', marksSuspect: true },
  protocol: { consecutive: 'add', window: 'fail', marksSuspect: true },
  server: { consecutive: 'keep', window: 'fail', marksSuspect: false },
  overload: { consecutive: 'keep', window: 'fail', marksSuspect: false },
  resetBody: { consecutive: 'add', window: 'fail', marksSuspect: true },
  client: { consecutive: 'keep', window: 'ignore', marksSuspect: false },
  ok: { consecutive: 'reset', window: 'ok', marksSuspect: false },
} as const satisfies Record<string, SignalClass>;
export type Signal = keyof typeof SIGNALS;

/** The signal of a response status. @param hasRetryAfter whether the response has a Retry-After field */
export function signalOfStatus(status: number, hasRetryAfter: boolean): Signal {
  if (status < 500) return status === 429 ? 'overload' : 'ok';
  if (status === 503 && hasRetryAfter) return 'overload';
  if (status === 502 || status === 503 || status === 504) return 'gateway';
  if (status === 501 || status === 505) return 'ok';
  return 'server';
}

/** Kinds of attempt failure. `Failure.wasSent` records whether any byte of the request was sent. */
export const FAILURE_KINDS = [
  'connect-refused',
  'connect-timeout',
  'connect-failed',
  'tls-failed',
  'stale-connection',
  'refused-stream',
  'reset',
  'response-timeout',
  'try-timeout',
  'idle-timeout',
  'malformed-response',
  'head-too-large',
  'truncated',
  'unsendable-request',
  'upgrade-unsupported',
  'cancelled',
  'internal',
] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** Why an attempt failed. Plain data, allocated only on failure. */
export interface Failure {
  readonly side: Side;
  readonly kind: FailureKind;
  readonly signal: Signal;
  /** Whether any byte of the request may have reached the endpoint. False proves that none did. */
  readonly wasSent: boolean;
  /** Whether the endpoint fails every attempt of the next seconds alike: its certificate or protocol doesn't fit. */
  readonly isLasting: boolean;
  /** The underlying error, for the log only; its message is never sent to a client. */
  readonly cause: Error | null;
}

const SIGNAL_OF_KIND: Readonly<Record<FailureKind, Signal>> = {
  'connect-refused': 'connect',
  'connect-timeout': 'connect',
  'connect-failed': 'connect',
  'tls-failed': 'connect',
  'stale-connection': 'staleConnection',
  'refused-stream': 'refusedStream',
  reset: 'resetBefore',
  'response-timeout': 'timeout',
  'try-timeout': 'timeout',
  'idle-timeout': 'resetBody',
  'malformed-response': 'protocol',
  'head-too-large': 'protocol',
  truncated: 'resetBody',
  'unsendable-request': 'client',
  'upgrade-unsupported': 'client',
  cancelled: 'client',
  internal: 'client',
};

const CLIENT_KINDS: ReadonlySet<FailureKind> = new Set(['unsendable-request', 'cancelled']);

/** Builds the failure for `kind`. */
export function failureOf(kind: FailureKind, wasSent: boolean, cause: Error | null = null, isLasting = false): Failure {
  const side = kind === 'internal' ? 'internal' : CLIENT_KINDS.has(kind) ? 'client' : 'endpoint';
  return { side, kind, signal: SIGNAL_OF_KIND[kind], wasSent, isLasting, cause };
}
