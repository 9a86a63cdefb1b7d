// Heartbeats and outlier detection of an upstream in the Snapshot. Thread: both.

/** A heartbeat: its checker by registered name, its schedule, and the settings that the checker's `compile` returned. */
export interface HeartbeatSnapshot {
  readonly kind: string;
  /** 0 for the endpoint's own port. */
  readonly port: number;
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  readonly downIntervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
  /** Whether the response may set the endpoint's weight or request a drain (field X-Fairlead-Agent). */
  readonly acceptsAgentFeedback: boolean;
  /** Whether an endpoint that it finds down gets nothing, not even as a last resort: it may have another role. */
  readonly isDecisive: boolean;
  readonly [setting: string]: unknown;
}

export interface PassiveSnapshot {
  /** 0 disables ejection by consecutive failures. */
  readonly consecutiveFailures: number;
  /** Least time after which an overdue response may make an endpoint suspect; 0 is never. */
  readonly stallMs: number;
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
