// Frees slots of endpoints that a reload took away: once every worker has acknowledged, and nothing is in flight
// there any more (DESIGN section 1.6). Thread: main.

import { ENDPOINT } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import type { Timers } from '../../core/timers.ts';

const LOOK_EVERY_MS = 500;

/** What frees slots: config's SlotTable. */
export interface SlotOwners {
  retire(snapshotGeneration: number): readonly number[];
  reclaim(slot: number, snapshotGeneration: number): boolean;
}

/** Call when all workers run on `generation`; looks again until all retired slots are free. */
export function reclaimSlots(owners: SlotOwners, generation: number, region: Region, timers: Timers): void {
  const busy = owners.retire(generation).filter((slot) => {
    const isBusy = region.words[region.endpointWord(slot) + ENDPOINT.inflight.index]! > 0;
    if (!isBusy) owners.reclaim(slot, generation);
    return isBusy;
  });
  if (busy.length > 0) timers.after(LOOK_EVERY_MS, () => reclaimSlots(owners, generation, region, timers));
}
