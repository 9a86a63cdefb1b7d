// Sources of random numbers, injected: the system's, and a seeded one for tests and simulations. Thread: both.

/** A source of uniformly distributed numbers. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** The platform's generator. Not for secrets. */
export const systemRandom: Random = { next: () => Math.random() };

/**
 * A seeded generator (mulberry32 by Tommy Ettinger) with the same sequence on every machine.
 * @param seed any integer; only its low 32 bits are used.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
    },
  };
}

/** An integer in [0, bound). */
export function randomBelow(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}
