// Vocabulary of a rollout: phases, injected effects, outcome. Thread: main.

import type { EndpointAloneReply, WhyAnswer } from '../../../admin/api/endpoint-schemas.ts';
import type { Call } from './rollout-api.ts';

/** Polling interval, in ms. */
export const LOOK_MS = 250;
/** Phases in their order. `checking` changes nothing; after `draining` there is no way back. */
export const NEXT_PHASES = {
  checking: ['starting'],
  starting: ['joining', 'rollingBack'],
  joining: ['warming', 'rollingBack'],
  warming: ['draining', 'rollingBack'],
  draining: ['retiring', 'rollingBack'],
  retiring: [],
  rollingBack: [],
} as const satisfies Record<string, readonly string[]>;
export type RolloutPhase = keyof typeof NEXT_PHASES;

/** Effects, injected for tests. */
export interface RolloutTools {
  readonly call: Call;
  /** Runs a shell command. @returns '' or why it failed */
  run(command: string, signal: AbortSignal | null): Promise<string>;
  nowMs(): number;
  /** Returns early where the signal aborts. */
  sleep(ms: number, signal: AbortSignal | null): Promise<void>;
  /** Prints a line that stays. */
  say(line: string): void;
  /** Shows a line of progress. */
  show(line: string): void;
  /** Aborts when the rollout is interrupted. */
  readonly signal: AbortSignal;
}

export interface RolloutOutcome {
  readonly result: 'done' | 'rolledBack';
  /** The phase that failed, if it was rolled back. */
  readonly phase: RolloutPhase;
  /** Cause of a roll back, or of the failure of the stop command; '' for none. */
  readonly cause: string;
  /** The new endpoint's state when it was rolled back. */
  readonly why: WhyAnswer | null;
  /** Remaining steps for the operator. */
  readonly notes: readonly string[];
}

/** Origin of the new endpoint's membership: the rollout adds it, it is a member already, or a source adds it. */
export type Joining = 'added' | 'present' | 'discovered';

/** Known before anything is changed. */
export interface RolloutStart {
  readonly old: EndpointAloneReply;
  /** Null where the endpoint isn't a member yet. */
  readonly newBefore: EndpointAloneReply | null;
  readonly joining: Joining;
  /** URL of the new endpoint. */
  readonly url: string;
}

/** Requests at an endpoint; 0 where there is no such endpoint. */
export function pendingOf(endpoint: EndpointAloneReply | null): number {
  return endpoint === null ? 0 : endpoint.inFlight + endpoint.queued;
}

export function secondsOf(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
