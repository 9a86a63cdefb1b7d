// Rates and counts of clients in shared memory: bursts, delays, eviction, exactness over threads, and crash repair.
// Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { CLIENT_HEADER, ClientMemory } from '../../../../core/memory/client-memory.ts';
import type { RatingOrder } from '../../../support/rating-thread.ts';
import { rateOf } from '../../../../core/memory/rate-table.ts';

const START_MS = 1_000_000;

function table() {
  const memory = ClientMemory.allocate(2, [7, 9]);
  const take = (key: string, rate: ReturnType<typeof rateOf>, nowMs = START_MS): number => {
    memory.hash.of(key);
    return memory.rates.take(memory.hash.low, memory.hash.high, rate, nowMs);
  };
  return { memory, take };
}

test('every word of the header has a writer, and another buffer is refused', () => {
  const { memory, take } = table();
  const words = new Int32Array(memory.buffer);
  // Nine keys that share the eight places of a set.
  const live = rateOf(60_000, 1, 0);
  for (let high = 1; high <= 9; high += 1) memory.rates.take(5, high * 32, live, START_MS);
  assert.equal(take('another', live), 0);
  for (const [name, { index }] of Object.entries(CLIENT_HEADER)) assert.notEqual(words[index], 0, name);
  assert.equal(memory.evictions, 1);
  assert.throws(() => new ClientMemory(new SharedArrayBuffer(64)), /no memory of clients/);
});

describe('rates', () => {
  test('a burst passes at once, then one request an interval', () => {
    const { memory, take } = table();
    const rate = rateOf(100, 3, 0);
    const waits = [0, 0, 0, 0, 50, 99, 101, 102, 201, 500, 500, 500, 500].map(
      (ms) => take('a', rate, START_MS + ms) > 0,
    );
    assert.deepEqual(waits.map(Number), [0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1].map(Number));
    assert.equal(memory.rates.left, 0);
    assert.equal(take('b', rate), 0);
    assert.equal(memory.rates.left, 2);
  });

  test('a refusal says how long to wait, and takes nothing', () => {
    const { take } = table();
    const rate = rateOf(1000, 1, 0);
    assert.equal(take('a', rate), 0);
    for (const _ of [1, 2, 3]) assert.ok(Math.abs(take('a', rate, START_MS + 250) - 750) < 1);
    assert.equal(take('a', rate, START_MS + 1000), 0);
  });

  test('a delay holds requests back in a row, up to its length', () => {
    const { take } = table();
    const rate = rateOf(100, 1, 250);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => Math.round(take('a', rate))),
      [0, 100, 200, 300],
    );
    assert.ok(take('a', rate) > 250);
  });

  test('keys whose rates have different units are apart', () => {
    const { take } = table();
    assert.equal(take('a', rateOf(60_000, 1, 0)), 0);
    assert.equal(take('a', rateOf(10, 1, 0)), 0);
    assert.ok(take('a', rateOf(60_000, 1, 0), START_MS + 1000) > 0);
  });

  test('a million keys keep the memory bounded, and none of 100 at their limit is forgotten', () => {
    const { memory, take } = table();
    const [few, many] = [rateOf(60_000, 5, 0), rateOf(60_000, 5, 0)];
    const attackers = Array.from({ length: 100 }, (_, at) => `attacker ${at}`);
    for (const key of attackers) for (let sent = 0; sent < 6; sent += 1) take(key, few);
    let refused = 0;
    for (let key = 0; key < 1_000_000; key += 1) if (take(`client ${key}`, many, START_MS + 1) > 0) refused += 1;
    assert.equal(refused, 0, 'no client shares the rate of another one');
    assert.deepEqual(
      attackers.map((key) => take(key, few, START_MS + 2) > 0).filter((isRefused) => !isRefused),
      [],
    );
    assert.ok(memory.evictions < 30_000, `${memory.evictions} evictions`);
    assert.ok(memory.buffer.byteLength < 32 * 2 ** 20);
  });

  test('threads together let exactly a burst through', async () => {
    const { memory } = table();
    const worker = new URL('../../../support/rating-thread.ts', import.meta.url);
    const ready = new Int32Array(new SharedArrayBuffer(4));
    const workerData: RatingOrder = { buffer: memory.buffer, ready, threads: 2 };
    const threads = [0, 1].map(() => new Worker(worker, { workerData }));
    const taken = await Promise.all(
      threads.map((thread) => new Promise<number[]>((resolve) => void thread.once('message', resolve))),
    );
    for (const [key, count] of taken[0]!.entries()) assert.equal(count + taken[1]![key]!, 200, `key ${key}`);
  });
});

describe('counts', () => {
  test('workers share a limit, and a cleared row takes its counts along', () => {
    const memory = ClientMemory.allocate(2, [7, 9]);
    const [first, second] = [memory.countsOf(0), memory.countsOf(1)];
    assert.deepEqual([first.add(5, 6, 3), second.add(5, 6, 3), second.add(5, 6, 3)], [true, true, true]);
    assert.deepEqual([first.add(5, 6, 3), second.add(5, 6, 3), first.add(5, 7, 3)], [false, false, true]);
    second.clear();
    assert.equal(first.of(5, 6), 1);
    first.subtract(5, 6);
    first.subtract(5, 6);
    assert.equal(first.of(5, 6), 0);
  });

  test('a client without a free place is counted in its worker', () => {
    const memory = ClientMemory.allocate(2, [7, 9]);
    const [counts, other] = [memory.countsOf(0), memory.countsOf(1)];
    for (let high = 1; high <= 9; high += 1) assert.ok(counts.add(5, high, 1));
    assert.deepEqual([counts.of(5, 8), counts.of(5, 9), other.of(5, 9)], [1, 1, 0]);
    assert.ok(!counts.add(5, 9, 1));
    assert.ok(counts.add(5, 9, 2));
    counts.subtract(5, 3);
    assert.ok(counts.add(5, 9, 3), 'the third takes the place that is free now');
    assert.deepEqual([counts.of(5, 9), other.of(5, 9)], [3, 1]);
    for (const left of [2, 1, 0, 0]) {
      counts.subtract(5, 9);
      assert.equal(counts.of(5, 9), left);
    }
    assert.deepEqual(
      [1, 2, 3, 4].map((high) => counts.of(5, high)),
      [1, 1, 0, 1],
      'others keep theirs',
    );
  });
});
