// The outlier axis: the endpoint's state by live traffic (docs/algorithms.md 3.4). Pure; whether an ejection is allowed and
// when a timer fires is decided in outlier-detection.ts. Thread: main.

import type { Outlier } from '../../core/availability.ts';
import type { Signal } from '../../core/failure.ts';

/** An ejection that a restart interrupted: until when, in monotonic ms, and which one in a row it is. */
interface Resumed {
  readonly untilMs: number;
  readonly ejections: number;
}

/** All in ms. */
export interface OutlierSettings {
  /** Length of a first ejection, and the healthy time that forgives one. */
  readonly ejectionBaseMs: number;
  /** Longest ejection, before the jitter. */
  readonly ejectionMaxMs: number;
  /** How long a second suspicion that a heartbeat can decide stands at least; doubles with each further one. */
  readonly suspicionStepMs: number;
}

export interface OutlierState {
  readonly outlier: Outlier;
  /** Monotonic ms at which it began. */
  readonly sinceMs: number;
  /** Monotonic ms before which it doesn't end by itself: of an ejection, or of a suspicion. */
  readonly untilMs: number;
  /** Cause of the suspicion or the ejection; null without one, or when it is unknown (a failed trial). */
  readonly signal: Signal | null;
  /** Ejections in a row, as of the last one; `ejectionsInRow` subtracts those forgiven since. */
  readonly ejections: number;
  /** Monotonic ms at which the endpoint last returned from an ejection. */
  readonly returnedMs: number;
  /** Suspicions in a row, and when the last one was cleared. */
  readonly suspicions: number;
  readonly clearedMs: number;
}

export type OutlierEvent =
  /** `isCheckable`: a heartbeat is there that could see such a failure. */
  | { readonly kind: 'suspect'; readonly signal: Signal; readonly isCheckable: boolean }
  /** The suspicion was wrong. */
  | { readonly kind: 'clear' }
  /** `jitter` is uniform in [0, 1). `illSinceMs`: start of the failures, if they lasted longer than a moment. */
  | {
      readonly kind: 'eject';
      readonly signal: Signal | null;
      readonly jitter: number;
      readonly illSinceMs?: number;
      readonly resumes?: Resumed;
    }
  /** The ejection is over: a live request may decide. */
  | { readonly kind: 'release' }
  /** The trial succeeded. */
  | { readonly kind: 'restore' }
  /** The state is void: maintenance, or heartbeats took the endpoint down. */
  | { readonly kind: 'forget' };

/** Edges that exist. */
export const OUTLIER_EDGES: Readonly<Record<Outlier, readonly Outlier[]>> = {
  none: ['suspect', 'ejected'],
  suspect: ['none', 'ejected'],
  ejected: ['halfOpen', 'none'],
  halfOpen: ['none', 'ejected'],
};

/** Where each event leads from; from elsewhere it is refused. */
const LEADS_FROM: Readonly<Record<OutlierEvent['kind'], readonly Outlier[]>> = {
  suspect: ['none'],
  clear: ['suspect'],
  eject: ['none', 'suspect', 'halfOpen'],
  release: ['ejected'],
  restore: ['halfOpen'],
  forget: ['none', 'suspect', 'ejected', 'halfOpen'],
};

/** An ejection is prolonged by up to this share, so that endpoints ejected together don't return together. */
const EJECTION_JITTER = 0.1;
/** How long a first suspicion stands that no heartbeat can decide: time enough for some canaries. */
const UNCHECKED_SUSPICION_MS = 1_000;
/** A suspicion never stands longer than this share of an ejection: it rests on less. */
const SUSPICION_CAP = 0.25;

const LONG_AGO = Number.NEGATIVE_INFINITY;

/** No evidence against the endpoint. */
export const OUTLIER_NONE: OutlierState = {
  outlier: 'none',
  sinceMs: LONG_AGO,
  untilMs: LONG_AGO,
  signal: null,
  ejections: 0,
  returnedMs: LONG_AGO,
  suspicions: 0,
  clearedMs: LONG_AGO,
};

