// How many endpoints of an upstream may be out by our own judgement (docs/algorithms.md 3.5). Thread: main.

import type { Availability, EndpointAxes } from '../../core/availability.ts';

/** Input of the limit. */
export interface Census {
  /** Endpoints that the operator wants in service and that have an address. */
  readonly members: number;
  /** Of these, how many failed checks or ejections (half-open included) keep out now. */
  readonly out: number;
  /** Endpoints that take ordinary requests now: up or suspect. */
  readonly usable: number;
}

/** Whether an endpoint takes ordinary requests. */
export function isUsable(availability: Availability): boolean {
  return availability === 'up' || availability === 'suspect';
}

/** Availabilities at which ordinary traffic stops, but for a drain, which keeps sticky clients. */
const OUT: ReadonlySet<Availability> = new Set(['halfOpen', 'ejected', 'down', 'unresolved', 'maintenance']);

/** Whether ordinary traffic has stopped, so that what comes after is a return. */
export function isOut(availability: Availability): boolean {
  return OUT.has(availability);
}

/** Counts the endpoints of one upstream, all tiers together: a primary may be ejected where a backup stands in. */
export function takeCensus(endpoints: Iterable<{ axes: EndpointAxes; availability: Availability }>): Census {
  let members = 0;
  let out = 0;
  let usable = 0;
  for (const { axes, availability } of endpoints) {
    if (axes.admin === 'ready' && axes.resolution === 'resolved') {
      members++;
      if (axes.check === 'down' || axes.outlier === 'ejected' || axes.outlier === 'halfOpen') out++;
    }
    if (isUsable(availability)) usable++;
  }
  return { members, out, usable };
}

/**
 * Most endpoints that may be out at once: the share rounded up, at least one, never all of them. 0 per cent turns
 * ejection off. Of two, one; of three at 50 %, two; of one, none.
 */
export function ejectionCap(members: number, maxEjectedPercent: number): number {
  if (maxEjectedPercent <= 0) return 0;
  const share = Math.max(1, Math.ceil((members * maxEjectedPercent) / 100));
  return Math.max(0, Math.min(share, members - 1));
}

/**
 * Whether one more endpoint may be ejected: failed checks and ejections, this one included, must stay within the cap.
 * Members that are not out are usable, and the cap is below their number: so another one stays usable.
 */
export function isEjectionAllowed(census: Census, maxEjectedPercent: number): boolean {
  return census.out + 1 <= ejectionCap(census.members, maxEjectedPercent);
}
