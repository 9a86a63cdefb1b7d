// MurmurHash3 x86 32-bit against published test vectors, and the properties that hashing relies on. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mix32, murmur32, murmur32OfString } from '../../../core/murmur.ts';

const FOX = 'The quick brown fox jumps over the lazy dog';

/** Vectors on which implementations in several languages agree. */
const STRINGS: readonly (readonly [text: string, seed: number, hash: number])[] = [
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['a', 0x9747b28c, 0x7fa09ea6],
  ['aa', 0x9747b28c, 0x5d211726],
  ['aaa', 0x9747b28c, 0x283e0130],
  ['aaaa', 0x9747b28c, 0x5a97808a],
  ['abc', 0, 0xb3dd93fa],
  ['test', 0, 0xba6bd213],
  ['test', 0x9747b28c, 0x704b81dc],
  ['Hello, world!', 0, 0xc0363e43],
  ['Hello, world!', 0x9747b28c, 0x24884cba],
  [FOX, 0, 0x2e4ff723],
  [FOX, 0x9747b28c, 0x2fa826cd],
  ['ππππππππ', 0x9747b28c, 0xd58063c1],
];

const BYTES: readonly (readonly [bytes: readonly number[], seed: number, hash: number])[] = [
  [[0xff, 0xff, 0xff, 0xff], 0, 0x76293b50],
  [[0x21, 0x43, 0x65, 0x87], 0x5082edee, 0x2362f9de],
  [[0, 0, 0], 0, 0x85f0b427],
];

test('strings have the published hash of their UTF-8 bytes', () => {
  for (const [text, seed, hash] of STRINGS) assert.equal(murmur32OfString(text, seed), hash, `${text} ${seed}`);
});

test('bytes above 127 have the published hash', () => {
  for (const [bytes, seed, hash] of BYTES) assert.equal(murmur32(Uint8Array.from(bytes), bytes.length, seed), hash);
});

test('bytes beyond the length are ignored', () => {
  const bytes = new TextEncoder().encode('testXYZ');
  assert.equal(murmur32(bytes, 4, 0), 0xba6bd213);
});

test('a text longer than the scratch buffer hashes as its bytes', () => {
  const text = 'ü'.repeat(10_000);
  const bytes = new TextEncoder().encode(text);
  assert.equal(murmur32OfString(text, 5), murmur32(bytes, bytes.length, 5));
});

test('flipping one input bit of the mixer flips about half of the output bits', () => {
  for (let bit = 0; bit < 32; bit++) {
    let flipped = 0;
    for (let word = 0; word < 1000; word++) {
      let difference = (mix32(word * 7919) ^ mix32((word * 7919) ^ (1 << bit))) >>> 0;
      for (; difference > 0; difference >>>= 1) flipped += difference & 1;
    }
    assert.ok(flipped > 15_000 && flipped < 17_000, `bit ${bit}: ${flipped} of 32,000`);
  }
});
