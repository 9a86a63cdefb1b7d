// The Maglev table (Eisenbud et al., NSDI 2016): the member of each of M places. Thread: both.
// It is built over the configured members, never over the healthy ones: docs/algorithms.md 1.6.

import type { Candidate } from '../core/balancer.ts';
import { mix32, murmur32OfString } from '../core/murmur.ts';

/** Prime sizes: at least 100 places a member keep the shares within 1 % of the weights. */
export const MAGLEV_SIZE = 65_537;
export const MAGLEV_LARGE_SIZE = 655_373;
/** Upstreams with more members use the large table. */
const MAGLEV_SIZE_MEMBERS = 655;
/** Places hold an index in 16 bits, of which one value means free. */
const MEMBERS_MAX = 65_535;
const FREE = 0xffff;

/** Default table size for a number of members. */
export function maglevSizeFor(memberCount: number): number {
  return memberCount > MAGLEV_SIZE_MEMBERS ? MAGLEV_LARGE_SIZE : MAGLEV_SIZE;
}

/** Members ordered by identity, the same in every process: the order of the table's indices. */
export function sortedById(members: readonly Candidate[]): readonly Candidate[] {
  return members.toSorted((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)));
}

/**
 * Builds the table: place -> index in `members`. The same on every machine for the same input. With equal weights
 * members' shares differ by at most one place, otherwise by at most three from their weight's.
 * @param members sorted by `sortedById`, at least one.
 * @param size a prime above the number of members.
 * @throws Error when the size isn't a prime above the number of members.
 */
export function buildMaglevTable(members: readonly Candidate[], size: number, seed: number): Uint16Array {
  checkSize(members.length, size);
  const table = new Uint16Array(size).fill(FREE);
  const heaviest = members.reduce((most, member) => Math.max(most, member.weight), 0);
  // Each member visits the places in its own order: from `next` in steps of `skip`.
  const next = Uint32Array.from(members, (member) => murmur32OfString(member.id, mix32(seed + 1)) % size);
  const skip = Uint32Array.from(members, (member) => 1 + (murmur32OfString(member.id, mix32(seed + 2)) % (size - 1)));
  const due = new Float64Array(members.length);
  let filled = 0;
  for (let turn = 1; ; turn++) {
    for (let index = 0; index < members.length; index++) {
      // The heaviest member takes a place at every turn, the others when their weights have added up to one.
      if (turn * members[index]!.weight < due[index]! + heaviest) continue;
      due[index]! += heaviest;
      let place = next[index]!;
      while (table[place] !== FREE) place = (place + skip[index]!) % size;
      table[place] = index;
      next[index] = (place + skip[index]!) % size;
      if (++filled === size) return table;
    }
  }
}

function checkSize(memberCount: number, size: number): void {
  if (memberCount === 0 || memberCount > MEMBERS_MAX) {
    throw new Error(`a Maglev table holds 1 to ${MEMBERS_MAX} members, not ${memberCount}`);
  }
  if (size <= memberCount || !isPrime(size)) {
    throw new Error(`the size of a Maglev table must be a prime above its ${memberCount} members, ${size} is not`);
  }
}

/** The table's size must be prime: steps through a composite size could miss places for ever. */
export function isPrime(size: number): boolean {
  if (!Number.isInteger(size) || size < 2) return false;
  for (let divisor = 2; divisor * divisor <= size; divisor++) if (size % divisor === 0) return false;
  return true;
}
