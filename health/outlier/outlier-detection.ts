// Outlier detection: judges endpoints by live traffic (docs/algorithms.md 3.4, 3.5). Workers report, this decides: ejection
// within the limit, half-open when its time is over, suspicion confirmed or cleared. Outliers among the endpoints are
// found by outlier-sweep.ts and judged here. Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { Signal } from '../../core/failure.ts';
import type { MessageToMain } from '../../core/messages.ts';
import type { Random } from '../../core/random.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import { isFirmlyUp } from '../state/check-axis.ts';
import type { Because, Detector } from '../state/detector.ts';
import { isEjectionAllowed, isUsable } from './ejection-limit.ts';
import type { EndpointHealth, UpstreamHealth } from '../state/endpoint-health.ts';
import type { StateEdge } from '../state/endpoint-state.ts';
import type { HeartbeatRecord } from '../checkers/checker.ts';
import { canSee } from '../heartbeat/heartbeat-verdict.ts';
import type { Logger } from '../../core/log.ts';
import { signalWords } from '../record/health-words.ts';
import type { OutlierEvent } from '../state/outlier-axis.ts';
import type { Overflow } from './overflow.ts';
import type { Publisher } from '../state/publisher.ts';

/** A half-open endpoint that no request came to try for so long may be restored by a heartbeat that could see. */
const TRIAL_PATIENCE_MS = 10_000;

/** Messages of workers that outlier detection decides on. */
export type OutlierMessage = Extract<MessageToMain, { kind: 'threshold' | 'suspect' | 'silent' | 'alive' | 'trial' }>;

export interface OutlierDetectionOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly publisher: Publisher;
  readonly overflow: Overflow;
  readonly log: Logger;
  /** Begins a heartbeat now, in place of one that is running if it is urgent; false where there is none. */
  readonly checkNow: (slot: number, isUrgent?: boolean) => boolean;
}

export class OutlierDetection {
  readonly #options: OutlierDetectionOptions;
  /** One timer per endpoint: the end of its ejection, suspicion or patience. */
  readonly #timers = new Map<number, TimerHandle>();
  /** When the limit last forbade an ejection, by slot: each episode is logged once. */
  readonly #refusedMs = new Map<number, number>();

  constructor(options: OutlierDetectionOptions) {
    this.#options = options;
  }

  /** Takes a worker's report about an endpoint of the present generation. */
  onMessage(health: EndpointHealth, message: OutlierMessage): void {
    switch (message.kind) {
      case 'threshold':
        return this.#onThreshold(health, message.signal);
      case 'suspect':
        return this.#onSuspect(health, message.signal);
      case 'silent':
        return this.#onSilent(health);
      case 'alive':
        return this.#onAlive(health);
      case 'trial':
        return this.#onTrial(health, message.ok);
    }
  }

  /** Takes a heartbeat that has passed and been counted: it may clear, release or restore. */
  onPass(health: EndpointHealth, record: HeartbeatRecord, words: string): void {
    const { outlier, sinceMs, untilMs, signal } = health.state.outlier;
    const nowMs = this.#options.clock.nowMs();
    const isNewer = record.startedMs >= sinceMs;
    if (outlier === 'suspect' && nowMs >= untilMs && isNewer && hasSight(health, signal)) {
      this.#step(health, { kind: 'clear' }, 'heartbeat', words);
    } else if (outlier === 'ejected' && nowMs >= untilMs) {
      this.#releaseWhenPassing(health);
    } else if (outlier === 'ejected' && signal === 'connect' && isNewer && hasSight(health, signal)) {
      this.#step(health, { kind: 'release' }, 'heartbeat', `it accepts connections again, ${words}`);
    } else if (outlier === 'halfOpen' && nowMs - sinceMs >= TRIAL_PATIENCE_MS && hasSight(health, signal)) {
      if (!this.#options.publisher.isTrialRunning(health.slot)) {
        this.#step(health, { kind: 'restore' }, 'heartbeat', `no request came to try it, ${words}`);
      }
    }
  }

  /**
   * Takes an endpoint that fails more often than the others do. How it behaved since `illSinceMs` (monotonic ms)
   * forgives no earlier ejection.
   */
  onOutlier(health: EndpointHealth, cause: string, illSinceMs: number): void {
    if (!isJudgeable(health)) return;
    const jitter = this.#options.random.next();
    this.#condemn(health, { kind: 'eject', signal: null, jitter, illSinceMs }, { detector: 'outlierTest', cause });
  }

