// A short run of the HTTP/2 fuzz target: the corpus, and a fixed number of inputs from fixed seeds.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { makeInput, readCorpus } from './http2-input.ts';
import { checkInput } from './http2-target.ts';

const corpus = readCorpus();

describe('the HTTP/2 codec under fuzzing, beside nghttp2', () => {
  test('the corpus is complete', () => assert.ok(corpus.size >= 100, String(corpus.size)));

  test('the corpus breaks no invariant', async () => {
    for (const [name, bytes] of corpus) {
      await assert.doesNotReject(checkInput(bytes, seededRandom(1)), name);
    }
  });

  test('500 inputs from fixed seeds break no invariant', async () => {
    const inputs = [...corpus.values()];
    for (let seed = 1; seed <= 500; seed += 1) {
      const random = seededRandom(seed);
      const input = makeInput(random, inputs);
      await assert.doesNotReject(checkInput(input, random), `seed ${seed}: ${input.toString('hex')}`);
    }
  });
});
