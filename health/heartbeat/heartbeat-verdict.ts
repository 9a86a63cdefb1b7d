// Verdict on a heartbeat result, given the endpoint's present state: counted, contradicted by live traffic, or the
// confirmation of a suspicion. Pure. Thread: main.

import type { Signal } from '../../core/failure.ts';
import type { EndpointState } from '../state/endpoint-state.ts';
import { checkerNamed } from '../checkers/checkers.ts';
import type { HeartbeatRecord, HeartbeatTarget } from '../checkers/checker.ts';

/** `condemn`: down at once. `restore`: up at once. `contradicted` and `unknown` count for nothing. */
export type HeartbeatVerdict = 'pass' | 'fail' | 'condemn' | 'restore' | 'contradicted' | 'unknown';

/** Evidence besides the result. */
export interface Evidence {
  readonly state: EndpointState;
  /** Ms since the last good answer to live traffic; Infinity where there was none. */
  readonly liveSuccessAgeMs: number;
  /** How long a good answer speaks against a failed heartbeat. */
  readonly fastIntervalMs: number;
  /** Whether the upstream can do without the endpoint (ejection-limit.ts); called only if it matters. */
  isDispensable(): boolean;
  /** Monotonic ms since which a live request has waited and nothing was answered; null where none is known. */
  readonly silentSinceMs: number | null;
  /** Monotonic ms since which it has answered live requests although it is down; null where it hasn't. */
  readonly aliveSinceMs: number | null;
  /** Whether no endpoint of the upstream is up and free of suspicion; called only if it matters. */
  isNoneUp(): boolean;
  readonly nowMs: number;
}

/**
 * Rules, in this order:
 * 0. A server that has another role than the expected one is down at once, whatever live traffic shows.
 * 1. A failure while live traffic got a good answer within the last fast interval doesn't count (docs/algorithms.md 2.3:
 *    bursts of lost checks). While the endpoint is suspect the good answer must be younger than the suspicion: the
 *    requests that a killed process had just answered are no proof of life.
 * 2. A failure of a heartbeat that began after a suspicion confirms it: live traffic and heartbeat agree, and the
 *    endpoint is down without waiting for `fall` failures. Only where the upstream can do without it: one bad second
 *    of our own network must not take down all.
 * 3. A pass of an endpoint that is down brings it up without waiting for `rise` passes where it agrees with live traffic,
 *    or where no other endpoint is up: one that answered once is better than none.
 * 4. What remains counts.
 */
export function judgeHeartbeat(record: HeartbeatRecord, evidence: Evidence): HeartbeatVerdict {
  if (record.kind === 'unknown') return 'unknown';
  const isDown = evidence.state.check.check === 'down';
  if (record.kind === 'ok') return isDown && isEnough(record, evidence) ? 'restore' : 'pass';
  if (isDown) return 'fail';
  if (record.isWrongRole === true) return 'condemn';
  if (evidence.liveSuccessAgeMs < contradictionWindowMs(evidence)) return 'contradicted';
  const isConfirmation = record.startedMs >= accusedSinceMs(evidence);
  return isConfirmation && evidence.isDispensable() ? 'condemn' : 'fail';
}

/** Whether one pass is enough. */
function isEnough(record: HeartbeatRecord, evidence: Evidence): boolean {
  const { aliveSinceMs } = evidence;
  return (aliveSinceMs !== null && record.startedMs >= aliveSinceMs) || evidence.isNoneUp();
}

/** Monotonic ms at which live traffic first accused the endpoint; Infinity where it doesn't. */
function accusedSinceMs({ state, silentSinceMs }: Evidence): number {
  if (state.outlier.outlier === 'suspect') return state.outlier.sinceMs;
  return silentSinceMs ?? Number.POSITIVE_INFINITY;
}

function contradictionWindowMs(evidence: Evidence): number {
  const sinceMs = accusedSinceMs(evidence);
  if (sinceMs === Number.POSITIVE_INFINITY) return evidence.fastIntervalMs;
  return Math.min(evidence.fastIntervalMs, evidence.nowMs - sinceMs);
}

/**
 * Ms from a stamp of the region to now. Both are ms since the region's origin in 32 bits, which wrap after 24 days,
 * hence the difference in 32 bits. Infinity for 0 (never), and for a stamp far in the future: the wall clock stepped.
 */
export function stampAgeMs(stamp: number, nowStampMs: number): number {
  if (stamp === 0) return Number.POSITIVE_INFINITY;
  const ageMs = (Math.floor(nowStampMs) - stamp) | 0;
  return ageMs < -1_000 ? Number.POSITIVE_INFINITY : Math.max(0, ageMs);
}

/**
 * Whether a heartbeat could see the failure that live traffic reported: a TCP connection sees only what keeps one from
 * being made, an HTTP or gRPC exchange also what comes after; on a port of its own it sees nothing of the endpoint's port.
 * `signal` null: live traffic failed, how isn't known.
 */
export function canSee({ heartbeat, endpoint }: HeartbeatTarget, signal: Signal | null): boolean {
  const isOwnPort = heartbeat.port === 0 || heartbeat.port === endpoint.port;
  return isOwnPort && checkerNamed(heartbeat.kind).covers(signal);
}
