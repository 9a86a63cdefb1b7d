// Handles an endpoint whose ejection the limit forbids (docs/algorithms.md 3.4): it carries a quarter
// of its weight until nothing was held against it for a while. Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import type { Because } from '../state/detector.ts';
import { isOut } from './ejection-limit.ts';
import type { EndpointHealth } from '../state/endpoint-health.ts';
import type { StateEdge } from '../state/endpoint-state.ts';
import type { HealthRecorder } from '../record/health-recorder.ts';
import type { WeightShares } from '../weight/weight-shares.ts';

const OVERFLOW_SHARE = 0.25;

export interface OverflowOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly shares: WeightShares;
  readonly recorder: HealthRecorder;
}

export class Overflow {
  readonly #options: OverflowOptions;
  readonly #timers = new Map<number, TimerHandle>();

  constructor(options: OverflowOptions) {
    this.#options = options;
  }

  /** Reduces the share of an endpoint that should have been ejected, if another one can take its traffic. */
  take(health: EndpointHealth, because: Because): void {
    if (!health.upstream.hasPeerOf(health)) return;
    const isNew = health.overflow === null;
    const nowMs = this.#options.clock.nowMs();
    const lengthMs = lengthOf(health);
    const startedMs = health.overflow?.startedMs ?? nowMs;
    const { detector, cause } = because;
    health.overflow = { detector, cause, startedMs, untilMs: nowMs + lengthMs };
    this.#plan(health, lengthMs);
    if (!isNew) return;
    this.#options.shares.set(health, 'overflow', OVERFLOW_SHARE);
    this.#options.recorder.overflow(health, because);
  }

  /** Handles a change of availability. Returns whether it ended the reduction. */
  onChange(health: EndpointHealth, { after }: StateEdge): boolean {
    if (health.overflow === null || !isOut(after)) return false;
    this.#end(health);
    return true;
  }

  /** Drops all state of a slot: its endpoint is removed. */
  forget(slot: number): void {
    this.#timers.get(slot)?.cancel();
    this.#timers.delete(slot);
  }

  #plan(health: EndpointHealth, delayMs: number): void {
    this.forget(health.slot);
    const fire = (): void => {
      this.#end(health);
      this.#options.recorder.overflow(health, { detector: 'timer', cause: 'it had no outlier for a while' });
    };
    this.#timers.set(health.slot, this.#options.timers.after(delayMs, fire));
  }

  #end(health: EndpointHealth): void {
    this.forget(health.slot);
    health.overflow = null;
    this.#options.shares.set(health, 'overflow', 1);
  }
}

/** As long as a first ejection, and one sweep more, so that an endpoint that stays an outlier stays spared. */
function lengthOf({ upstream }: EndpointHealth): number {
  const { ejectionBaseMs, outliers } = upstream.snapshot.passive;
  return ejectionBaseMs + (outliers?.intervalMs ?? 0);
}