  /** Takes every edge of an endpoint's state after it was published. */
  onEdge(health: EndpointHealth, edge: StateEdge): void {
    if (edge.axis === 'outlier') this.#onOutlierEdge(health);
    if (isUsable(edge.before) && !isUsable(edge.after)) this.#rescue(health.upstream);
  }

  /** After a reload: ejections end that wait for heartbeats no longer made, or for endpoints no longer there. */
  onReload(upstream: UpstreamHealth): void {
    for (const health of upstream.endpoints.values()) {
      const { outlier, untilMs } = health.state.outlier;
      if (outlier === 'ejected' && this.#options.clock.nowMs() >= untilMs) this.#releaseWhenPassing(health);
    }
    this.#rescue(upstream);
  }

  /** Drops all state of a slot: its endpoint is removed. */
  forget(slot: number): void {
    this.#timers.get(slot)?.cancel();
    this.#timers.delete(slot);
    this.#refusedMs.delete(slot);
  }

  #onThreshold(health: EndpointHealth, signal: Signal): void {
    if (!isJudgeable(health)) return;
    const { consecutiveFailures } = health.upstream.snapshot.passive;
    const cause = `${consecutiveFailures} failures in a row, the last one: ${signalWords(signal)}`;
    const jitter = this.#options.random.next();
    const because = { detector: 'consecutiveFailures', cause } as const;
    const isEjected = this.#condemn(health, { kind: 'eject', signal, jitter }, because);
    if (!isEjected) this.#options.publisher.restartCount(health.slot);
  }

