// Finding a place for an exchange: pick an endpoint, then reserve it, and pick again where somebody was faster.
// Thread: worker.

import { AVAILABILITY } from '../../core/availability.ts';
import { PICK_FAILURE } from '../../core/balancer.ts';
import { E_AVAILABILITY, E_TOKEN } from '../../core/memory/layout.ts';
import { release, reserve } from '../../core/memory/reservation.ts';
import type { Region } from '../../core/memory/region.ts';
import type { Exchange } from './exchange.ts';
import type { UpstreamRuntime } from './runtime.ts';

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
export function findPlace(exchange: Exchange, target: UpstreamRuntime, region: Region, worker: number): Place {
  for (let race = 0; race < MAX_RACES; race++) {
    const slot = target.picker.pick(exchange);
    if (slot < 0) return { slot, isTrial: false };
    if (!reserve(region, worker, slot)) continue;
    const word = region.endpointWord(slot);
    if (region.words[word + E_AVAILABILITY] !== AVAILABILITY.halfOpen) return { slot, isTrial: false };
    if (Atomics.compareExchange(region.words, word + E_TOKEN, 0, worker + 1) === 0) return { slot, isTrial: true };
    release(region, worker, slot);
  }
  return { slot: PICK_FAILURE.allBusy, isTrial: false };
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
