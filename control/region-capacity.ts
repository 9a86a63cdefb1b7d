// The size of the shared region: room for what is configured, and for endpoints that are added later. Thread: main.

import { totalmem } from 'node:os';
import { workersOf } from '../config/compile/compile.ts';
import type { Config } from '../config/schema/schema.ts';
import { Region, regionBytes, type RegionCapacity } from '../core/memory/region.ts';

/** The schema refuses more worker threads. */
const MAX_WORKERS = 64;
const MIN_WORKERS = 8;
const MIN_ENDPOINTS = 256;
const MIN_UPSTREAMS = 64;
const MIN_LISTENERS = 16;
/** Providers add upstreams while the process runs. */
const UPSTREAMS_OF_PROVIDERS = 2_048;
/** Endpoints that sources, reloads and operators may add up to. Records that are never used cost address space alone. */
const RESERVED_ENDPOINTS = 65_536;
/** Linux refuses one allocation of more than the memory of the machine, used or not. */
const MOST_OF_MEMORY = 0.5;

type Settings = Pick<Config, 'upstreams' | 'listeners' | 'workers'> & { readonly providers?: Config['providers'] };

/**
 * Twice what is configured, rounded up to a power of two: a reload during which old and new records both hold slots fits
 * as long as it doesn't more than double them.
 */
export function leastCapacity(settings: Settings): RegionCapacity {
  const upstreams = Object.values(settings.upstreams);
  const endpoints = upstreams.reduce((sum, upstream) => sum + upstream.endpoints.length, 0);
  return {
    endpoints: roomFor(endpoints, MIN_ENDPOINTS),
    upstreams: roomFor(
      upstreams.length,
      Object.keys(settings.providers ?? {}).length === 0 ? MIN_UPSTREAMS : UPSTREAMS_OF_PROVIDERS,
    ),
    listeners: roomFor(settings.listeners.length, MIN_LISTENERS),
    workers: Math.min(MAX_WORKERS, Math.max(workersOf(settings) * 2, MIN_WORKERS)),
  };
}

/** Allocates the region, with as much of the reserve as the machine allows. @throws RangeError where the least doesn't fit */
export function allocateRegion(settings: Settings, originWallMs: number, memoryBytes = totalmem()): Region {
  const least = leastCapacity(settings);
  let endpoints = Math.max(least.endpoints, RESERVED_ENDPOINTS);
  while (endpoints > least.endpoints && regionBytes({ ...least, endpoints }) > memoryBytes * MOST_OF_MEMORY) {
    endpoints /= 2;
  }
  for (;;) {
    try {
      return Region.allocate({ ...least, endpoints }, originWallMs, 0);
    } catch (error) {
      // The system counts reserved memory as used (vm.overcommit_memory = 2, a limit of address space).
      if (!(error instanceof RangeError) || endpoints <= least.endpoints) throw error;
      endpoints /= 2;
    }
  }
}

function roomFor(count: number, least: number): number {
  return Math.max(least, 2 ** Math.ceil(Math.log2(count * 2)));
}
