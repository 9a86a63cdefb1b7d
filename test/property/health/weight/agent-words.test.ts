// Any agent report: only known words are counted, and no text can harm a log. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AGENT_WORDS, readAgentWords } from '../../../../health/weight/agent-words.ts';

const piece = fc.constantFrom('up', 'down', '5%', 'weight:3', 'drain', '#', ' ', ',', '\t', 'weight:', '%', 'maint');
const text = fc.array(fc.oneof(piece, fc.string({ unit: 'binary' }))).map((parts) => parts.join(''));

test('readAgentWords takes any text', () => {
  fc.assert(
    fc.property(text, (said) => {
      const { words, weight, admin, service, unknown } = readAgentWords(said);
      for (const word of words) assert.ok(AGENT_WORDS.includes(word));
      assert.equal(weight !== null, words.includes('weight'));
      if (weight !== null) assert.ok(weight.value >= 0 && weight.value <= 9_999);
      assert.equal(
        admin !== null,
        words.some((word) => word === 'ready' || word === 'drain' || word === 'maint'),
      );
      assert.equal(unknown.length > 0, words.includes('unknown'));
      assert.match([service?.reason ?? '', ...unknown].join(''), /^[\x20-\x7e]*$/);
    }),
    { seed: 20_260_102, numRuns: 1_000 },
  );
});
