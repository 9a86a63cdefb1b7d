// Properties of the hash for any bytes and texts. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { mix32, murmur32, murmur32OfString } from '../../../core/murmur.ts';

const parameters = { seed: 505, numRuns: 500 };

test('the hash of a string is the hash of its UTF-8 bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.integer(), (text, seed) => {
      const bytes = new TextEncoder().encode(text);
      assert.equal(murmur32OfString(text, seed), murmur32(bytes, bytes.length, seed));
    }),
    parameters,
  );
});

test('hashes are unsigned 32-bit numbers that depend only on bytes and seed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer(), (bytes, seed) => {
      const hash = murmur32(bytes, bytes.length, seed);
      assert.ok(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32);
      assert.equal(murmur32(Uint8Array.from([...bytes, 1, 2, 3]), bytes.length, seed), hash);
    }),
    parameters,
  );
});

test('the mixer is injective', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (a, b) => {
      if ((a | 0) !== (b | 0)) assert.notEqual(mix32(a), mix32(b));
    }),
    parameters,
  );
});
