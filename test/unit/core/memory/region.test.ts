// Shared region: records that don't overlap, and two views of one buffer. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ENDPOINT,
  E_FACTOR,
  FULL_FACTOR,
  HEADER,
  RECORD_WORDS,
  UPSTREAM,
  WORKER,
} from '../../../../core/memory/layout.ts';
import type { Word } from '../../../../core/memory/layout.ts';
import { ENDPOINT_BLOCK, LISTENER_BLOCK, UPSTREAM_BLOCK } from '../../../../core/memory/lane-fields.ts';
import { Region, regionBytes } from '../../../../core/memory/region.ts';

const CAPACITY = { endpoints: 19, upstreams: 3, workers: 5, listeners: 2 };

test('a second view of the buffer sees the same capacity, origin and words', () => {
  const one = Region.allocate(CAPACITY, 1_700_000_000_000);
  const two = new Region(one.buffer);
  assert.deepEqual(two.capacity, CAPACITY);
  assert.equal(two.originWallMs, 1_700_000_000_000);
  one.words[one.endpointWord(18)] = 7;
  assert.equal(two.words[two.endpointWord(18)], 7);
});

test('a buffer that is not a region, or one of another version, is refused', () => {
  assert.throws(() => new Region(new SharedArrayBuffer(4096)), /not a shared region/);
  const region = Region.allocate(CAPACITY, 0);
  region.words[HEADER.version.index]!++;
  assert.throws(() => new Region(region.buffer), /not a shared region/);
});

test('every endpoint starts with its full factor', () => {
  const region = Region.allocate(CAPACITY, 0);
  for (let slot = 0; slot < 19; slot++) assert.equal(region.words[region.endpointWord(slot) + E_FACTOR], FULL_FACTOR);
});

test('no two records, rows or lanes share a word, and all lie within the buffer', () => {
  const region = Region.allocate(CAPACITY, 0);
  const used = new Set<number>();
  claim(0, RECORD_WORDS);
  for (let i = 0; i < 19; i++) claim(region.endpointWord(i), RECORD_WORDS);
  for (let i = 0; i < 3; i++) claim(region.upstreamWord(i), RECORD_WORDS);
  for (let worker = 0; worker < 5; worker++) {
    claim(region.workerWord(worker), RECORD_WORDS);
    for (let i = 0; i < 19; i++) claim(region.ownWord(worker, i), 1);
    for (let i = 0; i < 19; i++) claim(region.endpointLane(worker, i) * 2, ENDPOINT_BLOCK * 2);
    for (let i = 0; i < 3; i++) claim(region.upstreamLane(worker, i) * 2, UPSTREAM_BLOCK * 2);
    for (let i = 0; i < 2; i++) claim(region.listenerLane(worker, i) * 2, LISTENER_BLOCK * 2);
  }
  assert.ok(region.buffer.byteLength >= regionBytes(CAPACITY) - 63);

  function claim(begin: number, count: number): void {
    for (let word = begin; word < begin + count; word++) {
      assert.ok(!used.has(word) && word < region.words.length, `word ${word}`);
      used.add(word);
    }
  }
});

test('records and the rows of each worker start on a cache line', () => {
  const region = Region.allocate(CAPACITY, 0);
  const begins = [region.endpointWord(1), region.upstreamWord(1), region.workerWord(1), region.ownWord(1, 0)];
  for (const begin of begins) assert.equal(begin % RECORD_WORDS, 0);
});

test('no two words of a record overlap, and doubles are aligned', () => {
  for (const record of [HEADER, ENDPOINT, UPSTREAM, WORKER] as Record<string, Word>[]) {
    const used = new Set<number>();
    for (const [name, word] of Object.entries(record)) {
      if (word.type === 'f64') assert.equal(word.index % 2, 0, name);
      for (const index of word.type === 'f64' ? [word.index, word.index + 1] : [word.index]) {
        assert.ok(!used.has(index) && index < RECORD_WORDS, name);
        used.add(index);
      }
    }
  }
});
