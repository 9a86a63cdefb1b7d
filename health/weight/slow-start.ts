// Slow start (docs/algorithms.md 2.2): the share of an endpoint that returns grows from a tenth to all of its weight, so that
// cold caches and an empty connection pool don't meet a full load. Thread: main.
//
// The tenth is also the trickle that a warm-up needs. Balancers that compare loads would give it nothing at low load, so
// while `warmStartMs` stands in shared memory they let chance give it its share (balancers/warming.ts).

import type { Clock } from '../../core/clock.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import type { Because } from '../state/detector.ts';
import { isOut, isUsable } from '../outlier/ejection-limit.ts';
import type { EndpointHealth } from '../state/endpoint-health.ts';
import type { StateEdge } from '../state/endpoint-state.ts';
import type { HealthRecorder } from '../record/health-recorder.ts';
import type { Publisher } from '../state/publisher.ts';
import type { WeightShares } from './weight-shares.ts';

/** The share at the beginning. */
const FIRST_SHARE = 0.1;
/** Steps of a slow start, and the least time between two: finer ones make no difference. */
const STEPS = 50;
const SHORTEST_STEP_MS = 100;

export interface SlowStartOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly publisher: Publisher;
  readonly shares: WeightShares;
  readonly recorder: HealthRecorder;
}

export class SlowStart {
  readonly #options: SlowStartOptions;
  readonly #timers = new Map<number, TimerHandle>();

  constructor(options: SlowStartOptions) {
    this.#options = options;
  }

  /**
   * Takes a change of availability before workers see it: one that returns must never be met with its whole weight.
   * Returns whether a slow start has begun or ended with it.
   */
  onChange(health: EndpointHealth, { before, after }: StateEdge): boolean {
    const wasOut = isOut(before) || health.isCold;
    const isReturn = wasOut && isUsable(after);
    health.isCold = wasOut && after === 'drain';
    if (isOut(after) && health.warming !== null) this.#end(health);
    else if (isReturn && this.#isWanted(health)) this.#begin(health);
    else return false;
    return true;
  }

  /** Drops all state of a slot: its endpoint is removed. */
  forget(slot: number): void {
    this.#timers.get(slot)?.cancel();
    this.#timers.delete(slot);
  }

  /** No slow start if no other endpoint takes requests. */
  #isWanted(health: EndpointHealth): boolean {
    return health.upstream.snapshot.slowStartMs > 0 && health.upstream.hasPeerOf(health);
  }

  #begin(health: EndpointHealth): void {
    const startedMs = this.#options.clock.nowMs();
    health.warming = { startedMs, untilMs: startedMs + health.upstream.snapshot.slowStartMs };
    health.counters.slowStarts++;
    this.#options.publisher.warmStart(health.slot, this.#options.clock.wallMs());
    this.#options.shares.set(health, 'slowStart', FIRST_SHARE);
    this.#planStep(health);
  }

  #planStep(health: EndpointHealth): void {
    const { slowStartMs } = health.upstream.snapshot;
    const leftMs = health.warming!.untilMs - this.#options.clock.nowMs();
    const delayMs = Math.min(leftMs, Math.max(SHORTEST_STEP_MS, slowStartMs / STEPS));
    this.#timers.set(
      health.slot,
      this.#options.timers.after(delayMs, () => this.#step(health)),
    );
  }

  /** The length is that of the running configuration: a reload may have changed it. */
  #step(health: EndpointHealth): void {
    const { slowStartMs } = health.upstream.snapshot;
    const { startedMs } = health.warming!;
    const passedMs = this.#options.clock.nowMs() - startedMs;
    if (passedMs >= slowStartMs) {
      this.#end(health);
      const because: Because =
        slowStartMs === 0
          ? { detector: 'reload', cause: 'slow start is turned off' }
          : { detector: 'timer', cause: 'slow start is over' };
      this.#options.recorder.slowStart(health, because);
      return;
    }
    health.warming = { startedMs, untilMs: startedMs + slowStartMs };
    this.#options.shares.set(health, 'slowStart', Math.max(FIRST_SHARE, passedMs / slowStartMs));
    this.#planStep(health);
  }

  #end(health: EndpointHealth): void {
    this.forget(health.slot);
    health.warming = null;
    this.#options.publisher.warmStart(health.slot, null);
    this.#options.shares.set(health, 'slowStart', 1);
  }
}
