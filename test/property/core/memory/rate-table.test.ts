// The table of rates against a model that keeps one exact TAT per key, for rates of any scale and keys that share places,
// over times that wrap its words. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ClientMemory } from '../../../../core/memory/client-memory.ts';
import { rateOf } from '../../../../core/memory/rate-table.ts';

const rate = fc.record({
  intervalMs: fc.constantFrom(0.001, 0.13, 1, 10, 100, 1000, 60_000, 8_640_000),
  burst: fc.constantFrom(1, 2, 7, 100),
});
/** Pauses in intervals of the rate, from within a burst to far beyond the ring of 2^32 units. */
const pauses = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3, noNaN: true }), fc.nat(10 ** 7)), {
  minLength: 1,
  maxLength: 60,
});

test('a request conforms exactly when it does in the model, within one part in ten thousand', () => {
  const memory = ClientMemory.allocate(1, [1, 2]);
  let seed = 0;
  fc.assert(
    fc.property(rate, pauses, fc.nat(10 ** 9), ({ intervalMs, burst }, steps, startMs) => {
      const compiled = rateOf(intervalMs, burst, 0);
      const stepMs = compiled.interval * compiled.unitMs;
      assert.ok(Math.abs(stepMs / intervalMs - 1) < 0.001, `${stepMs} for ${intervalMs}`);
      memory.hash.of(`key ${seed++}`);
      const { low, high } = memory.hash;
      let [nowMs, tat] = [startMs, 0];
      for (const step of steps) {
        nowMs += step * intervalMs;
        const ahead = Math.max(0, tat - nowMs) - (burst - 1) * stepMs;
        const waitMs = memory.rates.take(low, high, compiled, nowMs);
        // At the edge the clock is rounded to units, and doubles of large times to their precision.
        if (Math.abs(ahead) > 3 * compiled.unitMs + nowMs * 1e-12) assert.equal(waitMs > 0, ahead > 0, `${nowMs}`);
        if (waitMs === 0) tat = Math.max(tat, nowMs) + stepMs;
      }
    }),
    { seed: 20_261_130, numRuns: 300 },
  );
});
