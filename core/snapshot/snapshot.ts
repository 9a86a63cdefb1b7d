// The Snapshot: compiled configuration as plain, immutable, cloneable data (docs/design.md 1.6). Thread: both.

import type { LogFormat, LogLevel } from '../log.ts';
import type { AdminSnapshot } from './admin.ts';
import type { ListenerSnapshot } from './listener.ts';
import type { PluginSnapshot } from './policy.ts';
import type { RouteSnapshot, TcpRouteSnapshot } from './route.ts';
import type { TracingSnapshot } from './tracing.ts';
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
  /** 'stdout', 'stderr' or a file path; or a syslog server. */
  readonly output: string | SyslogSnapshot;
  /** Absent or null if every exchange is logged. */
  readonly filter?: LogFilter | null;
}

/** RFC 5424 section 6.2.1, in the order of their codes. */
export const FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'clock',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;

/** In the order of their codes. */
export const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

/** A syslog server (RFC 5424). */
export interface SyslogSnapshot {
  /** As written, for messages. */
  readonly name: string;
  readonly transport: 'udp' | 'tcp' | 'unix';
  /** Host, or path of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly facility: (typeof FACILITIES)[number];
  readonly severity: (typeof SEVERITIES)[number];
  readonly app: string;
}

/** Which exchanges are logged. */
export interface LogFilter {
  /** Names of routes without a log. */
  readonly quietRoutes: readonly string[];
  /** Paths below which successes are not logged. */
  readonly skippedPaths: readonly string[];
  /** Percentage of successes that is logged. */
  readonly samplePercent: number;
  /** Time from which a success is always logged; 0 for none. */
  readonly slowMs: number;
}

/** Registration of this Fairlead as a service of Consul. */
export interface RegistrationSnapshot {
  /** Plain data. */
  readonly settings: object;
  /** Listener whose port is registered; '' for the first one on a TCP port. */
  readonly listener: string;
}

export interface Snapshot {
  /** Number of this Snapshot; each reload raises it. */
  readonly revision: number;
  /** Number of changes of endpoints that it includes: they happen without a reload, and leave the revision as it is. */
  readonly membership: number;
  readonly workers: number;
  readonly fastPath: boolean;
  readonly listeners: readonly ListenerSnapshot[];
  /** Of HTTP listeners. */
  readonly routes: readonly RouteSnapshot[];
  /** Of TCP listeners. */
  readonly tcpRoutes: readonly TcpRouteSnapshot[];
  readonly upstreams: readonly UpstreamSnapshot[];
  /** In the order of the file. */
  readonly plugins: readonly PluginSnapshot[];
  readonly overload: OverloadSnapshot;
  readonly admin: AdminSnapshot | null;
  readonly accessLog: AccessLogSnapshot | null;
  readonly tracing: TracingSnapshot | null;
  readonly register: readonly RegistrationSnapshot[];
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
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
