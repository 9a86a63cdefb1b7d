// Finds a place: picks an endpoint, reserves it, and picks again where another worker took the place. Thread: both.

import { AVAILABILITY } from '../../core/availability.ts';
import type { UpstreamPicker } from '../../balancers/upstream-picker.ts';
import { PICK_FAILURE, type PickRequest } from '../../core/balancer.ts';
import { E_AVAILABILITY, E_TOKEN } from '../../core/memory/layout.ts';
import { release, reserve } from '../../core/memory/reservation.ts';
import type { Region } from '../../core/memory/region.ts';

/** Lost races after which the upstream counts as busy: in each, another worker took the last place. */
const MAX_RACES = 8;

/** A reserved place at an endpoint, or the reason why there is none. */
export interface Place {
  /** Slot, or one of PICK_FAILURE. */
  slot: number;
  /** Whether the attempt holds the token of a half-open endpoint, so that its outcome decides about the endpoint. */
  isTrial: boolean;
}

/** Picks and reserves. The caller releases the place with `release`, or gives it back unused with `giveBack`. */
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

/** A draining endpoint still serves the clients that are bound to it; an ejected or failed one doesn't. */
const SERVES_ITS_OWN: ReadonlySet<number> = new Set([AVAILABILITY.up, AVAILABILITY.suspect, AVAILABILITY.drain]);

/** Whether an endpoint may serve the clients that are bound to it. */
export function servesItsOwn(region: Region, slot: number): boolean {
  return SERVES_ITS_OWN.has(region.words[region.endpointWord(slot) + E_AVAILABILITY]!);
}

/** Reserves a place at the endpoint that a client is bound to; null where the endpoint can't serve it now. */
export function reserveForItsOwn(region: Region, worker: number, slot: number): Place | null {
  if (!servesItsOwn(region, slot) || !reserve(region, worker, slot)) return null;
  return { slot, isTrial: false };
}

/** Gives back a place that was reserved and not used. */
export function giveBack(place: Place, region: Region, worker: number): void {
  if (place.isTrial) returnToken(region, worker, place.slot);
  release(region, worker, place.slot);
}

/** Returns the token of a half-open endpoint: its trial ended without a verdict. */
export function returnToken(region: Region, worker: number, slot: number): void {
  Atomics.compareExchange(region.words, region.endpointWord(slot) + E_TOKEN, worker + 1, 0);
}
