// Chunked bodies in all pieces. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomBelow, type Random } from '../../../../core/random.ts';
import { decodeChunks } from '../../../support/http1-chunks.ts';
import { makeChunks, makeCuts, mutate, oneOf } from '../../../support/http1-generators.ts';
import { everyByte } from '../../../support/http1-reader.ts';
import { forSeeds } from '../../../support/seeded-property.ts';

const RUNS = 1000;

function makeBody(random: Random): string {
  return Array.from({ length: randomBelow(random, 40) }, () => oneOf(random, ['a', '0', '\r', '\n', ';', '\xff'])).join(
    '',
  );
}

/** Three splits: whole, byte by byte, at random offsets. */
function cutsOf(random: Random, length: number): number[][] {
  return [[], everyByte(length), makeCuts(random, length)];
}

describe('chunked bodies', () => {
  test('yield their payload and leave the bytes that follow, for every split', () => {
    forSeeds(RUNS, (random) => {
      const body = makeBody(random);
      const text = makeChunks(random, body);
      for (const cuts of cutsOf(random, text.length + 4)) {
        const decoded = decodeChunks(`${text}NEXT`, cuts);
        assert.deepEqual([decoded.outcome, decoded.output, decoded.rest], ['done', body, 'NEXT'], JSON.stringify(text));
      }
    });
  });

  test('get the same verdict for every split, valid or not, and yield the same bytes up to a fault', () => {
    forSeeds(RUNS, (random) => {
      const text = mutate(random, makeChunks(random, makeBody(random)));
      const whole = decodeChunks(text);
      for (const cuts of cutsOf(random, text.length)) {
        assert.deepEqual(decodeChunks(text, cuts), whole, JSON.stringify(text));
      }
    });
  });
});
