// The Snapshot: compiled configuration as plain, immutable, cloneable data (docs/design.md 1.6). Thread: both.

import type { LogLevel } from '../log.ts';
import type { AdminSnapshot } from './admin.ts';
import type { ListenerSnapshot } from './listener.ts';
import type { PluginSnapshot } from './policy.ts';
import type { RouteSnapshot } from './route.ts';
import type { UpstreamSnapshot } from './upstream.ts';

/** Overload limits of the process (docs/algorithms.md 6.2); 0 for no limit. */
export interface OverloadSnapshot {
  /** Heaps and buffers of all workers, in bytes. */
  readonly memoryBytes: number;
  /** Requests in progress in all workers. */
  readonly requests: number;
  /** Limit for each worker. */
  readonly eventLoopLagMs: number;
  /** Request bodies kept for retries, over all workers, in bytes. */
  readonly replayBytes: number;
}

export interface AccessLogSnapshot {
  /** Name in the table of log formats. */
  readonly format: string;
  /** Plain data for the format. */
  readonly settings: object;
  /** 'stdout', 'stderr' or a file path. */
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
  /** In the order of the file. */
  readonly plugins: readonly PluginSnapshot[];
  readonly overload: OverloadSnapshot;
  readonly admin: AdminSnapshot | null;
  readonly accessLog: AccessLogSnapshot | null;
  readonly log: { readonly level: LogLevel };
  /** Time between reporting "not ready" and closing the listeners in a drain, in ms. */
  readonly drainDelayMs: number;
  /** Time for open exchanges to finish after that, in ms. */
  readonly graceMs: number;
  readonly reload: {
    /** Time that streams and tunnels of a removed endpoint may continue after the reload, in ms. */
    readonly drainMs: number;
    /** Time that any exchange started before a reload may continue, in ms; 0 for no limit. */
    readonly hardStopMs: number;
  };
  /** File (absolute path) that keeps endpoint state over a restart; null to keep none. */
  readonly healthState: { readonly file: string; readonly maxAgeMs: number } | null;
}
