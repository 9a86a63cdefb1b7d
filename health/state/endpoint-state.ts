// The state of one endpoint: four axes, joined by availabilityOf. Every edge of every axis goes through one function
// (`#enter`), which holds it against the axis' table of allowed edges and reports it. Thread: main.

import assert from 'node:assert/strict';
import {
  ADMIN,
  availabilityOf,
  type Admin,
  type Availability,
  type EndpointAxes,
  type Resolution,
} from '../../core/availability.ts';
import {
  CHECK_EDGES,
  CHECK_UNKNOWN,
  retuneCheck,
  stepCheck,
  type CheckEvent,
  type CheckState,
  type CheckThresholds,
} from './check-axis.ts';
import type { Because } from './detector.ts';
import {
  OUTLIER_EDGES,
  OUTLIER_NONE,
  stepOutlier,
  type OutlierEvent,
  type OutlierSettings,
  type OutlierState,
} from './outlier-axis.ts';

/** Allowed transitions of the operator axis: all of them. */
export const ADMIN_EDGES: Readonly<Record<Admin, readonly Admin[]>> = {
  ready: ['drain', 'maintenance'],
  drain: ['ready', 'maintenance'],
  maintenance: ['ready', 'drain'],
};

/** Allowed transitions of the resolution axis. */
export const RESOLUTION_EDGES: Readonly<Record<Resolution, readonly Resolution[]>> = {
  resolved: ['unresolved'],
  unresolved: ['resolved'],
};

export type AxisName = keyof EndpointAxes;

/** One edge that was taken, and why. */
export interface StateEdge extends Because {
  readonly axis: AxisName;
  readonly from: string;
  readonly to: string;
  /** Availability before and after; often the same. */
  readonly before: Availability;
  readonly after: Availability;
}

export interface StateSettings {
  readonly thresholds: CheckThresholds;
  readonly outlier: OutlierSettings;
}

/** Sources of a requested state (ready, drain, maintenance). The strictest request applies. */
export type Requester = 'operator' | 'agent';
export type RequestedStates = Readonly<Record<Requester, Admin>>;

interface AxisStates {
  wishes: RequestedStates;
  admin: Admin;
  check: CheckState;
  outlier: OutlierState;
  resolution: Resolution;
}

/** Allowed transitions of one axis. */
type EdgeTable = Readonly<Record<string, readonly string[]>>;

const EDGES: Readonly<Record<AxisName, EdgeTable>> = {
  admin: ADMIN_EDGES,
  check: CHECK_EDGES,
  outlier: OUTLIER_EDGES,
  resolution: RESOLUTION_EDGES,
};

/** Holds the axes of one endpoint. Events that the present state refuses change nothing and report nothing. */
export class EndpointState {
  #settings: StateSettings;
  readonly #onEdge: (edge: StateEdge) => void;
  #states: AxisStates = {
    wishes: { operator: 'ready', agent: 'ready' },
    admin: 'ready',
    check: CHECK_UNKNOWN,
    outlier: OUTLIER_NONE,
    resolution: 'resolved',
  };

  /** @param onEdge called once for every transition, after it was made */
  constructor(settings: StateSettings, onEdge: (edge: StateEdge) => void) {
    this.#settings = settings;
    this.#onEdge = onEdge;
  }

  get settings(): StateSettings {
    return this.#settings;
  }

  get axes(): EndpointAxes {
    const { admin, check, outlier, resolution } = this.#states;
    return { admin, check: check.check, outlier: outlier.outlier, resolution };
  }

  get availability(): Availability {
    return availabilityOf(this.axes);
  }

  /** Requested states, from which the admin axis follows. */
  get wishes(): RequestedStates {
    return this.#states.wishes;
  }

  get check(): CheckState {
    return this.#states.check;
  }

  get outlier(): OutlierState {
    return this.#states.outlier;
  }

  /** Applies changed settings (a reload). Verdicts stay; a streak of heartbeats restarts. */
  retune(settings: StateSettings): void {
    const before = this.#settings.thresholds;
    this.#settings = settings;
    if (before.rise === settings.thresholds.rise && before.fall === settings.thresholds.fall) return;
    this.#states.check = retuneCheck(this.#states.check, settings.thresholds);
  }

  /**
   * Sets the state that the operator or the endpoint itself requests (`because.detector`). Neither cancels the other's
   * request. Maintenance discards check and outlier states: no request will renew them.
   */
  setAdmin(wanted: Admin, nowMs: number, because: Because & { readonly detector: Requester }): void {
    const wishes = { ...this.#states.wishes, [because.detector]: wanted };
    this.#enter('admin', { ...this.#states, wishes, admin: strictest(wishes) }, because);
    if (this.#states.admin !== 'maintenance') return;
    const consequence = { ...because, cause: 'in maintenance' };
    this.heartbeat('forget', nowMs, consequence);
    this.liveTraffic({ kind: 'forget' }, nowMs, consequence);
  }

  setResolution(found: Resolution, because: Because): void {
    this.#enter('resolution', { ...this.#states, resolution: found }, because);
  }

  /**
   * An event of the check axis. An endpoint that goes down leaves the outlier axis: heartbeats have taken over, and
   * their recovery proves what an ejection waits for.
   */
  heartbeat(event: CheckEvent, nowMs: number, because: Because): void {
    if (this.#states.admin === 'maintenance' && event !== 'forget') return;
    const check = stepCheck(this.#states.check, event, this.#settings.thresholds);
    this.#enter('check', { ...this.#states, check }, because);
    if (check.check !== 'down') return;
    this.liveTraffic({ kind: 'forget' }, nowMs, { ...because, cause: 'it is down' });
  }

  /** An event of the outlier axis. Refused in maintenance and while heartbeats say down, but for `forget`. */
  liveTraffic(event: OutlierEvent, nowMs: number, because: Because): void {
    const isRuledOut = this.#states.admin === 'maintenance' || this.#states.check.check === 'down';
    if (isRuledOut && event.kind !== 'forget') return;
    const outlier = stepOutlier(this.#states.outlier, event, nowMs, this.#settings.outlier);
    this.#enter('outlier', { ...this.#states, outlier }, because);
  }

  /** The only transition function. */
  #enter(axis: AxisName, next: AxisStates, because: Because): void {
    const from = this.axes[axis];
    const before = this.availability;
    this.#states = next;
    const to = this.axes[axis];
    if (from === to) return;
    assert(EDGES[axis][from]?.includes(to), `no edge from ${from} to ${to} on the axis ${axis}`);
    const { detector, cause } = because;
    this.#onEdge({ axis, from, to, detector, cause, before, after: this.availability });
  }
}

/** The stricter of two requested states. */
function strictest({ operator, agent }: RequestedStates): Admin {
  return ADMIN[operator] >= ADMIN[agent] ? operator : agent;
}
