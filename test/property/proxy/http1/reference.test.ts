// The codec against a second reading of the RFC, whole and in pieces, over valid streams and broken ones.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeCuts, makeStream, mutate } from '../../../support/http1-generators.ts';
import { everyByte, readStream, type ReadResult } from '../../../support/http1-reader.ts';
import { readReference } from '../../../support/http1-reference.ts';
import { forSeeds } from '../../../support/seeded-property.ts';

const RUNS = 1500;

/** Holds the codec's result against the reference; an unfinished message may be refused before it ends. */
function compare(text: string, result: ReadResult): void {
  const reference = readReference(text);
  if (result.isHandedOff) {
    assert.deepEqual(result.messages, reference.messages.slice(0, result.messages.length));
    return;
  }
  assert.deepEqual(result.messages, reference.messages, JSON.stringify(text));
  if (reference.rest === 'nothing') assert.equal(result.error, '', JSON.stringify(text));
  if (reference.rest === 'refused') assert.notEqual(result.error, '', JSON.stringify(text));
}

describe('requests, compared with a reference', () => {
  test('valid streams are read as the reference reads them', () => {
    forSeeds(RUNS, (random) => {
      const text = makeStream(random);
      assert.equal(readReference(text).rest, 'nothing', JSON.stringify(text));
      compare(text, readStream(text, 'request'));
    });
  });

  test('broken streams are refused where the reference refuses, and read up to there', () => {
    forSeeds(RUNS, (random) => {
      const text = mutate(random, makeStream(random));
      compare(text, readStream(text, 'request'));
    });
  });

  test('broken streams that come byte by byte or in random pieces are judged the same', () => {
    forSeeds(RUNS, (random) => {
      const text = mutate(random, makeStream(random));
      const whole = readStream(text, 'request');
      for (const cuts of [everyByte(text.length), makeCuts(random, text.length)]) {
        const split = readStream(text, 'request', cuts);
        assert.deepEqual(split.messages, whole.messages, JSON.stringify(text));
        compare(text, split);
        if (split.error !== '') assert.equal(split.error, whole.error, JSON.stringify(text));
      }
    });
  });
});
