// What a kind of heartbeat is given and what it says: the contract between the scheduler and the checks.
// Thread: main.

import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { HeartbeatSnapshot } from '../../core/snapshot/health.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';

/** Whom to check, and how. */
export interface HeartbeatTarget {
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSnapshot;
  readonly heartbeat: HeartbeatSnapshot;
}

/**
 * What a heartbeat found. `fail` is the endpoint's fault. `unknown` is our own (no DNS answer, no file descriptor
 * left, an event loop that was stalled) and counts for nothing. `cause` says in words what was seen, as in `got 503`.
 */
export interface HeartbeatResult {
  readonly kind: 'ok' | 'fail' | 'unknown';
  readonly cause: string;
  /** What the answer says of the endpoint in the field X-Fairlead-Agent, good answer or not; absent without one. */
  readonly agentWords?: string;
}

/** A heartbeat that is under way. */
export interface RunningCheck {
  /** What it waits for, in words, for the cause of a timeout. */
  phase(): string;
  /** Ends it and its connection; `done` isn't called after that. */
  cancel(): void;
}

/**
 * Begins one heartbeat and calls `done` at most once, possibly before it returns. Never throws. The scheduler watches
 * the time and cancels.
 */
export type Checker = (target: HeartbeatTarget, done: (result: HeartbeatResult) => void) => RunningCheck;

/** One checker for each kind in the configuration. */
export type Checkers = Readonly<Record<HeartbeatSnapshot['kind'], Checker>>;

/** A finished heartbeat. */
export interface HeartbeatRecord extends HeartbeatResult {
  /** Monotonic ms at which it began. */
  readonly startedMs: number;
  readonly durationMs: number;
}
