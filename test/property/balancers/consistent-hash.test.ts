// Properties of consistent hashing for any upstream and any change of it. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { PICK_FAILURE } from '../../../core/balancer.ts';
import { seededRandom } from '../../../core/random.ts';
import { BALANCES, Balancing } from '../../support/balancing.ts';

const KEYS = 400;
const balance = { ...BALANCES.hash, tableSize: 5003 };
const parameters = { seed: 303, numRuns: 60 };
const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 30 });

function mapKeys(balancing: Balancing): number[] {
  const random = seededRandom(77);
  return Array.from({ length: KEYS }, () => {
    balancing.request.hash1 = Math.floor(random.next() * 2 ** 32);
    balancing.request.hash2 = Math.floor(random.next() * 2 ** 32);
    return balancing.pick(false);
  });
}

test('only keys whose endpoint went down move, and all come home with it', () => {
  fc.assert(
    fc.property(weights, fc.array(fc.nat({ max: 29 }), { maxLength: 29 }), (chosen, downs) => {
      const balancing = new Balancing({ balance, weights: chosen });
      const before = mapKeys(balancing);
      const down = new Set(downs.filter((index) => index < chosen.length));
      for (const index of down) balancing.setAvailability(index, 'down');
      mapKeys(balancing).forEach((endpoint, key) => {
        if (down.size === chosen.length) assert.equal(endpoint, PICK_FAILURE.noneUsable);
        else if (down.has(before[key]!)) assert.ok(!down.has(endpoint));
        else assert.equal(endpoint, before[key]);
      });
      for (const index of down) balancing.setAvailability(index, 'up');
      assert.deepEqual(mapKeys(balancing), before);
    }),
    parameters,
  );
});

test('as a factor grows keys move only to its endpoint, each once', () => {
  const factors = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(weights, fc.nat({ max: 29 }), factors, (chosen, nth, steps) => {
      const grown = nth % chosen.length;
      const balancing = new Balancing({ balance, weights: chosen });
      let last: number[] | null = null;
      for (const factor of steps.sort((a, b) => a - b)) {
        balancing.setFactor(grown, factor);
        const now = mapKeys(balancing);
        last?.forEach((endpoint, key) => assert.ok(now[key] === endpoint || now[key] === grown));
        last = now;
      }
    }),
    parameters,
  );
});

test('where keys go depends on identities, not on slots or on the configured order', () => {
  fc.assert(
    fc.property(weights, (chosen) => {
      const one = new Balancing({ balance, weights: chosen });
      const endpoints = one.upstream.endpoints.map((endpoint) => ({ ...endpoint, slot: endpoint.slot + 30 }));
      const upstream = { ...one.upstream, endpoints: endpoints.toReversed() };
      const two = new Balancing({ balance, weights: chosen, upstream, firstSlot: 30 });
      assert.deepEqual(mapKeys(two), mapKeys(one));
    }),
    { ...parameters, numRuns: 20 },
  );
});
