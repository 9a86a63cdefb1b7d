// Draws by weight: exact over an even grid of numbers. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AliasTable } from '../../../balancers/alias-table.ts';

/** How often each index is drawn by `points` numbers spread evenly over [0, 1). */
function countsOf(weights: readonly number[], points: number): number[] {
  const table = new AliasTable(Float64Array.from(weights));
  const counts = weights.map(() => 0);
  for (let i = 0; i < points; i++) counts[table.draw({ next: () => (i + 0.5) / points })]!++;
  return counts;
}

test('an even grid of numbers draws each index by its weight', () => {
  for (const weights of [[1], [1, 1, 1], [5, 1, 1], [1, 256], [3, 3, 7, 1, 9, 100, 2]]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const points = total * weights.length * 100;
    countsOf(weights, points).forEach((count, index) => {
      const expected = (points * weights[index]!) / total;
      // Each of the table's columns may round one point either way.
      assert.ok(Math.abs(count - expected) <= weights.length, `${weights.join()}: ${index} was drawn ${count} times`);
    });
  }
});

test('the ends of the range draw valid indices', () => {
  const table = new AliasTable(Float64Array.from([1, 2, 3]));
  for (const number of [0, 1 - 2 ** -32, 1 - 2 ** -53])
    assert.ok([0, 1, 2].includes(table.draw({ next: () => number })));
});
