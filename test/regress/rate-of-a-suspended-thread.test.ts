// A thread that was suspended between reading the clock and the rate of a key admitted a request beyond it and gave the key
// a new burst: the rate was so far ahead of its old clock that it was taken for an expired one. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClientMemory } from '../../core/memory/client-memory.ts';
import { rateOf } from '../../core/memory/rate-table.ts';

const NOW_MS = 10_000_000;

describe('a clock that is 0.2 s old frees no key that is at its limit', () => {
  for (const [intervalMs, burst] of [
    [10, 200],
    [1, 267],
    [0.01, 26_000],
    [60_000, 5],
    [1000, 268],
    [86_400_000, 30],
  ] as const) {
    test(`one in ${intervalMs} ms, ${burst} at once`, () => {
      const { hash, rates } = ClientMemory.allocate(1, [7, 9]);
      const rate = rateOf(intervalMs, burst, 0);
      hash.of('client');
      for (let sent = 0; sent < burst; sent += 1) assert.equal(rates.take(hash.low, hash.high, rate, NOW_MS), 0);
      assert.ok(rates.take(hash.low, hash.high, rate, NOW_MS) > 0);
      assert.ok(rates.take(hash.low, hash.high, rate, NOW_MS - 200) > 0, 'the old clock admits it');
      assert.ok(rates.take(hash.low, hash.high, rate, NOW_MS) > 0, 'the burst was given again');
    });
  }
});
