// Heartbeats and outlier detection of an upstream in the Snapshot. Thread: both.

export interface HeartbeatSnapshot {
  readonly kind: 'http' | 'tcp' | 'grpc';
  /** Of a gRPC heartbeat: the service that is asked about; '' is the whole endpoint. */
  readonly service: string;
  /** Regular expression that the first 16 KiB of the body must match; '' is none. */
  readonly bodyPattern: string;
  /** Fields that the answer must carry: [name, value, ...], names in lower case. */
  readonly expectedFields: readonly string[];
  /** Whether the answer may set the endpoint's weight or ask to be drained (field X-Fairlead-Agent). */
  readonly takesAgentWords: boolean;
  readonly path: string;
  readonly method: string;
  /** Host field of the heartbeat; '' is the endpoint's own. */
  readonly host: string;
  /** Ranges of statuses that are good: [from, to, from, to, ...] inclusive. */
  readonly statuses: readonly number[];
  /** 0: the endpoint's own port. */
  readonly port: number;
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly downIntervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
}

export interface PassiveSnapshot {
  /** 0 turns ejection by consecutive failures off. */
  readonly consecutiveFailures: number;
  readonly ejectionBaseMs: number;
  readonly ejectionMaxMs: number;
  readonly maxEjectedPercent: number;
  /** The pooled test against the other endpoints (docs/algorithms.md 3.2); null turns it off. */
  readonly outliers: {
    readonly intervalMs: number;
    readonly minRequests: number;
    readonly minGap: number;
    readonly sigmas: number;
  } | null;
}
