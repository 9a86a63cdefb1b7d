// UpstreamPicker: rebuilds when the epoch changes, and only then. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AVAILABILITY } from '../../../core/availability.ts';
import { PICK_FAILURE } from '../../../core/balancer.ts';
import { E_AVAILABILITY } from '../../../core/memory/layout.ts';
import { BALANCES, Balancing, testRegion } from '../../support/balancing.ts';

test('an availability counts when the epoch moves, not before', () => {
  const balancing = new Balancing({ balance: BALANCES.roundRobin, weights: [1, 1] });
  const { region } = balancing;
  region.words[region.endpointWord(0) + E_AVAILABILITY] = AVAILABILITY.down;
  assert.deepEqual(balancing.shares(4), [2, 2]);
  balancing.moveEpoch();
  assert.deepEqual(balancing.shares(4), [0, 4]);
});

test('the balancer stays while the epoch is unchanged', () => {
  const balancing = new Balancing({ balance: BALANCES.roundRobin, weights: [1, 1] });
  const before = balancing.picker.candidates;
  balancing.shares(5);
  assert.equal(balancing.picker.candidates, before);
  balancing.moveEpoch();
  const after = balancing.picker.candidates;
  assert.notEqual(after, before);
  balancing.shares(5);
  assert.equal(balancing.picker.candidates, after);
});

test('the count of usable endpoints is that of the tier in use, without a pick in between', () => {
  const balancing = new Balancing({ balance: BALANCES.first, weights: [1, 1, 1], backups: [1] });
  assert.equal(balancing.picker.usableCount, 3);
  balancing.setAvailability(1, 'ejected');
  assert.equal(balancing.picker.usableCount, 2);
  for (const index of [0, 2]) balancing.setAvailability(index, 'down');
  assert.equal(balancing.picker.usableCount, 1);
  balancing.setAvailability(3, 'down');
  assert.equal(balancing.picker.usableCount, 0);
  assert.equal(balancing.pick(), PICK_FAILURE.noneUsable);
});

test('pickers of two workers follow the same words', () => {
  const region = testRegion();
  const options = { balance: BALANCES.leastRequest, weights: [1, 1, 1], region };
  const workers = [0, 1].map((worker) => new Balancing({ ...options, worker, seed: worker }));
  workers[0]!.setAvailability(2, 'down');
  for (const worker of workers) assert.equal(worker.shares(60)[2], 0);
});
