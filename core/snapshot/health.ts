// Heartbeats and outlier detection of an upstream in the Snapshot. Thread: both.

export interface HeartbeatSnapshot {
  readonly kind: 'http' | 'tcp' | 'grpc';
  /** Service name of a gRPC heartbeat; '' for the endpoint as a whole. */
  readonly service: string;
  /** Regular expression that the first 16 KiB of the body must match; '' for any body. */
  readonly bodyPattern: string;
  /** Fields required in the response: [name, value, ...], names in lower case. */
  readonly expectedFields: readonly string[];
  /** Whether the response may set the endpoint's weight or request a drain (field X-Fairlead-Agent). */
  readonly acceptsAgentFeedback: boolean;
  readonly path: string;
  readonly method: string;
  /** Host field of the heartbeat; '' for the endpoint's own. */
  readonly host: string;
  /** Ranges of healthy statuses: [from, to, from, to, ...], inclusive. */
  readonly statuses: readonly number[];
  /** 0 for the endpoint's own port. */
  readonly port: number;
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly downIntervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
}

export interface PassiveSnapshot {
  /** 0 disables ejection by consecutive failures. */
  readonly consecutiveFailures: number;
  readonly ejectionBaseMs: number;
  readonly ejectionMaxMs: number;
  readonly maxEjectedPercent: number;
  /** Comparison with the other endpoints (docs/algorithms.md 3.2); null disables it. */
  readonly outliers: {
    readonly intervalMs: number;
    readonly minRequests: number;
    readonly minGap: number;
    readonly sigmas: number;
  } | null;
}
