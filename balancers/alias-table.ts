// Draws of an index in proportion to weights, in constant time: Walker's alias method (1977) as Vose builds it (1991).
// Thread: both.

import type { Random } from '../core/random.ts';

/** Immutable. Building takes time and space in proportion to the number of weights. */
export class AliasTable {
  readonly #kept: Float64Array;
  readonly #aliases: Int32Array;

  /** @param weights positive numbers, at least one. */
  constructor(weights: Float64Array) {
    const size = weights.length;
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / size;
    const left = weights.map((weight) => weight / mean);
    this.#kept = new Float64Array(size).fill(1);
    this.#aliases = Int32Array.from(weights, (_, index) => index);
    const small: number[] = [];
    const large: number[] = [];
    left.forEach((share, index) => (share < 1 ? small : large).push(index));
    while (small.length > 0 && large.length > 0) {
      const poor = small.pop()!;
      const rich = large.pop()!;
      this.#kept[poor] = left[poor]!;
      this.#aliases[poor] = rich;
      left[rich] = left[rich]! - (1 - left[poor]!);
      (left[rich]! < 1 ? small : large).push(rich);
    }
  }

  /** Draws an index; takes one number from `random`. */
  draw(random: Random): number {
    const point = random.next() * this.#kept.length;
    const index = Math.floor(point);
    return point - index < this.#kept[index]! ? index : this.#aliases[index]!;
  }
}
