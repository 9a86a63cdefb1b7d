// Log lines for operators: states, causes and durations as text. Pure. Thread: main.

import type { Availability } from '../../core/availability.ts';
import type { Signal } from '../../core/failure.ts';
import type { HeartbeatSnapshot } from '../../core/snapshot/health.ts';
import { streakOf, type CheckEvent, type CheckState, type CheckThresholds } from '../state/check-axis.ts';
import { isUsable } from '../outlier/ejection-limit.ts';
import type { StateEdge } from '../state/endpoint-state.ts';
import type { HeartbeatResult } from '../checkers/checker.ts';
import { checkerNamed } from '../checkers/checkers.ts';

const SIGNAL_WORDS: Readonly<Record<Signal, string>> = {
  connect: 'could not connect',
  resetBefore: 'connection reset before a response',
  staleConnection: 'several idle connections were closed early',
  refusedStream: 'refused a request unprocessed (GOAWAY or REFUSED_STREAM)',
  timeout: 'no response in time',
  slow: 'slow: several requests wait for a response far longer than usual',
  slowUrl: 'slow URL: no response in time, while other requests were answered',
  unfinished: 'it failed before the client had sent the whole request',
  gateway: 'answered 502, 503 or 504',
  protocol: 'malformed response',
  server: 'answered 5xx',
  overload: 'overloaded (429, or 503 with Retry-After)',
  resetBody: 'response cut short',
  client: 'the client went away',
  ok: 'a good answer',
};

const AVAILABILITY_WORDS: Readonly<Record<Availability, string>> = {
  up: 'is up',
  suspect: 'is suspect',
  halfOpen: 'is half-open',
  ejected: 'is ejected',
  down: 'is down',
  drain: 'is draining',
  unresolved: 'has no address',
  maintenance: 'is in maintenance',
};

/** `750 ms`, `1 s`, `10.3 s`, `5 min`, `3.5 h`, `12 days`. */
export function durationWords(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  if (ms < 7_200_000) return `${Number((ms / 60_000).toFixed(1))} min`;
  if (ms < 172_800_000) return `${Number((ms / 3_600_000).toFixed(1))} h`;
  return `${Number((ms / 86_400_000).toFixed(1))} days`;
}

/** `52 %`, `1.2 %`, `0 %`. */
export function percentWords(share: number): string {
  const percent = share * 100;
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)} %`;
}

/** Text of a signal of live traffic. */
export function signalWords(signal: Signal): string {
  return SIGNAL_WORDS[signal];
}

/** Name and result of a heartbeat: `heartbeat GET /healthz got 503`, `TCP heartbeat: connection refused`. */
export function heartbeatWords(heartbeat: HeartbeatSnapshot, result: HeartbeatResult): string {
  const name = checkerNamed(heartbeat.kind).describe(heartbeat);
  return result.cause.startsWith('got ') ? `${name} ${result.cause}` : `${name}: ${result.cause}`;
}

/** Progress of the check axis after a heartbeat: `2 of 3 failed`, `2 of 2 passed`, `first check`. */
export function streakWords(state: CheckState, event: CheckEvent, thresholds: CheckThresholds): string {
  if (event === 'condemn') return 'confirms what live traffic saw';
  if (event === 'restore') return 'enough, because live traffic succeeds or no other endpoint is usable';
  if (state.check === 'unknown') return 'first check';
  const count = streakOf(state, thresholds) + 1;
  return event === 'pass' ? `${count} of ${thresholds.rise} passed` : `${count} of ${thresholds.fall} failed`;
}

/** Details of an ejection in its line. */
export interface EjectionWords {
  readonly lengthMs: number;
  readonly inRow: number;
}

/** Parts of a transition's line. */
export interface EdgeLineParts {
  readonly endpoint: string;
  readonly upstream: string;
  readonly edge: StateEdge;
  /** Endpoints of the upstream that take requests after the edge, and all of them. */
  readonly usable: number;
  readonly total: number;
  readonly ejection: EjectionWords;
}

/** The line of one transition, as in `endpoint api/10.0.0.1:3000 is down: ...; 2 of 3 endpoints of api remain`. */
export function edgeLine({ endpoint, upstream, edge, usable, total, ejection }: EdgeLineParts): string {
  if (edge.before === edge.after) {
    return `endpoint ${endpoint} stays ${edge.after}, ${edge.axis} goes from ${edge.from} to ${edge.to}: ${edge.cause}`;
  }
  const state = AVAILABILITY_WORDS[edge.after] + (edge.after === 'ejected' ? ejectionWords(ejection) : '');
  const isBetter = isUsable(edge.after);
  return `endpoint ${endpoint} ${state}: ${edge.cause}; ${remainderWords(upstream, usable, total, isBetter)}`;
}

function ejectionWords(ejection: EjectionWords): string {
  const inRow = ejection.inRow > 1 ? ` (ejection ${ejection.inRow} in a row)` : '';
  return ` for ${durationWords(ejection.lengthMs)}${inRow}`;
}

function remainderWords(upstream: string, usable: number, total: number, isBetter: boolean): string {
  if (usable === 0) return `no endpoint of ${upstream} remains`;
  const verb = isBetter ? (usable === 1 ? 'is usable' : 'are usable') : usable === 1 ? 'remains' : 'remain';
  return `${usable} of ${total} endpoints of ${upstream} ${verb}`;
}
