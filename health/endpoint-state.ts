// The state of one endpoint: four axes, joined by availabilityOf. Every edge of every axis goes through one function
// (`#enter`), which holds it against the axis' table of allowed edges and reports it. Thread: main.

import assert from 'node:assert/strict';
import {
  availabilityOf,
  type Admin,
  type Availability,
  type EndpointAxes,
  type Resolution,
} from '../core/availability.ts';
import { ADMIN_EDGES, stepAdmin } from './admin-axis.ts';
import {
  CHECK_EDGES,
  CHECK_UNKNOWN,
  retuneCheck,
  stepCheck,
  type CheckEvent,
  type CheckState,
  type CheckThresholds,
} from './check-axis.ts';
import {
  OUTLIER_EDGES,
  OUTLIER_NONE,
  stepOutlier,
  type OutlierEvent,
  type OutlierSettings,
  type OutlierState,
} from './outlier-axis.ts';
import { RESOLUTION_EDGES, stepResolution } from './resolution-axis.ts';

export type AxisName = keyof EndpointAxes;

/** One edge that was taken. */
export interface StateEdge {
  readonly axis: AxisName;
  readonly from: string;
  readonly to: string;
  /** Why, in words. */
  readonly cause: string;
  /** Availability before and after; often the same. */
  readonly before: Availability;
  readonly after: Availability;
}

export interface StateSettings {
  readonly thresholds: CheckThresholds;
  readonly outlier: OutlierSettings;
}

interface AxisStates {
  admin: Admin;
  check: CheckState;
  outlier: OutlierState;
  resolution: Resolution;
}

/** What it takes to leave one value of an axis for another. */
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
  #states: AxisStates = { admin: 'ready', check: CHECK_UNKNOWN, outlier: OUTLIER_NONE, resolution: 'resolved' };

  /** @param onEdge is told of every edge after it was taken, once. */
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

  get check(): CheckState {
    return this.#states.check;
  }

  get outlier(): OutlierState {
    return this.#states.outlier;
  }

  /** Takes changed settings (a reload). The verdicts stay; a streak of heartbeats begins anew. */
  retune(settings: StateSettings): void {
    const before = this.#settings.thresholds;
    this.#settings = settings;
    if (before.rise === settings.thresholds.rise && before.fall === settings.thresholds.fall) return;
    this.#states.check = retuneCheck(this.#states.check, settings.thresholds);
  }

  /** What the operator wants. Maintenance forgets what was known: no heartbeat and no request will renew it. */
  setAdmin(wanted: Admin, nowMs: number, cause: string): void {
    this.#enter('admin', { ...this.#states, admin: stepAdmin(this.#states.admin, wanted) }, cause);
    if (this.#states.admin !== 'maintenance') return;
    this.heartbeat('forget', nowMs, 'in maintenance');
    this.liveTraffic({ kind: 'forget' }, nowMs, 'in maintenance');
  }

  setResolution(found: Resolution, cause: string): void {
    this.#enter('resolution', { ...this.#states, resolution: stepResolution(this.#states.resolution, found) }, cause);
  }

  /**
   * An event of the check axis. An endpoint that goes down leaves the outlier axis: heartbeats have taken over, and
   * their recovery is proof of what an ejection waits for.
   */
  heartbeat(event: CheckEvent, nowMs: number, cause: string): void {
    if (this.#states.admin === 'maintenance' && event !== 'forget') return;
    const check = stepCheck(this.#states.check, event, this.#settings.thresholds);
    this.#enter('check', { ...this.#states, check }, cause);
    if (check.check === 'down') this.liveTraffic({ kind: 'forget' }, nowMs, 'heartbeats say down');
  }

  /** An event of the outlier axis. Refused in maintenance and while heartbeats say down, but for `forget`. */
  liveTraffic(event: OutlierEvent, nowMs: number, cause: string): void {
    const isRuledOut = this.#states.admin === 'maintenance' || this.#states.check.check === 'down';
    if (isRuledOut && event.kind !== 'forget') return;
    const outlier = stepOutlier(this.#states.outlier, event, nowMs, this.#settings.outlier);
    this.#enter('outlier', { ...this.#states, outlier }, cause);
  }

  /** The one way from state to state. */
  #enter(axis: AxisName, next: AxisStates, cause: string): void {
    const from = this.axes[axis];
    const before = this.availability;
    this.#states = next;
    const to = this.axes[axis];
    if (from === to) return;
    assert(EDGES[axis][from]?.includes(to), `no edge from ${from} to ${to} on the axis ${axis}`);
    this.#onEdge({ axis, from, to, cause, before, after: this.availability });
  }
}
