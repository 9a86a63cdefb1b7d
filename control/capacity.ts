// How large the shared region is made: for what is configured, with room for reloads. Thread: main.

import type { RegionCapacity } from '../core/memory/region.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';

/** More worker threads than this are refused by the schema. */
const MAX_WORKERS = 64;
const MIN_ENDPOINTS = 256;
const MIN_UPSTREAMS = 64;
const MIN_LISTENERS = 16;

/** Numbers of what a configuration names. */
export interface Counts {
  readonly endpoints: number;
  readonly upstreams: number;
  readonly listeners: number;
  readonly workers: number;
}

/**
 * Capacity for these counts: twice what is there, in powers of two. A reload during which old and new endpoints both
 * hold slots fits as long as it doesn't more than double them.
 */
export function capacityFor(counts: Counts): RegionCapacity {
  return {
    endpoints: roomFor(counts.endpoints, MIN_ENDPOINTS),
    upstreams: roomFor(counts.upstreams, MIN_UPSTREAMS),
    listeners: roomFor(counts.listeners, MIN_LISTENERS),
    workers: Math.min(MAX_WORKERS, Math.max(counts.workers * 2, 8)),
  };
}

/** What a Snapshot names. */
export function countsOf(snapshot: Snapshot): Counts {
  return {
    endpoints: snapshot.upstreams.reduce((sum, upstream) => sum + upstream.endpoints.length, 0),
    upstreams: snapshot.upstreams.length,
    listeners: snapshot.listeners.length,
    workers: snapshot.workers,
  };
}

function roomFor(count: number, least: number): number {
  return Math.max(least, 2 ** Math.ceil(Math.log2(count * 2)));
}
