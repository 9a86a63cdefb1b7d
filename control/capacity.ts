// Size of the shared region: what is configured, with room for reloads. Thread: main.

import { workersOf } from '../config/compile/compile.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { RegionCapacity } from '../core/memory/region.ts';

/** The schema refuses more worker threads. */
const MAX_WORKERS = 64;
const MIN_WORKERS = 8;
const MIN_ENDPOINTS = 256;
const MIN_UPSTREAMS = 64;
const MIN_LISTENERS = 16;

/**
 * Twice what is configured, rounded up to a power of two. A reload during which old and new endpoints both hold slots
 * fits as long as it doesn't more than double them.
 */
export function capacityFor({ settings }: LoadedConfig): RegionCapacity {
  const upstreams = Object.values(settings.upstreams);
  const endpoints = upstreams.reduce((sum, upstream) => sum + upstream.endpoints.length, 0);
  return {
    endpoints: roomFor(endpoints, MIN_ENDPOINTS),
    upstreams: roomFor(upstreams.length, MIN_UPSTREAMS),
    listeners: roomFor(settings.listeners.length, MIN_LISTENERS),
    workers: Math.min(MAX_WORKERS, Math.max(workersOf(settings) * 2, MIN_WORKERS)),
  };
}

function roomFor(count: number, least: number): number {
  return Math.max(least, 2 ** Math.ceil(Math.log2(count * 2)));
}
