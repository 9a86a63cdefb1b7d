// Properties of the Maglev table for any members. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { buildMaglevTable, sortedById } from '../../../balancers/maglev.ts';

const SIZE = 65_537;
const parameters = { seed: 202, numRuns: 40 };

function slotsOf(weights: readonly number[], seed: number): number[] {
  const members = sortedById(
    weights.map((weight, slot) => ({ slot, id: `10.1.${slot >> 8}.${slot & 255}:80`, weight })),
  );
  const counts = weights.map(() => 0);
  for (const index of buildMaglevTable(members, SIZE, seed)) counts[members[index]!.slot]!++;
  return counts;
}

test('members of equal weight differ by at most one place', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600 }),
      fc.integer({ min: 1, max: 256 }),
      fc.integer(),
      (count, weight, seed) => {
        const slots = slotsOf(
          Array.from({ length: count }, () => weight),
          seed,
        );
        assert.ok(Math.max(...slots) - Math.min(...slots) <= 1);
      },
    ),
    parameters,
  );
});

test('members of any weight have at least one place and at most three more or fewer than their share', () => {
  const anyWeights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 600 });
  fc.assert(
    fc.property(anyWeights, fc.integer(), (weights, seed) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      slotsOf(weights, seed).forEach((count, index) => {
        const share = (SIZE * weights[index]!) / total;
        assert.ok(count >= 1 && Math.abs(count - share) <= 3, `${count} places for a share of ${share}`);
      });
    }),
    parameters,
  );
});