/** The state after `event` at `nowMs`; the very same object where the event is refused. */
export function stepOutlier(
  state: OutlierState,
  event: OutlierEvent,
  nowMs: number,
  settings: OutlierSettings,
): OutlierState {
  if (!LEADS_FROM[event.kind].includes(state.outlier)) return state;
  switch (event.kind) {
    case 'suspect':
      return suspected(state, event, nowMs, settings);
    case 'clear':
      return { ...state, outlier: 'none', sinceMs: nowMs, signal: null, clearedMs: nowMs };
    case 'eject':
      return ejected(state, event, nowMs, settings);
    case 'release':
      return { ...state, outlier: 'halfOpen', sinceMs: nowMs };
    case 'restore':
      return { ...state, outlier: 'none', sinceMs: nowMs, signal: null, returnedMs: nowMs };
    default:
      return { ...OUTLIER_NONE, sinceMs: nowMs };
  }
}

type Suspicion = Extract<OutlierEvent, { kind: 'suspect' }>;
type Ejection = Extract<OutlierEvent, { kind: 'eject' }>;

function suspected(state: OutlierState, event: Suspicion, nowMs: number, settings: OutlierSettings): OutlierState {
  const isRepeated = nowMs - state.clearedMs < settings.ejectionBaseMs;
  const suspicions = isRepeated ? state.suspicions + 1 : 1;
  // A heartbeat settles a suspicion by time at once, however often: a slow answer is no failure.
  const isSettledAtOnce = event.signal === 'slow' && event.isCheckable;
  const untilMs = isSettledAtOnce ? nowMs : nowMs + suspicionLengthMs(suspicions, event.isCheckable, settings);
  return { ...state, outlier: 'suspect', sinceMs: nowMs, untilMs, signal: event.signal, suspicions };
}

/**
 * Ms that the `count`th suspicion in a row stands at least: nothing where an immediate heartbeat decides the first
 * one, then doubling, which damps an endpoint that is good every other time.
 */
function suspicionLengthMs(count: number, isCheckable: boolean, settings: OutlierSettings): number {
  if (isCheckable && count === 1) return 0;
  const capMs = settings.ejectionBaseMs * SUSPICION_CAP;
  const plainMs = isCheckable ? settings.suspicionStepMs * 2 ** (count - 2) : UNCHECKED_SUSPICION_MS * 2 ** (count - 1);
  return Math.min(capMs, plainMs);
}

function ejected(state: OutlierState, event: Ejection, nowMs: number, settings: OutlierSettings): OutlierState {
  const { signal, jitter, illSinceMs = nowMs, resumes } = event;
  if (resumes !== undefined) return { ...state, outlier: 'ejected', sinceMs: nowMs, signal, ...resumes };
  const ejections = Math.min(ejectionsInRow(state, illSinceMs, settings) + 1, mostInRow(settings));
  const plainMs = Math.min(settings.ejectionMaxMs, settings.ejectionBaseMs * ejections);
  const untilMs = nowMs + plainMs * (1 + EJECTION_JITTER * jitter);
  return { ...state, outlier: 'ejected', sinceMs: nowMs, untilMs, signal, ejections };
}

/** Ejections in a row that still count: each healthy stretch as long as the base time forgives one. */
export function ejectionsInRow(state: OutlierState, nowMs: number, settings: OutlierSettings): number {
  if (state.outlier === 'ejected' || state.outlier === 'halfOpen' || state.ejections === 0) return state.ejections;
  const healthyMs = Math.max(0, nowMs - state.returnedMs);
  return Math.max(0, state.ejections - Math.floor(healthyMs / settings.ejectionBaseMs));
}

/** More would not lengthen an ejection, only the time until it is forgiven: 30 with the default times. */
function mostInRow(settings: OutlierSettings): number {
  return Math.max(1, Math.ceil(settings.ejectionMaxMs / settings.ejectionBaseMs));
}
