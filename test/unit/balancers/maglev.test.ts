// The Maglev table: the same everywhere, shares by weight, and refused sizes. Thread: both.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  buildMaglevTable,
  MAGLEV_LARGE_SIZE,
  MAGLEV_SIZE,
  maglevSizeFor,
  sortedById,
} from '../../../balancers/maglev.ts';

function members(weights: readonly number[]) {
  return sortedById(weights.map((weight, slot) => ({ slot, id: `10.0.0.${slot}:3000`, weight })));
}

function slotsOf(weights: readonly number[], size: number): number[] {
  const sorted = members(weights);
  const counts = weights.map(() => 0);
  for (const index of buildMaglevTable(sorted, size, 0)) counts[sorted[index]!.slot]!++;
  return counts;
}

/** SHA-256 of the table as little-endian 16-bit numbers. */
function fingerprint(table: Uint16Array): string {
  const bytes = Buffer.alloc(table.length * 2);
  table.forEach((index, place) => bytes.writeUInt16LE(index, place * 2));
  return createHash('sha256').update(bytes).digest('hex');
}

test('the table is the same on every machine: golden hashes', () => {
  const equal = Array.from({ length: 10 }, () => 1);
  const rising = equal.map((_, index) => index + 1);
  assert.equal(
    fingerprint(buildMaglevTable(members(equal), MAGLEV_SIZE, 0)),
    '3392bdf25d1cd24efd9d1c2cf83caf43be163643c71acd3d9809027ba406f105',
  );
  assert.equal(
    fingerprint(buildMaglevTable(members(rising), MAGLEV_SIZE, 7)),
    '27553740070849f1f3cdfde56f683f006c746f0e74486648078bf33beb2f5eb2',
  );
});

test('the order in which members are configured does not count', () => {
  const one = [...members([1, 2, 3, 4])];
  const two = sortedById(one.toReversed());
  assert.deepEqual(buildMaglevTable(two, 5003, 0), buildMaglevTable(one, 5003, 0));
});

test('another seed gives another table', () => {
  assert.notDeepEqual(buildMaglevTable(members([1, 1]), 5003, 1), buildMaglevTable(members([1, 1]), 5003, 0));
});

test('equal members have as many places, but for one', () => {
  for (const count of [1, 2, 3, 10, 100, 655]) {
    const slots = slotsOf(
      Array.from({ length: count }, () => 1),
      MAGLEV_SIZE,
    );
    assert.ok(Math.max(...slots) - Math.min(...slots) <= 1, `${count} members`);
  }
});

test('a thousand members differ by one place in the large table, too', () => {
  const slots = slotsOf(
    Array.from({ length: 1000 }, () => 1),
    MAGLEV_LARGE_SIZE,
  );
  assert.ok(Math.max(...slots) - Math.min(...slots) <= 1);
});

test('sizes that do not suit are refused', () => {
  assert.throws(() => buildMaglevTable(members([1]), 65_536, 0), /must be a prime above its 1 members, 65536 is not/);
  assert.throws(() => buildMaglevTable(members([1, 1, 1]), 3, 0), /prime above its 3 members, 3 is not/);
  assert.throws(() => buildMaglevTable(members([1]), 7.5, 0), /7.5 is not/);
  assert.throws(() => buildMaglevTable([], 65_537, 0), /1 to 65535 members, not 0/);
});

test('more than 655 members are given the large table', () => {
  assert.deepEqual([maglevSizeFor(1), maglevSizeFor(655), maglevSizeFor(656)], [65_537, 65_537, 655_373]);
});
