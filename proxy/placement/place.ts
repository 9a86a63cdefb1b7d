// Finding a place for an exchange: pick an endpoint, then reserve it, and pick again where somebody was faster.
// Thread: both.

import { AVAILABILITY } from '../../core/availability.ts';
import type { UpstreamPicker } from '../../balancers/upstream-picker.ts';
import { PICK_FAILURE, type PickRequest } from '../../core/balancer.ts';
import { E_AVAILABILITY, E_TOKEN } from '../../core/memory/layout.ts';
import { release, reserve } from '../../core/memory/reservation.ts';
import type { Region } from '../../core/memory/region.ts';

/** Lost races after which the upstream counts as busy: each means that another worker took the last place. */
const MAX_RACES = 8;

/** A place, or why there is none. */
export interface Place {
  /** Slot, or one of PICK_FAILURE. */
  slot: number;
  /** Whether the exchange holds the token of a half-open endpoint and so decides about it. */
  isTrial: boolean;
}

/** Picks and reserves. The place that is returned must be given back with `release`. */
export function findPlace(
  request: PickRequest,
  target: { readonly picker: UpstreamPicker },
  region: Region,
  worker: number,
): Place {
  for (let race = 0; race < MAX_RACES; race++) {
    const slot = target.picker.pick(request);
    if (slot < 0) return { slot, isTrial: false };
    if (!reserve(region, worker, slot)) continue;
    const word = region.endpointWord(slot);
    if (region.words[word + E_AVAILABILITY] !== AVAILABILITY.halfOpen) return { slot, isTrial: false };
    if (Atomics.compareExchange(region.words, word + E_TOKEN, 0, worker + 1) === 0) return { slot, isTrial: true };
    release(region, worker, slot);
  }
  return { slot: PICK_FAILURE.allBusy, isTrial: false };
}

/** A draining endpoint still serves the clients that it has; one that is judged bad serves nobody. */
const SERVES_ITS_OWN: ReadonlySet<number> = new Set([AVAILABILITY.up, AVAILABILITY.suspect, AVAILABILITY.drain]);

/** The place at an endpoint whose client asks for it by a cookie, reserved; null where it can't serve now. */
export function reserveForItsOwn(region: Region, worker: number, slot: number): Place | null {
  const availability = region.words[region.endpointWord(slot) + E_AVAILABILITY]!;
  if (!SERVES_ITS_OWN.has(availability) || !reserve(region, worker, slot)) return null;
  return { slot, isTrial: false };
}

/** Gives a place back that is not used after all. */
export function giveBack(place: Place, region: Region, worker: number): void {
  if (place.isTrial) returnToken(region, worker, place.slot);
  release(region, worker, place.slot);
}

/** Gives the token of a half-open endpoint back: its trial ended without a verdict. */
export function returnToken(region: Region, worker: number, slot: number): void {
  Atomics.compareExchange(region.words, region.endpointWord(slot) + E_TOKEN, worker + 1, 0);
}
