// Balancer consistent-hash: keys that move when health, factor or load change, and keys that must not. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PICK_FAILURE } from '../../../core/balancer.ts';
import { seededRandom } from '../../../core/random.ts';
import { hashMembers } from '../../../balancers/consistent-hash.ts';
import { buildHashKey } from '../../../balancers/hash-key.ts';
import { buildMaglevTable, sortedById } from '../../../balancers/maglev.ts';
import { BALANCES, Balancing } from '../../support/balancing.ts';
import { ALPHA, binomialRegion, chiSquareProbability } from '../../support/statistics.ts';

const balance = BALANCES.hash;
const KEYS = 100_000;
const equal = (count: number) => Array.from({ length: count }, () => 1);

/** The endpoint of each key. The same keys at every call. */
function mapKeys(balancing: Balancing, count = KEYS): Int32Array {
  const random = seededRandom(2024);
  return Int32Array.from({ length: count }, () => {
    balancing.request.hash1 = Math.floor(random.next() * 2 ** 32);
    balancing.request.hash2 = Math.floor(random.next() * 2 ** 32);
    return balancing.pick(false);
  });
}

function countsOf(mapping: Int32Array, endpoints: number): number[] {
  const counts = Array.from({ length: endpoints }, () => 0);
  for (const endpoint of mapping) counts[endpoint]!++;
  return counts;
}

test('one of ten endpoints down moves exactly its own keys of 100,000, and they return with it', () => {
  const balancing = new Balancing({ balance, weights: equal(10) });
  const before = mapKeys(balancing);
  balancing.setAvailability(4, 'down');
  const during = mapKeys(balancing);
  before.forEach((endpoint, key) => assert.equal(during[key] !== endpoint, endpoint === 4));
  balancing.setAvailability(4, 'up');
  assert.deepEqual(mapKeys(balancing), before);
});

test('the keys of an endpoint that is down spread evenly over the others', () => {
  const balancing = new Balancing({ balance, weights: equal(10) });
  const before = mapKeys(balancing);
  balancing.setAvailability(4, 'down');
  const displaced = mapKeys(balancing).filter((_, key) => before[key] === 4);
  const counts = countsOf(displaced, 10).filter((_, endpoint) => endpoint !== 4);
  const probability = chiSquareProbability(counts, equal(9));
  assert.ok(probability > ALPHA, `p = ${probability}`);
});

test('a million random keys fall on the endpoints as their places in the table', () => {
  const weights = [1, 2, 3, 10, 1, 7];
  const balancing = new Balancing({ balance, weights });
  const members = sortedById(balancing.picker.candidates.members);
  const places = weights.map(() => 0);
  for (const index of buildMaglevTable(members, balance.tableSize, balance.seed)) places[members[index]!.slot]!++;
  const probability = chiSquareProbability(countsOf(mapKeys(balancing, 1_000_000), weights.length), places);
  assert.ok(probability > 0.001, `p = ${probability}`);
});

test('keys as they come in practice are spread like random ones', () => {
  const random = seededRandom(8);
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => Math.floor(random.next() * 16).toString(16)).join('');
  const corpora: Record<string, (index: number) => string> = {
    'sequential numbers': (index) => String(index),
    UUIDs: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    URLs: (index) => `/shop/products/${index % 997}/reviews?page=${Math.floor(index / 997)}`,
  };
  for (const [name, keyAt] of Object.entries(corpora)) {
    const probability = spread((index) => ({ target: '/', address: '', user: keyAt(index) }), 'header', 30_000);
    assert.ok(probability > ALPHA, `${name}: p = ${probability}`);
  }
  const networks = (index: number) => `203.0.${index >> 8}.${index & 255}`;
  const probability = spread((index) => ({ target: '/', address: networks(index), user: '' }), 'client-ip', 256 * 100);
  assert.ok(probability > ALPHA, `addresses of 100 /24 networks: p = ${probability}`);
});

