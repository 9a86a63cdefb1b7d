// Counts for one endpoint: plain adds in the worker's own lane. Thread: worker.

import { ENDPOINT_FIELD, type EndpointField } from '../../core/memory/lane-fields.ts';
import type { Region } from '../../core/memory/region.ts';

/** One endpoint's block in one worker's lane. */
export class EndpointLane {
  readonly #doubles: Float64Array;
  readonly #base: number;

  constructor(region: Region, worker: number, slot: number) {
    this.#doubles = region.doubles;
    this.#base = region.endpointLane(worker, slot);
  }

  add(field: EndpointField, count: number): void {
    this.#doubles[this.#base + ENDPOINT_FIELD[field]]! += count;
  }
}
