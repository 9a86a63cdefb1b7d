// Candidates: tiers, usability and what is kept between two selections. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AVAILABILITY_NAMES } from '../../../core/availability.ts';
import { isUsable, selectCandidates } from '../../../balancers/candidates.ts';
import { BALANCES, Balancing } from '../../support/balancing.ts';

function setUp() {
  return new Balancing({ balance: BALANCES.leastRequest, weights: [1, 2], backups: [3, 4] });
}

function select(balancing: Balancing) {
  const candidates = selectCandidates(balancing.upstream, balancing.region, null);
  return { tier: candidates.tier, usable: candidates.usable.map((candidate) => candidate.slot) };
}

test('only up, suspect and half-open endpoints are usable', () => {
  assert.deepEqual(AVAILABILITY_NAMES.filter(isUsable), ['up', 'suspect', 'halfOpen']);
});

test('the primaries are used in configured order, as many as are usable', () => {
  const balancing = setUp();
  assert.deepEqual(select(balancing), { tier: 'primary', usable: [0, 1] });
  balancing.setAvailability(0, 'drain');
  assert.deepEqual(select(balancing), { tier: 'primary', usable: [1] });
});

test('backups take over when no primary is usable, and the primary tier is named when nothing is', () => {
  const balancing = setUp();
  balancing.setAvailability(0, 'down');
  balancing.setAvailability(1, 'maintenance');
  assert.deepEqual(select(balancing), { tier: 'backup', usable: [2, 3] });
  balancing.setAvailability(2, 'down');
  balancing.setAvailability(3, 'unresolved');
  assert.deepEqual(select(balancing), { tier: 'primary', usable: [] });
});

test('the members of the tier are all configured ones, whatever their availability', () => {
  const balancing = setUp();
  balancing.setAvailability(0, 'down');
  const { members } = selectCandidates(balancing.upstream, balancing.region, null);
  assert.deepEqual(members, [
    { slot: 0, id: '10.0.0.0:3000', weight: 1 },
    { slot: 1, id: '10.0.0.1:3000', weight: 2 },
  ]);
});

test('a word that is no availability counts as out', () => {
  const balancing = setUp();
  for (const index of [0, 1, 2, 3]) balancing.setAvailability(index, 'up');
  balancing.region.words[balancing.region.endpointWord(0) + 2] = 99;
  assert.deepEqual(select(balancing), { tier: 'primary', usable: [1] });
});

test('the lists of members are kept while weights stay, and rebuilt when one changes', () => {
  const balancing = setUp();
  const first = selectCandidates(balancing.upstream, balancing.region, null);
  balancing.setAvailability(0, 'down');
  const second = selectCandidates(balancing.upstream, balancing.region, first);
  assert.equal(second.members, first.members);
  balancing.setWeight(0, 1);
  const third = selectCandidates(balancing.upstream, balancing.region, second);
  assert.equal(third.members, first.members);
  balancing.setWeight(0, 9);
  const fourth = selectCandidates(balancing.upstream, balancing.region, third);
  assert.notEqual(fourth.members, first.members);
  assert.equal(fourth.members[0]!.weight, 9);
});
