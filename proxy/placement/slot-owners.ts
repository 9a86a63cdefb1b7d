// Owners of slots as one worker knows them: what it has learned of an endpoint must not judge the next one in its slot.
// Thread: worker.

import type { SlotOwner } from '../../core/endpoint-delta.ts';

export class SlotOwners {
  /** By slot; 0 for one that never had an owner. */
  readonly #generations: Int32Array;
  readonly #parts: readonly { forgetSlot(slot: number): void }[];

  /** @param parts drop what they know of each slot whose endpoint is another one than before */
  constructor(slots: number, parts: readonly { forgetSlot(slot: number): void }[]) {
    this.#generations = new Int32Array(slots);
    this.#parts = parts;
  }

  /** Takes endpoints over, before a request is placed among them. */
  apply(endpoints: readonly SlotOwner[]): void {
    for (const { slot, generation } of endpoints) {
      const known = this.#generations[slot]!;
      if (known === generation) continue;
      this.#generations[slot] = generation;
      if (known !== 0) for (const part of this.#parts) part.forgetSlot(slot);
    }
  }
}
