// Checker: one kind of heartbeat. The contract between the scheduler, which decides when to check, and the checkers.
// Thread: both.

import type { Signal } from '../../core/failure.ts';
import type { OptionProblem, OptionSchemas, OptionShape, OptionsOf } from '../../core/option-schema.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { HeartbeatSnapshot } from '../../core/snapshot/health.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';

/** Response field in which an endpoint reports its own weight, limit and state. */
export const AGENT_FIELD = 'x-fairlead-agent';

/** The endpoint to check, and how. `Settings` are those of the checker. */
export interface HeartbeatTarget<Settings extends object = object> {
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSnapshot;
  readonly heartbeat: HeartbeatSnapshot & Settings;
}

/**
 * Result of a heartbeat. `fail` is the endpoint's fault. `unknown` is our own trouble (no DNS server, no file descriptor
 * left, a stalled event loop) and counts for nothing. `cause` completes a log line, as in `got 503`.
 */
export interface HeartbeatResult {
  readonly kind: 'ok' | 'fail' | 'unknown';
  readonly cause: string;
  /** Whether the endpoint's host name has no address; with `unknown`. */
  readonly isUnresolved?: boolean;
  /** Whether the server works, and has another role than the expected one: down at once; with `fail`. */
  readonly isWrongRole?: boolean;
  /** Value of the response's X-Fairlead-Agent field; absent without one. */
  readonly agentWords?: string;
}

/** A heartbeat in progress. */
export interface RunningCheck {
  /** The present phase, for the cause of a timeout: `connecting`, `waiting for the response`. */
  phase(): string;
  /** Cancels the heartbeat and closes its connection; `done` isn't called afterwards. */
  cancel(): void;
}

/**
 * Starts one heartbeat and calls `done` at most once, possibly before it returns. Never throws. The scheduler enforces
 * the timeout and cancels.
 */
export type RunCheck<Settings extends object = object> = (
  target: HeartbeatTarget<Settings>,
  done: (result: HeartbeatResult) => void,
) => RunningCheck;

/** Settings of an upstream that a checker may depend on. */
export interface CheckedUpstream {
  /** Protocol of requests to its endpoints. */
  readonly protocol: 'http1' | 'http2' | 'auto';
}

/** The definition of a checker. `Settings` is plain data: structured clone must accept it. */
export interface CheckerDefinition<Shape extends OptionShape, Settings extends object> {
  /** The word in the configuration: `heartbeat: { type: NAME }`. */
  readonly name: string;
  /**
   * Declares the options beside those that every heartbeat has. A name that another checker declares too must have the
   * same schema in both.
   */
  readonly options: (schemas: OptionSchemas) => Shape;
  /** Turns validated options into settings. */
  readonly compile: (options: OptionsOf<Shape>) => Settings;
  /** Finds options that contradict each other, or the upstream. */
  readonly check?: (options: OptionsOf<Shape>, upstream: CheckedUpstream) => readonly OptionProblem[];
  readonly run: RunCheck<Settings>;
  /** The heartbeat's name in log lines: `heartbeat GET /healthz`. */
  readonly describe: (settings: Settings) => string;
  /**
   * Whether a passed heartbeat disproves a failure of live traffic of this class. A TCP check says nothing about
   * responses.
   * @param signal null where the class isn't known
   */
  readonly covers: (signal: Signal | null) => boolean;
}

/** A definition whose types are erased: what the registry holds. */
export type CheckerDescriptor = CheckerDefinition<OptionShape, object>;

/** Checks a definition's types and erases them. */
export function defineChecker<Shape extends OptionShape, Settings extends object>(
  definition: CheckerDefinition<Shape, Settings>,
): CheckerDescriptor {
  return definition as unknown as CheckerDescriptor;
}

/** Option `host`, for checkers that send a request. */
export function hostOption(host: OptionSchemas['host']) {
  return host()
    .describe("Host field of the request (`:authority` with `grpc`); the endpoint's own if absent.")
    .optional();
}

/** Option `agent`, for checkers whose response can carry the field X-Fairlead-Agent. */
export function agentOption(z: OptionSchemas['z']) {
  return z
    .boolean()
    .default(false)
    .describe(
      'Whether the response may set the weight of its endpoint or request a drain, with the field `X-Fairlead-Agent`.',
    );
}

/** A finished heartbeat. */
export interface HeartbeatRecord extends HeartbeatResult {
  /** Monotonic ms. */
  readonly startedMs: number;
  readonly durationMs: number;
}
