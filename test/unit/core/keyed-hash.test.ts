// HalfSipHash-2-4: the vectors of its authors for a 64-bit result, and keys that depend on a name. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyedHash } from '../../../core/keyed-hash.ts';

/** Of the messages '', 00, 00 01, and so on, with the key 00 01 ... 07. */
const VECTORS = ['218d1f59b9b83cc8', 'be552412f8387315', '064f39ef7c50eb57', 'ce0f1a45f7060679', 'd5e78a175be52ea1'];

test('equals the vectors of its authors', () => {
  const hash = new KeyedHash(0x03020100, 0x07060504);
  for (const [length, vector] of VECTORS.entries()) {
    hash.of(String.fromCharCode(...Array.from({ length }, (_, at) => at)));
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(hash.low, 0);
    bytes.writeInt32LE(hash.high, 4);
    assert.equal(bytes.toString('hex'), vector, `${length} bytes`);
  }
});

test('a derived hash depends on its name and on the key', () => {
  const results = [new KeyedHash(1, 2).derive('a'), new KeyedHash(1, 2).derive('b'), new KeyedHash(1, 3).derive('a')];
  for (const hash of results) hash.of('key');
  assert.equal(new Set(results.map(({ low, high }) => `${low} ${high}`)).size, 3);
});
