// Share of requests that stays in their own zone: all of them while it has capacity to spare, then in proportion to what is
// left of it (docs/algorithms.md 5.5). Pure. Thread: both.

import type { Candidate } from '../core/balancer.ts';
import { FULL_FACTOR } from '../core/memory/layout.ts';
import type { Region } from '../core/memory/region.ts';
import type { EndpointSnapshot } from '../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import { CandidateTable } from './candidate-table.ts';
import { selectCandidates } from './candidates.ts';

/** Capacity of a set of endpoints: that of usable ones by weight and factor, and the weight of all. */
export interface Capacity {
  readonly usable: number;
  readonly total: number;
}

/**
 * The share of requests for the own zone, 0..1. Envoy's rule for priorities, with capacities in place of counts of hosts: each
 * side carries up to its usable share, multiplied by the overprovisioning factor 1 / `spillBelow`.
 * @param spillBelow usable share of the own zone below which requests spill over, above 0 and at most 1
 */
export function ownZoneShare(own: Capacity, other: Capacity, spillBelow: number): number {
  const healthy = healthOf(own, spillBelow);
  const spill = Math.min(1 - healthy, healthOf(other, spillBelow));
  const carried = healthy + spill;
  // Where both sides together can't carry everything, each takes its share of it.
  return carried === 0 ? 1 : healthy / carried;
}

function healthOf({ usable, total }: Capacity, spillBelow: number): number {
  return total === 0 ? 0 : Math.min(1, usable / total / spillBelow);
}

/** Endpoints by slot. */
export type Zones = ReadonlyMap<number, Pick<EndpointSnapshot, 'zone'>>;

/** Candidates of the own zone, and of all others. */
export interface Split {
  readonly own: readonly Candidate[];
  readonly other: readonly Candidate[];
}

export function splitByZone(candidates: readonly Candidate[], endpoints: Zones, zone: string): Split {
  const isOwn = ({ slot }: Candidate): boolean => endpoints.get(slot)?.zone === zone;
  return { own: candidates.filter(isOwn), other: candidates.filter((candidate) => !isOwn(candidate)) };
}

/** Usable endpoints of both sides, whose factors change, and the weights of all. */
export interface Sides {
  readonly own: CandidateTable;
  readonly other: CandidateTable;
  readonly ownTotal: number;
  readonly otherTotal: number;
}

export function sidesOf(members: Split, usable: Split, region: Region): Sides {
  return {
    own: new CandidateTable(usable.own, region),
    other: new CandidateTable(usable.other, region),
    ownTotal: totalOf(members.own),
    otherTotal: totalOf(members.other),
  };
}

/** The share of the own zone by the present capacities. */
export function targetShare({ own, other, ownTotal, otherTotal }: Sides, spillBelow: number): number {
  const [ownUsable, otherUsable] = [capacityOf(own), capacityOf(other)];
  return ownZoneShare({ usable: ownUsable, total: ownTotal }, { usable: otherUsable, total: otherTotal }, spillBelow);
}

/** In weights. A factor above 1 adds no capacity that the weight doesn't have. */
function capacityOf(table: CandidateTable): number {
  let sum = 0;
  for (let index = 0; index < table.size; index++) {
    sum += (table.weights[index]! * Math.min(FULL_FACTOR, table.factor(index))) / FULL_FACTOR;
  }
  return sum;
}

function totalOf(members: readonly Candidate[]): number {
  return members.reduce((sum, { weight }) => sum + weight, 0);
}

/** The preference of an upstream as operators see it. */
export interface ZoneView {
  readonly zone: string;
  readonly spillBelowPercent: number;
  /** Usable share of the own zone's weight, 0..1; 0 where it has no endpoint. */
  readonly usableShare: number;
  /** Share of requests that stays in the zone, 0..1; workers approach it by ten points a second where it grows. */
  readonly share: number;
}

/** Null for an upstream to which zones don't matter. */
export function zoneViewOf(upstream: UpstreamSnapshot, region: Region): ZoneView | null {
  const { locality } = upstream;
  if (locality === null) return null;
  const { members, usable } = selectCandidates(upstream, region, null);
  const endpoints = new Map(upstream.endpoints.map((endpoint) => [endpoint.slot, endpoint]));
  const { zone, spillBelowPercent } = locality;
  const sides = sidesOf(splitByZone(members, endpoints, zone), splitByZone(usable, endpoints, zone), region);
  const usableShare = sides.ownTotal === 0 ? 0 : capacityOf(sides.own) / sides.ownTotal;
  return { zone, spillBelowPercent, usableShare, share: targetShare(sides, spillBelowPercent / 100) };
}