  /**
   * Ejects an endpoint within the limit (docs/algorithms.md 3.5); beyond it the endpoint carries less from now on. Returns
   * whether it is ejected.
   */
  #condemn(health: EndpointHealth, event: OutlierEvent, because: Because): boolean {
    const { detector, cause } = because;
    if (isEjectionAllowed(health.upstream.census(), health.upstream.snapshot.passive.maxEjectedPercent)) {
      this.#step(health, event, detector, cause);
      return true;
    }
    this.#refuse(health, cause);
    this.#options.overflow.take(health, because);
    return false;
  }

  #onSuspect(health: EndpointHealth, signal: Signal): void {
    const isCheckable = hasSight(health, signal);
    const cause = `live traffic: ${signalWords(signal)}`;
    this.#step(health, { kind: 'suspect', signal, isCheckable }, 'firstFailure', cause);
  }

  /** A failed heartbeat agrees with the request that waits, and takes the endpoint down at once. */
  #onSilent(health: EndpointHealth): void {
    if (!hasSight(health, 'slow')) return;
    health.silentSinceMs = this.#options.clock.nowMs();
    if (!this.#options.checkNow(health.slot)) health.silentSinceMs = null;
  }

  /**
   * A passed heartbeat agrees with the live request, and brings the endpoint up at once. One that is running began before
   * the endpoint was well, and may hang until its timeout.
   */
  #onAlive(health: EndpointHealth): void {
    if (health.state.check.check !== 'down') return;
    health.aliveSinceMs = this.#options.clock.nowMs();
    if (!this.#options.checkNow(health.slot, true)) health.aliveSinceMs = null;
  }

  #onTrial(health: EndpointHealth, isGood: boolean): void {
    if (health.state.outlier.outlier !== 'halfOpen') return;
    if (isGood) return this.#step(health, { kind: 'restore' }, 'trial', 'a live request went well');
    if (health.upstream.census().usable > 0) {
      const jitter = this.#options.random.next();
      this.#step(health, { kind: 'eject', signal: null, jitter }, 'trial', 'its trial failed');
    } else {
      this.#options.publisher.reopenTrial(health.slot);
      this.#refuse(health, 'its trial failed');
    }
  }

  #refuse(health: EndpointHealth, cause: string): void {
    health.counters.ejectionsRefused++;
    const nowMs = this.#options.clock.nowMs();
    const lastMs = this.#refusedMs.get(health.slot) ?? Number.NEGATIVE_INFINITY;
    this.#refusedMs.set(health.slot, nowMs);
    const { passive, name } = health.upstream.snapshot;
    if (nowMs - lastMs < passive.ejectionBaseMs) return;
    const { members, out, usable } = health.upstream.census();
    const why = `${out} of ${members} endpoints of ${name} are out and ${usable} usable`;
    const text = `endpoint ${health.endpoint.name} is not ejected, ${why}: ${cause}`;
    this.#options.log.warn({ upstream: name, endpoint: health.endpoint.name, cause }, text);
  }

  #onOutlierEdge(health: EndpointHealth): void {
    const { outlier, sinceMs, untilMs } = health.state.outlier;
    this.#timers.get(health.slot)?.cancel();
    this.#timers.delete(health.slot);
    switch (outlier) {
      case 'none':
        return;
      case 'suspect':
        health.counters.suspicions++;
        return this.#at(health, untilMs, () => this.#decideSuspicion(health));
      case 'ejected':
        health.counters.ejections++;
        this.#options.checkNow(health.slot);
        return this.#at(health, untilMs, () => this.#releaseWhenPassing(health));
      case 'halfOpen':
        return this.#at(health, sinceMs + TRIAL_PATIENCE_MS, () => void this.#options.checkNow(health.slot));
    }
  }

  /**
   * The minimum time of the suspicion is over. A heartbeat that covers the failure decides; one is started now, and more
   * follow at the fast interval while the result is unknown. Without such a heartbeat, or without a decision within the
   * base time of an ejection, the suspicion is cleared: if it was right, further failures raise it again.
   */
  #decideSuspicion(health: EndpointHealth): void {
    const { signal } = health.state.outlier;
    if (!hasSight(health, signal) || !this.#options.checkNow(health.slot)) {
      return this.#step(health, { kind: 'clear' }, 'timer', 'time has passed, and no heartbeat could tell');
    }
    if (health.state.outlier.outlier !== 'suspect') return;
    const patienceMs = health.upstream.snapshot.passive.ejectionBaseMs;
    this.#at(health, this.#options.clock.nowMs() + patienceMs, () => {
      this.#step(health, { kind: 'clear' }, 'timer', 'time has passed, and heartbeats could not tell');
    });
  }

  /** An ejection is over when its time is, and heartbeats, where there are any, have nothing against it. */
  #releaseWhenPassing(health: EndpointHealth): void {
    const { check, settings } = health.state;
    if (health.upstream.snapshot.heartbeat !== null && !isFirmlyUp(check, settings.thresholds)) return;
    this.#step(health, { kind: 'release' }, 'timer', 'its ejection is over, a live request decides');
  }

  /** Ends ejections when no endpoint is usable: a doubtful endpoint is better than none. */
  #rescue(upstream: UpstreamHealth): void {
    if (upstream.census().usable > 0) return;
    for (const health of upstream.endpoints.values()) {
      if (health.state.availability !== 'ejected') continue;
      const cause = `no other endpoint of ${upstream.snapshot.name} is usable`;
      this.#step(health, { kind: 'release' }, 'lastResort', cause);
    }
  }

  #step(health: EndpointHealth, event: OutlierEvent, detector: Detector, cause: string): void {
    health.state.liveTraffic(event, this.#options.clock.nowMs(), { detector, cause });
  }

  /** Sets the endpoint's one timer, or acts at once. */
  #at(health: EndpointHealth, whenMs: number, act: () => void): void {
    const delayMs = whenMs - this.#options.clock.nowMs();
    if (delayMs <= 0) return act();
    this.#timers.get(health.slot)?.cancel();
    this.#timers.set(health.slot, this.#options.timers.after(delayMs, act));
  }
}

/** Whether live traffic may eject the endpoint: not if it is out already or in maintenance. */
function isJudgeable({ state }: EndpointHealth): boolean {
  const { outlier } = state.outlier;
  const isOut = outlier === 'ejected' || outlier === 'halfOpen';
  return !isOut && state.check.check !== 'down' && state.axes.admin !== 'maintenance';
}

function hasSight({ upstream, endpoint }: EndpointHealth, signal: Signal | null): boolean {
  const { heartbeat } = upstream.snapshot;
  return heartbeat !== null && canSee({ heartbeat, endpoint, upstream: upstream.snapshot }, signal);
}
