// Upstreams in the Snapshot: balancer, retries, timeouts, limits, stickiness. Thread: both.

import type { DiscoverySnapshot } from './discovery.ts';
import type { EndpointSnapshot } from './endpoint.ts';
import type { HeartbeatSnapshot, PassiveSnapshot } from './health.ts';
import type { LocalitySnapshot } from './locality.ts';
import type { PolicySnapshot } from './policy.ts';

/** A balancer by its registered name, with the settings that its `compile` returned. */
export interface BalanceSnapshot {
  readonly kind: string;
  readonly [setting: string]: unknown;
}

/** Hedging of GET and HEAD: the second attempt starts after a fixed delay or a latency percentile of the upstream. */
export interface HedgeSnapshot {
  /** 0 if by percentile. */
  readonly afterMs: number;
  /** 0..1, for example 0.95; 0 if by time. */
  readonly percentile: number;
}

/** Sticky cookie (docs/algorithms.md 5.1). */
export interface StickySnapshot {
  readonly cookie: string;
  /** The first secret signs; any of them verifies. */
  readonly secrets: readonly string[];
  /** Lifetime without a request of the client, in ms; 0 for no limit. */
  readonly maxIdleMs: number;
  /** Lifetime of a session including renewals, in ms; 0 for no limit. */
  readonly maxLifeMs: number;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
  readonly isHttpOnly: boolean;
  /** Whether the cookie is forwarded to endpoints. */
  readonly isPassedOn: boolean;
  /** `auto` sets Secure on TLS listeners only. */
  readonly secure: 'auto' | 'always' | 'never';
}

/** Retry conditions and budget. */
export interface RetrySnapshot {
  /** Attempts in addition to the first one. */
  readonly attempts: number;
  readonly onConnectFailure: boolean;
  readonly onReset: boolean;
  readonly onTimeout: boolean;
  readonly statuses: readonly number[];
  /** Statuses of gRPC that are retried where a response has no messages: whatever the call does. */
  readonly grpcStatuses: readonly number[];
  /** 0: half the response timeout. Cuts a try only where another may follow. */
  readonly perTryTimeoutMs: number;
  readonly budgetRatio: number;
  readonly budgetMin: number;
  readonly bufferBytes: number;
}

/** Timeouts for endpoints, in ms; 0 for none. */
export interface UpstreamTimeouts {
  readonly connectMs: number;
  /** From the end of the request to the head of the response. */
  readonly responseMs: number;
  /** Between two reads of a response body, or two writes of a request body that make progress. */
  readonly idleMs: number;
  readonly queueMs: number;
  /** Idle time of an upgraded connection or of a TCP session. */
  readonly tunnelMs: number;
  /** Idle time of a pooled endpoint connection, unless the endpoint announces its own (Keep-Alive). */
  readonly keepAliveMs: number;
}

/** Values of a PROXY protocol header of version 2 besides the addresses. */
export type ProxyTlv = 'alpn' | 'authority' | 'uniqueId' | 'tls' | 'checksum';

export interface UpstreamSnapshot {
  readonly name: string;
  /** Built-in ones in the order of their table, then those of plugins as they are written. */
  readonly policies: readonly PolicySnapshot[];
  /** Index of its record in shared memory; survives reloads. */
  readonly index: number;
  readonly balance: BalanceSnapshot;
  /** Configured ones first, then those added at run time and those of its sources. */
  readonly endpoints: readonly EndpointSnapshot[];
  /** Sources of further endpoints; null where all are configured. */
  readonly discovery: DiscoverySnapshot | null;
  /** Header that connections to endpoints begin with, heartbeats too; null for none. */
  readonly proxyProtocol: { readonly version: 1 | 2; readonly tlvs: readonly ProxyTlv[] } | null;
  /** Protocol of requests to the endpoints: `auto` is what an endpoint chooses by ALPN; `tcp` serves sessions instead. */
  readonly protocol: 'http1' | 'http2' | 'auto' | 'tcp';
  /** Whether the sessions of an endpoint that is out of use continue. */
  readonly onDown: 'keep' | 'close';
  readonly heartbeat: HeartbeatSnapshot | null;
  readonly passive: PassiveSnapshot;
  readonly retry: RetrySnapshot;
  readonly timeouts: UpstreamTimeouts;
  readonly limits: {
    readonly maxConnections: number;
    readonly maxQueue: number;
    readonly maxIdle: number;
    /** Whether each endpoint's limit adapts to its latency (docs/algorithms.md 6.2), up to maxConnections. */
    readonly isAdaptive: boolean;
  };
  readonly hedge: HedgeSnapshot | null;
  /** With no usable endpoint: answer 503 at once, try endpoints whatever their state, or queue. */
  readonly whenAllDown: 'fail' | 'try-all' | 'wait';
  /** Ramp-up time of a returning endpoint's weight; 0 to disable. */
  readonly slowStartMs: number;
  /** Backups join when the usable share of the primaries' weight is below this; 0 for only when none is usable. */
  readonly backupBelowPercent: number;
  /** Preference for endpoints of the own zone; null for none. */
  readonly locality: LocalitySnapshot | null;
  /**
   * TLS to endpoints: certificate verification, CAs (PEM), server name ('' for the host of the URL), and the certificate that
   * Fairlead presents (PEM; absent or null for none).
   */
  readonly tls: {
    readonly verify: boolean;
    readonly ca: readonly string[];
    readonly serverName: string;
    readonly certificate?: { readonly cert: string; readonly key: string } | null;
  };
  /** Limit for response heads, in bytes. */
  readonly responseHeadBytes: number;
}

/** The upstream without its endpoints: for parts that outlive a list of endpoints. */
export type UpstreamSettings = Omit<UpstreamSnapshot, 'endpoints'>;
