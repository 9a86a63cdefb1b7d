// Responses in all pieces, valid and broken. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeCuts, makeResponse, mutate } from '../../../support/http1-generators.ts';
import { everyByte, readStream } from '../../../support/http1-reader.ts';
import { forSeeds } from '../../../support/seeded-property.ts';

const RUNS = 1000;

describe('responses', () => {
  test('that are valid are read completely', () => {
    forSeeds(RUNS, (random) => {
      const text = makeResponse(random) + makeResponse(random);
      const { error, messages, stoppedIn } = readStream(text, 'response');
      assert.deepEqual([error, stoppedIn], ['', 'idle'], JSON.stringify(text));
      assert.equal(messages.filter(({ start }) => start[1] !== '103').length, 2);
    });
  });

  test('get the same verdict for every split', () => {
    forSeeds(RUNS, (random) => {
      const text = mutate(random, makeResponse(random) + makeResponse(random));
      const whole = readStream(text, 'response');
      for (const cuts of [everyByte(text.length), makeCuts(random, text.length)]) {
        const split = readStream(text, 'response', cuts);
        assert.deepEqual(split.messages, whole.messages, JSON.stringify(text));
        // A head that doesn't end may be refused later in pieces than whole.
        const isUnfinished = split.error === '' && split.stoppedIn === 'head';
        if (!isUnfinished) assert.equal(split.error, whole.error, JSON.stringify(text));
      }
    });
  });
});
