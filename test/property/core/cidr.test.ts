// The matcher against arithmetic on 32-bit words. Thread: both.

import { test } from 'node:test';
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { compileCidrs } from '../../../core/cidr.ts';

const word = fc.nat(0xffff_ffff);

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

function isInside(address: number, block: number, prefixBits: number): boolean {
  return prefixBits === 0 || (address ^ block) >>> (32 - prefixBits) === 0;
}

test('an IPv4 address is in a block exactly when its first bits are those of the block', () => {
  fc.assert(
    fc.property(word, fc.nat(32), word, fc.nat(31), (block, prefixBits, address, flipped) => {
      const matches = compileCidrs([`${dotted(block)}/${prefixBits}`]);
      for (const candidate of [address, (block ^ (1 << flipped)) >>> 0, block]) {
        const expected = isInside(candidate, block, prefixBits);
        assert.equal(matches(dotted(candidate)), expected);
        assert.equal(matches(`::ffff:${dotted(candidate)}`), expected);
      }
    }),
    { seed: 20_260_801, numRuns: 500 },
  );
});
