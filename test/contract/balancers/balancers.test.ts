// Runs the balancers' shared cases against every algorithm and variant. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allBalancers } from '../../../balancers/registry.ts';
import { BALANCES } from '../../support/balancing.ts';
import { balancerCases } from './cases.ts';

for (const [name, balance] of Object.entries(BALANCES)) {
  describe(`balancer ${name}`, () => {
    for (const one of balancerCases) {
      if (one.isAboutShares === true && balance.kind === 'first') continue;
      test(one.name, () => one.run(balance));
    }
  });
}

test('every registered balancer is run against the shared cases', () => {
  const covered = new Set<string>(Object.values(BALANCES).map((balance) => balance.kind));
  assert.deepEqual(
    [...covered].sort(),
    allBalancers()
      .map(({ name }) => name)
      .sort(),
  );
});
