// The codec against an independent reference parser, whole and in pieces, over valid and broken streams. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeCuts, makeStream, mutate } from '../../../support/http1-generators.ts';
import { everyByte, readStream, type ReadResult } from '../../../support/http1-reader.ts';
import { readReference } from '../../../support/http1-reference.ts';
import { forSeeds } from '../../../support/seeded-property.ts';

const RUNS = 1500;

/** Compares the codec's result with the reference; an incomplete message may be refused early. */
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
  test('valid streams read as by the reference', () => {
    forSeeds(RUNS, (random) => {
      const text = makeStream(random);
      assert.equal(readReference(text).rest, 'nothing', JSON.stringify(text));
      compare(text, readStream(text, 'request'));
    });
  });

  test('broken streams are refused where the reference refuses, and read up to that point', () => {
    forSeeds(RUNS, (random) => {
      const text = mutate(random, makeStream(random));
      compare(text, readStream(text, 'request'));
    });
  });

  test('broken streams in single bytes or random pieces get the same verdict', () => {
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
