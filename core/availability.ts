// Endpoint state: four independent axes, and the availability that follows from them (docs/design.md 4). Thread: both.

/** Operator axis: the state requested through the admin API or the CLI. */
export const ADMIN = { ready: 0, drain: 1, maintenance: 2 } as const;
export type Admin = keyof typeof ADMIN;

/** Check axis: the outcome of heartbeats. */
export const CHECK = { unknown: 0, up: 1, down: 2 } as const;
export type Check = keyof typeof CHECK;

/** Outlier axis: judgement by live traffic. `halfOpen`: the ejection has expired; one live request at a time is let through as a trial. */
export const OUTLIER = { none: 0, suspect: 1, ejected: 2, halfOpen: 3 } as const;
export type Outlier = keyof typeof OUTLIER;

/** Resolution axis: whether the endpoint's name resolves to an address. */
export const RESOLUTION = { resolved: 0, unresolved: 1 } as const;
export type Resolution = keyof typeof RESOLUTION;

/** The axes of one endpoint. They never merge: each has its own transition function in health/. */
export interface EndpointAxes {
  readonly admin: Admin;
  readonly check: Check;
  readonly outlier: Outlier;
  readonly resolution: Resolution;
}

/** Availability of an endpoint to picks; the number is its value in shared memory. */
export const AVAILABILITY = {
  up: 0,
  suspect: 1,
  halfOpen: 2,
  ejected: 3,
  down: 4,
  drain: 5,
  unresolved: 6,
  maintenance: 7,
} as const;
export type Availability = keyof typeof AVAILABILITY;

/** Names by number, for logs, metrics and the admin API. */
export const AVAILABILITY_NAMES = Object.keys(AVAILABILITY) as readonly Availability[];

/**
 * Availability as a pure function of the four axes. The first row that matches wins:
 *
 * | admin       | resolution | check | outlier  | availability |
 * |-------------|------------|-------|----------|--------------|
 * | maintenance | any        | any   | any      | maintenance  |
 * | any         | unresolved | any   | any      | unresolved   |
 * | drain       | any        | any   | any      | drain        |
 * | any         | any        | down  | any      | down         |
 * | any         | any        | any   | ejected  | ejected      |
 * | any         | any        | any   | halfOpen | halfOpen     |
 * | any         | any        | any   | suspect  | suspect      |
 * | any         | any        | any   | any      | up           |
 *
 * An endpoint whose check is still unknown is usable: there is no evidence against it.
 */
export function availabilityOf(axes: EndpointAxes): Availability {
  if (axes.admin === 'maintenance') return 'maintenance';
  if (axes.resolution === 'unresolved') return 'unresolved';
  if (axes.admin === 'drain') return 'drain';
  if (axes.check === 'down') return 'down';
  if (axes.outlier === 'ejected') return 'ejected';
  if (axes.outlier === 'halfOpen') return 'halfOpen';
  if (axes.outlier === 'suspect') return 'suspect';
  return 'up';
}
