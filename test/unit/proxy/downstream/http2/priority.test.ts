// The priority field of RFC 9218. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsePriority } from '../../../../../proxy/downstream/http2/priority.ts';

const CASES: Readonly<Record<string, readonly [urgency: number, isIncremental: boolean]>> = {
  '': [3, false],
  'u=0': [0, false],
  'u=7, i': [7, true],
  'i, u=1': [1, true],
  'i=?1': [3, true],
  'i=?0': [3, false],
  'u=5;a=1, i': [5, true],
  'x=1, u=2 , y': [2, false],
  'u=8': [3, false],
  'u=-1': [3, false],
  'u=22': [3, false],
  'xu=1': [3, false],
  ui: [3, false],
  [`u=1, ${'x'.repeat(100)}`]: [3, false],
};

describe('parsePriority', () => {
  for (const [value, [urgency, isIncremental]] of Object.entries(CASES)) {
    test(`"${value.slice(0, 20)}" is urgency ${urgency}${isIncremental ? ', incremental' : ''}`, () =>
      assert.deepEqual(parsePriority(value), { urgency, isIncremental }));
  }
});
