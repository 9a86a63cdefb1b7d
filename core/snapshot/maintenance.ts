// Maintenance of routes and upstreams, as operators set it at run time. Thread: both.

/** A route or an upstream whose requests are answered 503 until an operator ends it. */
export interface MaintenanceSwitch {
  readonly of: 'route' | 'upstream';
  readonly name: string;
  /** Seconds in Retry-After. */
  readonly retryAfterS: number;
  /** Wall-clock ms at which it was set. */
  readonly at: number;
  /** The operator, as in log lines. */
  readonly by: string;
}

/** Retry-After where the operator gives none, and its limits, in seconds. */
export const RETRY_AFTER_S = { default: 60, least: 1, most: 604_800 } as const;
