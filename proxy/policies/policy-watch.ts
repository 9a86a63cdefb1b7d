// Counts and logs what policies do wrong: exceptions, and calls that take longer than their budget. The log has one line
// per policy and window at most. Thread: both.

import type { Logger } from '../../core/log.ts';
import { POLICY_FIELD } from '../../core/memory/lane-fields.ts';

/** Time in which repeated errors of a policy are folded into one line. */
const WINDOW_MS = 10_000;

/** Hooks as the log and the error texts name them. */
export type HookName =
  | 'onRequest'
  | 'onPlaced'
  | 'onResponse'
  | 'onLocalReply'
  | 'onBodyChunk'
  | 'transformBody'
  | 'onEnd'
  | 'dispose';

/** A policy as it is counted. */
interface Watched {
  readonly name: string;
  readonly lane: number;
  readonly budgetMs: number;
}

export interface PolicyWatchParts {
  readonly log: Logger;
  /** Monotonic ms. */
  readonly nowMs: () => number;
  /** Adds to a field of POLICY_FIELD of the policy's block in this worker's lane. */
  readonly count: (lane: number, field: number, amount: number) => void;
}

interface Window {
  sinceMs: number;
  suppressed: number;
}

export class PolicyWatch {
  readonly #parts: PolicyWatchParts;
  readonly #windows = new Map<string, Window>();

  constructor(parts: PolicyWatchParts) {
    this.#parts = parts;
  }

  allowed({ lane }: Watched): void {
    this.#parts.count(lane, POLICY_FIELD.allowed, 1);
  }

  refused({ lane }: Watched): void {
    this.#parts.count(lane, POLICY_FIELD.refused, 1);
  }

  /** A response body has passed a transform, whole or in part. */
  transformed({ lane }: Watched, bytesIn: number, bytesOut: number): void {
    this.#parts.count(lane, POLICY_FIELD.bodies, 1);
    this.#parts.count(lane, POLICY_FIELD.bodyBytesIn, bytesIn);
    this.#parts.count(lane, POLICY_FIELD.bodyBytesOut, bytesOut);
  }

  /** A request would have been refused, and the policy only reports. */
  reported({ lane }: Pick<Watched, 'lane'>): void {
    this.#parts.count(lane, POLICY_FIELD.reported, 1);
  }

  /** A call of another service has ended. */
  called({ lane }: Pick<Watched, 'lane'>, ms: number, hasFailed: boolean): void {
    this.#parts.count(lane, POLICY_FIELD.calls, 1);
    this.#parts.count(lane, POLICY_FIELD.callMs, ms);
    if (hasFailed) this.#parts.count(lane, POLICY_FIELD.callFailures, 1);
  }

  /** A policy cut a response that it had let pass at first. */
  cut({ name, lane }: Watched, reason: string): void {
    this.#parts.count(lane, POLICY_FIELD.refused, 1);
    const suppressed = this.#mayLog(`${name} cut`);
    if (suppressed < 0) return;
    this.#parts.log.warn(
      { policy: name, suppressed },
      `policy ${name} cut a response: ${reason}${sinceThen(suppressed)}`,
    );
  }

  /** A hook threw, or its promise was rejected. */
  failed({ name, lane }: Watched, hook: HookName, error: unknown): void {
    this.#parts.count(lane, POLICY_FIELD.errors, 1);
    const suppressed = this.#mayLog(`${name} failed`);
    if (suppressed < 0) return;
    const err = error instanceof Error ? error : new Error(String(error));
    const fields = { policy: name, hook, suppressed, err };
    this.#parts.log.error(fields, `policy ${name} failed in ${hook}: ${err.message}${sinceThen(suppressed)}`);
  }

  /** A call of a hook took `ms`. */
  took(policy: Watched, hook: HookName, ms: number): void {
    if (ms > policy.budgetMs) this.overran(policy, hook, ms);
  }

  overran({ name, lane, budgetMs }: Watched, hook: HookName, ms: number): void {
    this.#parts.count(lane, POLICY_FIELD.overruns, 1);
    const suppressed = this.#mayLog(`${name} overran`);
    if (suppressed < 0) return;
    const fields = { policy: name, hook, ms: Math.round(ms), budgetMs, suppressed };
    const text = `policy ${name} took ${Math.round(ms)} ms in ${hook}, its budget is ${budgetMs} ms`;
    this.#parts.log.warn(fields, `${text}${sinceThen(suppressed)}`);
  }

  /** @returns lines that were suppressed since the last one; -1 where this one is suppressed too */
  #mayLog(key: string): number {
    const nowMs = this.#parts.nowMs();
    const window = this.#windows.get(key);
    if (window === undefined) {
      this.#windows.set(key, { sinceMs: nowMs, suppressed: 0 });
      return 0;
    }
    if (nowMs - window.sinceMs < WINDOW_MS) {
      window.suppressed++;
      return -1;
    }
    const { suppressed } = window;
    window.sinceMs = nowMs;
    window.suppressed = 0;
    return suppressed;
  }
}

function sinceThen(suppressed: number): string {
  return suppressed === 0 ? '' : ` (and ${suppressed} more times since the last line)`;
}
