// Balancer round-robin: the order, its cursor, and what happens at places that can't be used. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UPSTREAM } from '../../../core/memory/layout.ts';
import { BALANCES, Balancing, testRegion } from '../../support/balancing.ts';

const balance = BALANCES.roundRobin;

function picks(balancing: Balancing, count: number): string {
  return Array.from({ length: count }, () => 'ABCDE'[balancing.pick()]).join('');
}

function cursorOf(balancing: Balancing): { words: Int32Array; word: number } {
  const { region } = balancing;
  return { words: region.words, word: region.upstreamWord(0) + UPSTREAM.roundRobinCursor.index };
}

test('picks follow the golden order, period after period', () => {
  assert.equal(picks(new Balancing({ balance, weights: [5, 1, 1] }), 14), 'AABACAAAABACAA');
});

test('two workers share one order', () => {
  const region = testRegion();
  const [one, two] = [0, 1].map((worker) => new Balancing({ balance, weights: [5, 1, 1], region, worker }));
  const order = Array.from({ length: 7 }, (_, turn) => picks((turn % 2 === 0 ? one : two)!, 1));
  assert.equal(order.join(''), 'AABACAA');
});

test('a busy endpoint is replaced by the next in the order, and the order goes on', () => {
  const balancing = new Balancing({ balance, weights: [1, 1, 1] });
  balancing.setLimit(1, 1);
  balancing.setInflight(1, 1);
  assert.equal(picks(balancing, 6), 'ACCACC');
  balancing.setInflight(1, 0);
  assert.equal(picks(balancing, 3), 'ABC');
});

test('a tried endpoint is replaced by the next in the order', () => {
  const balancing = new Balancing({ balance, weights: [5, 1, 1] });
  balancing.try(0);
  assert.equal(picks(balancing, 7), 'BBBCCBB');
});

test('a pick moves the cursor by one place', () => {
  const balancing = new Balancing({ balance, weights: [3, 1] });
  const { words, word } = cursorOf(balancing);
  balancing.shares(11);
  assert.equal(words[word], 11);
});

test('the cursor runs over the end of its word', () => {
  const balancing = new Balancing({ balance, weights: [1, 1] });
  const { words, word } = cursorOf(balancing);
  words[word] = -2;
  assert.equal(picks(balancing, 4), 'ABAB');
  words[word] = 0x7fff_fffe;
  assert.equal(picks(balancing, 4), 'ABAB');
});

test('a factor skips its part of the rounds, evenly, and no other endpoint gains the place', () => {
  const balancing = new Balancing({ balance, weights: [1, 1, 1, 1] });
  balancing.setFactor(1, 0.25);
  const order = picks(balancing, 3250);
  const counts = ['A', 'B', 'C', 'D'].map((name) => order.split(name).length - 1);
  assert.deepEqual(counts, [1000, 250, 1000, 1000]);
  const gaps = order
    .split('B')
    .slice(1, -1)
    .map((between) => between.length);
  assert.ok(Math.max(...gaps) <= 15 && Math.min(...gaps) >= 6, `${Math.min(...gaps)} to ${Math.max(...gaps)} others`);
});

test('factors of all endpoints keep their proportions', () => {
  const balancing = new Balancing({ balance, weights: [2, 1] });
  balancing.setFactor(0, 0.25);
  balancing.setFactor(1, 0.5);
  const [a, b] = balancing.shares(10_000);
  assert.ok(Math.abs(a! - b!) <= 20, `${a} and ${b}`);
});

test('an endpoint of little factor takes over little from a busy one before it', () => {
  const balancing = new Balancing({ balance, weights: [1, 1, 1] });
  balancing.setLimit(1, 1);
  balancing.setInflight(1, 1);
  balancing.setFactor(2, 0.25);
  // Of each round: a quarter of its own place, a quarter of the busy one's.
  const [a, , c] = balancing.shares(9000);
  assert.ok(Math.abs(c! - 2000) <= 4, `${c}`);
  assert.equal(a! + c!, 9000);
});

test('an endpoint behind more busy places than are looked at is found all the same', () => {
  const weights = [10_000, 9999, 1];
  const balancing = new Balancing({ balance, weights });
  for (const index of [0, 1]) {
    balancing.setLimit(index, 1);
    balancing.setInflight(index, 1);
  }
  assert.deepEqual(balancing.shares(50), [0, 0, 50]);
});
