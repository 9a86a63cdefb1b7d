// Steps round a circle: every place once. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coprimeStep, greatestCommonDivisor } from '../../../balancers/coprime.ts';

test('the step visits every place of the circle once', () => {
  for (let size = 1; size <= 300; size++) {
    const seen = new Set<number>();
    for (let i = 0; i < size; i++) seen.add((i * coprimeStep(size)) % size);
    assert.equal(seen.size, size, `size ${size}`);
    assert.ok(coprimeStep(size) < Math.max(2, size), `size ${size}`);
  }
});

test('greatest common divisors', () => {
  assert.deepEqual(
    [
      [12, 18],
      [7, 5],
      [0, 9],
      [9, 0],
    ].map(([a, b]) => greatestCommonDivisor(a!, b!)),
    [6, 1, 9, 9],
  );
});
