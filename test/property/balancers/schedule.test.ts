// Properties of round robin's schedule for any weights. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { scheduleFor } from '../../../balancers/schedule.ts';

const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 40 });
const largeWeights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 150, maxLength: 300 });
const parameters = { seed: 101, numRuns: 60 };

function countsOf(schedule: ReturnType<typeof scheduleFor>, from: number, length: number, size: number): number[] {
  const counts = Array.from({ length: size }, () => 0);
  for (let i = 0; i < length; i++) counts[schedule.indexAt((from + i) % schedule.period)]!++;
  return counts;
}

test('any period of consecutive picks gives each endpoint its weight exactly', () => {
  fc.assert(
    fc.property(fc.oneof(weights, largeWeights), fc.nat(), (chosen, start) => {
      const schedule = scheduleFor(Float64Array.from(chosen));
      const unit = chosen.reduce((sum, weight) => sum + weight, 0) / schedule.period;
      const counts = countsOf(schedule, start, schedule.period, chosen.length);
      assert.deepEqual(
        counts.map((count) => count * unit),
        chosen,
      );
    }),
    parameters,
  );
});

test('any run of picks in a small upstream is within one round of its share', () => {
  fc.assert(
    fc.property(weights, fc.nat({ max: 999 }), (chosen, length) => {
      const schedule = scheduleFor(Float64Array.from(chosen));
      const total = chosen.reduce((sum, weight) => sum + weight, 0);
      const run = length % schedule.period;
      countsOf(schedule, 0, run, chosen.length).forEach((count, index) => {
        const share = (run * chosen[index]!) / total;
        assert.ok(Math.abs(count - share) < chosen.length, `${count} of ${share}`);
      });
    }),
    parameters,
  );
});

test('with a heaviest endpoint of half the weight or less no endpoint is picked twice in a row', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 6, maxLength: 20 }), (chosen) => {
      const schedule = scheduleFor(Float64Array.from(chosen));
      for (let place = 1; place < schedule.period; place++) {
        assert.notEqual(schedule.indexAt(place), schedule.indexAt(place - 1));
      }
    }),
    parameters,
  );
});
