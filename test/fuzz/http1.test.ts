// A short run of the HTTP/1.1 fuzz target: the corpus, and a fixed number of inputs from fixed seeds.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../core/random.ts';
import { checkInput, makeInput, readCorpus } from './http1-target.ts';

const corpus = readCorpus();

describe('the HTTP/1.1 codec under fuzzing', () => {
  test('the corpus is complete', () => assert.ok(corpus.size >= 30, String(corpus.size)));

  for (const [name, text] of corpus) {
    test(`corpus: ${name}`, () => checkInput(text, seededRandom(1)));
  }

  test('1500 inputs from fixed seeds break no invariant', () => {
    const texts = [...corpus.values()];
    for (let seed = 1; seed <= 1500; seed += 1) {
      const random = seededRandom(seed);
      const input = makeInput(random, texts);
      assert.doesNotThrow(() => checkInput(input, random), `seed ${seed}: ${JSON.stringify(input)}`);
    }
  });
});
