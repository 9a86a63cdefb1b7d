// The scheduler of heartbeats: one at a time per endpoint, at most 64 at once, each watched by a timeout and by the
// own-lag guard (docs/algorithms.md 2.2). It decides when to check, not what a result means. Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import type { HeartbeatRecord, HeartbeatResult, HeartbeatTarget, RunCheck, RunningCheck } from '../checkers/checker.ts';
import { firstDelayMs, intervalMs, jittered, type IntervalChoice } from './heartbeat-timing.ts';
import { durationWords } from '../record/health-words.ts';
import { LoopLag, type LagWatch } from './loop-lag.ts';

/** Heartbeats under way at once; more wait in a queue. Bounds our own load, and file descriptors, when many hang. */
export const MAX_CONCURRENT = 64;

export interface HeartbeatsOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly runCheck: RunCheck;
  /** Chooses the interval by the endpoint's present state. */
  readonly intervalOf: (slot: number) => IntervalChoice;
  /** Takes a result before the next heartbeat is scheduled. May call back into the scheduler. */
  readonly onResult: (slot: number, record: HeartbeatRecord) => void;
}

interface Run {
  readonly startedMs: number;
  /** Ms by which our own timer was late, beyond a whole interval; 0 otherwise. */
  readonly lateMs: number;
  readonly lag: LagWatch;
  check: RunningCheck | null;
  timeout: TimerHandle | null;
}

interface Schedule {
  target: HeartbeatTarget;
  /** Monotonic ms of the next start; null while none is planned, or one is queued or running. */
  dueMs: number | null;
  timer: TimerHandle | null;
  isQueued: boolean;
  /** The interval that `dueMs` was planned with, without jitter. */
  plannedMs: number;
  lastStartMs: number | null;
  run: Run | null;
  /** Whether another heartbeat follows as soon as the running one ends. */
  isAnotherWanted: boolean;
}

interface Queued {
  readonly schedule: Schedule;
  readonly lateMs: number;
}

