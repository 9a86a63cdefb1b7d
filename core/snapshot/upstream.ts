// Upstreams in the Snapshot: balancer, retries, timeouts, limits, stickiness. Thread: both.

import type { EndpointSnapshot } from './endpoint.ts';
import type { HeartbeatSnapshot, PassiveSnapshot } from './health.ts';

export type HashKey =
  | { readonly kind: 'client-ip' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'path' }
  | { readonly kind: 'query'; readonly name: string };

/** Balancer and its settings; `kind` is the name in the registry. */
export type BalanceSnapshot =
  | { readonly kind: 'least-request' }
  | { readonly kind: 'round-robin' }
  | { readonly kind: 'random'; readonly choices: 1 | 2 }
  | { readonly kind: 'peak-ewma'; readonly decayMs: number; readonly errorPenaltyMs: number }
  | { readonly kind: 'first' }
  | {
      readonly kind: 'consistent-hash';
      readonly key: HashKey;
      /** 0 is off; otherwise at least 1. */
      readonly boundedLoad: number;
      readonly tableSize: number;
      readonly seed: number;
    };

/** A second try beside the first, for GET and HEAD: after a fixed time, or the upstream's own percentile. */
export interface HedgeSnapshot {
  /** 0: by percentile. */
  readonly afterMs: number;
  /** 0..1, as in 0.95; 0: by time. */
  readonly percentile: number;
}

/** The cookie that keeps a client at its endpoint (docs/algorithms.md 5.1). */
export interface StickySnapshot {
  readonly cookie: string;
  /** The first signs; all verify. */
  readonly secrets: readonly string[];
  /** Without a request of the client; 0 is without end. */
  readonly maxIdleMs: number;
  /** Of a session, however often it is renewed; 0 is without end. */
  readonly maxLifeMs: number;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
  readonly isHttpOnly: boolean;
  /** Whether endpoints get the cookie too. */
  readonly isPassedOn: boolean;
  /** auto: on TLS listeners. */
  readonly secure: 'auto' | 'always' | 'never';
}

/** What may be tried again. */
export interface RetrySnapshot {
  /** Tries in addition to the first one. */
  readonly attempts: number;
  readonly onConnectFailure: boolean;
  readonly onReset: boolean;
  readonly onTimeout: boolean;
  readonly statuses: readonly number[];
  /** 0: half the response timeout. Cuts a try only where another may follow. */
  readonly perTryTimeoutMs: number;
  readonly budgetRatio: number;
  readonly budgetMin: number;
  readonly bufferBytes: number;
}

/** Patience with endpoints, in ms; 0 is none. */
export interface UpstreamTimeouts {
  readonly connectMs: number;
  /** From the end of the request to the head of the response. */
  readonly responseMs: number;
  /** Between two bytes of a response, or of a request's body that the endpoint doesn't take. */
  readonly idleMs: number;
  readonly queueMs: number;
  /** Of an upgraded connection without a byte in either direction. */
  readonly tunnelMs: number;
  /** How long a connection to an endpoint is kept idle, unless the endpoint hints otherwise. */
  readonly keepAliveMs: number;
}

export interface UpstreamSnapshot {
  readonly name: string;
  /** Index of its record in shared memory; stays over reloads. */
  readonly index: number;
  readonly balance: BalanceSnapshot;
  readonly endpoints: readonly EndpointSnapshot[];
  readonly heartbeat: HeartbeatSnapshot | null;
  readonly passive: PassiveSnapshot;
  readonly retry: RetrySnapshot;
  readonly timeouts: UpstreamTimeouts;
  readonly limits: {
    readonly maxConnections: number;
    readonly maxQueue: number;
    readonly maxIdle: number;
    /** Whether each endpoint's limit follows its latency (docs/algorithms.md 6.2); maxConnections is the upper bound then. */
    readonly isAdaptive: boolean;
  };
  readonly hedge: HedgeSnapshot | null;
  readonly sticky: StickySnapshot | null;
  /** What happens when no endpoint is usable: 503 at once, all are tried whatever their state, or requests wait. */
  readonly whenAllDown: 'fail' | 'try-all' | 'wait';
  /** How long a returning endpoint's weight ramps up; 0 is not at all. */
  readonly slowStartMs: number;
  /** Backups help when the usable share of the primaries' weight is below this; 0: only when none is usable. */
  readonly backupBelowPercent: number;
  /** TLS to endpoints: whether their certificates are verified, the CAs (PEM) and the name; '' is the URL's host. */
  readonly tls: { readonly verify: boolean; readonly ca: readonly string[]; readonly serverName: string };
  /** Largest response head that is accepted, in bytes. */
  readonly responseHeadBytes: number;
}