/** Chi-square probability of the counts on ten equal endpoints. */
function spread(
  sourceAt: (index: number) => { target: string; address: string; user: string },
  kind: 'header' | 'client-ip',
  count: number,
): number {
  const balancing = new Balancing({ balance, weights: equal(10) });
  const read = buildHashKey(kind === 'header' ? { kind, name: 'x-user' } : { kind }, 0, seededRandom(1));
  const counts = equal(10).map(() => 0);
  for (let index = 0; index < count; index++) {
    const source = sourceAt(index);
    assert.ok(read({ target: source.target, field: () => source.user }, source.address, balancing.request));
    counts[balancing.pick(false)]!++;
  }
  return chiSquareProbability(counts, equal(10));
}

test('a second try of a key goes where the key goes while its first endpoint is down', () => {
  const balancing = new Balancing({ balance, weights: equal(5) });
  const first = mapKeys(balancing, 2000);
  const random = seededRandom(2024);
  first.forEach((endpoint) => {
    balancing.request.hash1 = Math.floor(random.next() * 2 ** 32);
    balancing.request.hash2 = Math.floor(random.next() * 2 ** 32);
    balancing.try(endpoint);
    const second = balancing.pick(false);
    balancing.try();
    balancing.setAvailability(endpoint, 'down');
    assert.equal(balancing.pick(false), second);
    balancing.setAvailability(endpoint, 'up');
  });
});

test('a second try does not go back to where the sequence of its key begins', () => {
  const balancing = new Balancing({ balance, weights: equal(5) });
  const homes = mapKeys(balancing, 3000);
  balancing.try(0);
  const second = mapKeys(balancing, 3000);
  const others = homes.filter((home) => home !== 0).length;
  const back = homes.filter((home, key) => home !== 0 && second[key] === home).length;
  // By chance one of the four that remain.
  const { low, high } = binomialRegion(others, 1 / 4);
  assert.ok(back >= low && back <= high, `${back} of ${others}`);
});

test('a factor leaves an endpoint that part of its keys, and the others keep theirs', () => {
  const balancing = new Balancing({ balance, weights: equal(10) });
  const before = mapKeys(balancing);
  balancing.setFactor(3, 0.25);
  const during = mapKeys(balancing);
  const own = countsOf(before, 10)[3]!;
  const kept = countsOf(during, 10)[3]!;
  const { low, high } = binomialRegion(own, 0.25);
  assert.ok(kept >= low && kept <= high, `${kept} of ${own}`);
  before.forEach((endpoint, key) => assert.ok(during[key] === endpoint || endpoint === 3));
});

test('while primaries are out the keys are spread over the backups by a table of their own', () => {
  const balancing = new Balancing({ balance, weights: equal(2), backups: equal(3) });
  const before = mapKeys(balancing, 5000);
  for (const index of [0, 1]) balancing.setAvailability(index, 'down');
  const probability = chiSquareProbability(countsOf(mapKeys(balancing, 5000), 5).slice(2), equal(3));
  assert.ok(probability > ALPHA, `p = ${probability}`);
  balancing.setAvailability(0, 'up');
  balancing.setAvailability(1, 'up');
  assert.deepEqual(mapKeys(balancing, 5000), before);
});

test('the last of many endpoints is found where all probes miss it', () => {
  const balancing = new Balancing({ balance, weights: equal(300) });
  for (let index = 0; index < 300; index++) if (index !== 123) balancing.setAvailability(index, 'down');
  assert.deepEqual(new Set(mapKeys(balancing, 500)), new Set([123]));
  balancing.setAvailability(123, 'down');
  assert.equal(balancing.pick(), PICK_FAILURE.noneUsable);
});

test('where all probes miss, keys are spread by weight over those that remain', () => {
  const balancing = new Balancing({ balance, weights: [1, 2, 3, ...equal(300)] });
  for (let index = 3; index < 303; index++) balancing.setAvailability(index, 'down');
  const probability = chiSquareProbability(countsOf(mapKeys(balancing, 30_000), 3), [1, 2, 3]);
  assert.ok(probability > ALPHA, `p = ${probability}`);
});

test('the table is built once for the same members, not at each change of health', () => {
  const balancing = new Balancing({ balance, weights: equal(3) });
  const before = hashMembers(balance, balancing.picker.candidates.members);
  balancing.setAvailability(0, 'down');
  assert.equal(hashMembers(balance, balancing.picker.candidates.members), before);
  balancing.setWeight(1, 2);
  assert.notEqual(hashMembers(balance, balancing.picker.candidates.members), before);
});
