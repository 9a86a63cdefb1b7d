// Schedule of heartbeats: the delay of the first one, the interval by state, the jitter (docs/algorithms.md 2.2). Pure.
// Thread: main.

import { E_INFLIGHT, UPSTREAM } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import { murmur32OfString } from '../../core/murmur.ts';
import type { Random } from '../../core/random.ts';
import type { HeartbeatSnapshot } from '../../core/snapshot/health.ts';
import { isTransitional } from '../state/check-axis.ts';
import type { EndpointHealth, UpstreamHealth } from '../state/endpoint-health.ts';
import { isUsable } from '../outlier/ejection-limit.ts';
import { limitOf } from '../weight/weight-shares.ts';

/** The interval in use; `none` where heartbeats are off (maintenance, no address). */
export type IntervalChoice = 'normal' | 'fast' | 'backedOff' | 'none';

/** Most time over which first heartbeats are spread: a process that starts should know its endpoints soon. */
const SPREAD_MS = 2_000;
/** Intervals vary by this share either way, so that endpoints checked together drift apart. */
const JITTER = 0.1;
/**
 * An endpoint that is down is checked as often as one that is up for this long, because restarts and deployments end
 * within it. A slower interval from the start cost 0.8 to 1.2 % of requests when faults on two endpoints overlapped.
 */
const BACK_OFF_AFTER_MS = 120_000;

/** Share of its usable limits above which an upstream counts as short of capacity: beyond it requests start to queue. */
const FULL_SHARE = 0.8;
/** Share of the weight in service that must be usable while there is load: with less, each endpoint carries twice its part. */
const MIN_USABLE_SHARE = 0.5;

/** Ms from the start to an endpoint's first heartbeat: derived from its name, so the same in every run. */
export function firstDelayMs(endpointName: string, heartbeat: HeartbeatSnapshot): number {
  const spreadMs = Math.max(1, Math.min(heartbeat.intervalMs, SPREAD_MS));
  return murmur32OfString(endpointName, 0) % spreadMs;
}

/** Ms between the starts of two heartbeats, before the jitter. Infinity where there are none. */
export function intervalMs(heartbeat: HeartbeatSnapshot, choice: IntervalChoice): number {
  if (choice === 'none') return Number.POSITIVE_INFINITY;
  if (choice === 'backedOff') return heartbeat.downIntervalMs;
  return choice === 'fast' ? heartbeat.fastIntervalMs : heartbeat.intervalMs;
}

/** `plainMs` varied uniformly by up to a tenth either way. */
export function jittered(plainMs: number, random: Random): number {
  return plainMs * (1 + JITTER * (2 * random.next() - 1));
}

/**
 * Chooses the interval by state: fast wherever the next result may change something that traffic needs.
 * @param lacksCapacity whether the upstream needs the endpoint back
 */
export function chooseInterval(health: EndpointHealth, nowMs: number, lacksCapacity: () => boolean): IntervalChoice {
  const { axes, check, settings, wishes } = health.state;
  if (wishes.operator === 'maintenance') return 'none';
  // A maintenance that the endpoint itself requested ends with a heartbeat that says so.
  if (wishes.agent === 'maintenance') return 'normal';
  if (axes.resolution === 'unresolved') return lacksCapacity() ? 'fast' : 'normal';
  if (axes.check === 'down' && check.counter === 0) {
    if (lacksCapacity()) return 'fast';
    const isDownForLong = health.state.availability === 'down' && nowMs - health.since.nowMs >= BACK_OFF_AFTER_MS;
    return isDownForLong ? 'backedOff' : 'normal';
  }
  const isUndecided = axes.outlier === 'suspect' || health.isContradicted || health.isCheckerFailing;
  return isUndecided || isTransitional(check, settings.thresholds) ? 'fast' : 'normal';
}

/**
 * Whether an upstream needs its endpoints back sooner: none is usable, requests wait for one, the limits of the usable
 * ones are nearly reached, or under load half of the weight or more is out.
 */
export function lacksCapacity(upstream: UpstreamHealth, region: Region): boolean {
  const record = region.upstreamWord(upstream.snapshot.index);
  if (region.words[record + UPSTREAM.queued.index]! > 0) return true;
  let inflight = 0;
  let limit = 0;
  let usableWeight = 0;
  let weight = 0;
  for (const health of upstream.endpoints.values()) {
    inflight += Math.max(0, region.words[region.endpointWord(health.slot) + E_INFLIGHT]!);
    if (health.state.axes.admin === 'ready') weight += health.weight;
    if (!isUsable(health.state.availability)) continue;
    usableWeight += health.weight;
    limit += limitOf(health) || Number.POSITIVE_INFINITY;
  }
  if (usableWeight === 0) return true;
  return inflight >= limit * FULL_SHARE || (inflight > 0 && usableWeight <= weight * MIN_USABLE_SHARE);
}