export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  readonly #lag: LoopLag;
  readonly #schedules = new Map<number, Schedule>();
  #queue: Queued[] = [];
  #runningCount = 0;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
    this.#lag = new LoopLag(options.clock, options.timers);
  }

  /**
   * Adds an endpoint (first heartbeat after its deterministic delay), or applies its changes: a changed check
   * begins at once, changed intervals hold from now on.
   */
  set(target: HeartbeatTarget): void {
    const { slot, name } = target.endpoint;
    const known = this.#schedules.get(slot);
    if (known === undefined) {
      const schedule = newSchedule(target);
      this.#schedules.set(slot, schedule);
      if (this.#options.intervalOf(slot) !== 'none') this.#plan(schedule, firstDelayMs(name, target.heartbeat));
      return;
    }
    const isSame = isSameCheck(known.target, target);
    known.target = target;
    if (isSame) return this.reschedule(slot);
    this.#halt(known);
    this.checkNow(slot);
  }

  /** Ends an endpoint's heartbeats; a result that is still to come is dropped. */
  remove(slot: number): void {
    const schedule = this.#schedules.get(slot);
    if (schedule === undefined) return;
    this.#schedules.delete(slot);
    this.#halt(schedule);
    this.#pump();
  }

  /**
   * Begins a heartbeat now, before all that wait; where one is running, another one follows it at once. Returns false
   * where the endpoint has no heartbeat or is in maintenance.
   * @param isUrgent cancels a running one
   */
  checkNow(slot: number, isUrgent = false): boolean {
    const schedule = this.#schedules.get(slot);
    if (schedule === undefined || this.#options.intervalOf(slot) === 'none') return false;
    if (schedule.run !== null && !isUrgent) {
      schedule.isAnotherWanted = true;
      return true;
    }
    this.#halt(schedule);
    schedule.isQueued = true;
    this.#queue.unshift({ schedule, lateMs: 0 });
    this.#pump();
    return true;
  }

  /** Call it when an endpoint's interval may have changed: brings its next heartbeat forward, or ends them. */
  reschedule(slot: number): void {
    const schedule = this.#schedules.get(slot);
    if (schedule === undefined) return;
    if (this.#options.intervalOf(slot) === 'none') {
      this.#halt(schedule);
      this.#pump();
      return;
    }
    if (schedule.run !== null || schedule.isQueued) return;
    if (schedule.dueMs === null) this.checkNow(slot);
    else if (schedule.lastStartMs !== null) this.#planNext(schedule, schedule.dueMs);
  }

  /** Monotonic ms of the endpoint's next heartbeat; null where none is planned, or one is under way or waits its turn. */
  nextMs(slot: number): number | null {
    return this.#schedules.get(slot)?.dueMs ?? null;
  }

  /** Ends all heartbeats. */
  stop(): void {
    for (const slot of this.#schedules.keys()) this.remove(slot);
  }

  /** Plans the next one an interval after the start of the last one, but not after `latestMs`. */
  #planNext(schedule: Schedule, latestMs: number): void {
    const plainMs = intervalMs(schedule.target.heartbeat, this.#options.intervalOf(schedule.target.endpoint.slot));
    if (plainMs === Number.POSITIVE_INFINITY) return;
    const nowMs = this.#options.clock.nowMs();
    const dueMs = (schedule.lastStartMs ?? nowMs) + jittered(plainMs, this.#options.random);
    schedule.plannedMs = plainMs;
    this.#plan(schedule, Math.max(0, Math.min(dueMs, latestMs) - nowMs));
  }

  #plan(schedule: Schedule, delayMs: number): void {
    this.#unplan(schedule);
    const dueMs = this.#options.clock.nowMs() + delayMs;
    schedule.dueMs = dueMs;
    schedule.timer = this.#options.timers.after(delayMs, () => {
      const lateMs = this.#options.clock.nowMs() - dueMs;
      schedule.dueMs = null;
      schedule.isQueued = true;
      this.#queue.push({ schedule, lateMs: lateMs > schedule.plannedMs ? lateMs : 0 });
      this.#pump();
    });
  }

  /** Cancels the planned or queued heartbeat. */
  #unplan(schedule: Schedule): void {
    schedule.timer?.cancel();
    schedule.timer = null;
    schedule.dueMs = null;
    if (schedule.isQueued) this.#queue = this.#queue.filter((queued) => queued.schedule !== schedule);
    schedule.isQueued = false;
  }

  /** Cancels the planned, queued or running heartbeat. */
  #halt(schedule: Schedule): void {
    this.#unplan(schedule);
    schedule.isAnotherWanted = false;
    if (schedule.run === null) return;
    const { check } = schedule.run;
    this.#endRun(schedule, schedule.run);
    check?.cancel();
  }

  #pump(): void {
    while (this.#runningCount < MAX_CONCURRENT) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#start(next.schedule, next.lateMs);
    }
  }

  #start(schedule: Schedule, lateMs: number): void {
    schedule.isQueued = false;
    schedule.isAnotherWanted = false;
    const startedMs = this.#options.clock.nowMs();
    const run: Run = { startedMs, lateMs, lag: this.#lag.watch(), check: null, timeout: null };
    schedule.run = run;
    schedule.lastStartMs = startedMs;
    this.#runningCount++;
    const { heartbeat } = schedule.target;
    run.timeout = this.#options.timers.after(heartbeat.timeoutMs, () => this.#timeOut(schedule, run));
    run.check = this.#options.runCheck(schedule.target, (result) => this.#finish(schedule, run, result));
  }

  #timeOut(schedule: Schedule, run: Run): void {
    const phase = run.check?.phase() ?? 'starting';
    const within = durationWords(schedule.target.heartbeat.timeoutMs);
    run.check?.cancel();
    this.#finish(schedule, run, { kind: 'fail', cause: `no answer within ${within} (${phase})` });
  }

  #finish(schedule: Schedule, run: Run, result: HeartbeatResult): void {
    if (schedule.run !== run) return;
    run.timeout?.cancel();
    const durationMs = this.#options.clock.nowMs() - run.startedMs;
    const guarded = guardAgainstOwnLag(result, run, schedule.target.heartbeat.timeoutMs);
    const { slot } = schedule.target.endpoint;
    this.#options.onResult(slot, { ...guarded, startedMs: run.startedMs, durationMs });
    // The result may have ended this run already: the endpoint was removed, or put in maintenance.
    if (schedule.run === run) {
      this.#endRun(schedule, run);
      if (schedule.isAnotherWanted) this.checkNow(slot);
      else this.#planNext(schedule, Number.POSITIVE_INFINITY);
    }
    this.#pump();
  }

  #endRun(schedule: Schedule, run: Run): void {
    run.lag.end();
    run.timeout?.cancel();
    schedule.run = null;
    this.#runningCount--;
  }
}

function newSchedule(target: HeartbeatTarget): Schedule {
  const plannedMs = target.heartbeat.intervalMs;
  return {
    target,
    dueMs: null,
    timer: null,
    isQueued: false,
    plannedMs,
    lastStartMs: null,
    run: null,
    isAnotherWanted: false,
  };
}

/** A failure that our own stalled event loop may have caused counts for nothing; a pass stays a pass. */
function guardAgainstOwnLag(result: HeartbeatResult, run: Run, timeoutMs: number): HeartbeatResult {
  const lagMs = Math.max(run.lateMs, run.lag.worstMs());
  if (result.kind !== 'fail' || (run.lateMs === 0 && lagMs <= timeoutMs / 2)) return result;
  return { kind: 'unknown', cause: `own event loop was late by ${durationWords(lagMs)}, else: ${result.cause}` };
}

/** Whether two targets are checked alike, so that a result of the one holds for the other. */
function isSameCheck(a: HeartbeatTarget, b: HeartbeatTarget): boolean {
  return definitionOf(a) === definitionOf(b);
}

/** The settings on which a result doesn't depend. */
const SCHEDULE = { intervalMs: 0, fastIntervalMs: 0, downIntervalMs: 0, timeoutMs: 0, rise: 0, fall: 0 };

/** Everything on which a result depends. */
function definitionOf({ endpoint, upstream, heartbeat }: HeartbeatTarget): string {
  const { protocol, host, port, socketPath } = endpoint;
  const check = { ...heartbeat, ...SCHEDULE, acceptsAgentFeedback: false };
  return JSON.stringify([protocol, host, port, socketPath, check, upstream.tls]);
}
