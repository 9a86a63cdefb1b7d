// The Snapshot: compiled configuration as plain, immutable, cloneable data (DESIGN section 1.6). Thread: both.

import type { LogLevel } from '../log.ts';
import type { AdminSnapshot } from './admin.ts';
import type { ListenerSnapshot } from './listener.ts';
import type { RouteSnapshot } from './route.ts';
import type { UpstreamSnapshot } from './upstream.ts';

/** What the process protects itself by (docs/algorithms.md 6.2); 0 is no limit. */
export interface OverloadSnapshot {
  /** Heaps and buffers of all workers. */
  readonly memoryBytes: number;
  /** Requests in progress in all workers. */
  readonly requests: number;
  /** Of each worker. */
  readonly eventLoopLagMs: number;
  /** Bodies kept for a retry, over all workers. */
  readonly replayBytes: number;
}

export type AccessLogFormat = 'json' | 'haproxy' | 'combined';

export interface AccessLogSnapshot {
  readonly format: AccessLogFormat;
  /** 'stdout', 'stderr' or a file's path. */
  readonly output: string;
}

export interface Snapshot {
  /** Number of this Snapshot; each reload raises it. */
  readonly revision: number;
  readonly workers: number;
  readonly fastPath: boolean;
  readonly listeners: readonly ListenerSnapshot[];
  readonly routes: readonly RouteSnapshot[];
  readonly upstreams: readonly UpstreamSnapshot[];
  readonly overload: OverloadSnapshot;
  readonly admin: AdminSnapshot | null;
  readonly accessLog: AccessLogSnapshot | null;
  readonly log: { readonly level: LogLevel };
  /** How long a drain says that it isn't ready before it stops accepting, in ms. */
  readonly drainDelayMs: number;
  /** How long a drain waits for exchanges in flight after that, in ms. */
  readonly graceMs: number;
  readonly reload: {
    /** What streams and tunnels of an endpoint that a reload took away have left, in ms. */
    readonly drainMs: number;
    /** What everything has left that began before a reload, in ms; 0 is no limit. */
    readonly hardStopMs: number;
  };
  /** Where the state of endpoints is kept over a restart, by its absolute path; null keeps none. */
  readonly healthState: { readonly file: string; readonly maxAgeMs: number } | null;
}
