// Chunked bodies in all pieces: payload, and the runs that are written to a peer.

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

/** Three ways to cut: whole, byte by byte, in random places. */
function cutsOf(random: Random, length: number): number[][] {
  return [[], everyByte(length), makeCuts(random, length)];
}

describe('chunked bodies', () => {
  test('give their payload and leave what is behind, for every split', () => {
    forSeeds(RUNS, (random) => {
      const body = makeBody(random);
      const text = makeChunks(random, body);
      for (const cuts of cutsOf(random, text.length + 4)) {
        const decoded = decodeChunks(`${text}NEXT`, 'next', cuts);
        assert.deepEqual([decoded.outcome, decoded.output, decoded.rest], ['done', body, 'NEXT'], JSON.stringify(text));
      }
    });
  });

  test('are judged the same for every split, valid or not, and give the same bytes up to a fault', () => {
    forSeeds(RUNS, (random) => {
      const text = mutate(random, makeChunks(random, makeBody(random)));
      for (const method of ['next', 'nextRun'] as const) {
        const whole = decodeChunks(text, method);
        for (const cuts of cutsOf(random, text.length)) {
          const split = decodeChunks(text, method, cuts);
          assert.equal(split.outcome, whole.outcome, JSON.stringify(text));
          assert.equal(split.payloadBytes, whole.payloadBytes, JSON.stringify(text));
          assert.deepEqual(split.trailers, whole.trailers);
          if (method === 'next') assert.equal(split.output, whole.output, JSON.stringify(text));
        }
      }
    });
  });

  test('passed on in runs are a body of the same payload and trailers, without extensions', () => {
    forSeeds(RUNS, (random) => {
      const body = makeBody(random);
      const text = makeChunks(random, body);
      for (const cuts of cutsOf(random, text.length)) {
        const passed = decodeChunks(text, 'nextRun', cuts);
        assert.equal(passed.outcome, 'done');
        const again = decodeChunks(passed.output, 'next', [], {
          extensionBytes: 0,
          trailerBytes: 8192,
          trailerFields: 64,
        });
        assert.deepEqual([again.outcome, again.output, again.rest], ['done', body, ''], JSON.stringify(text));
        assert.deepEqual(again.trailers, passed.trailers);
      }
    });
  });

  test('that turn out broken have only given valid beginnings to the peer', () => {
    forSeeds(RUNS, (random) => {
      const text = mutate(random, makeChunks(random, makeBody(random)));
      const passed = decodeChunks(text, 'nextRun', makeCuts(random, text.length));
      if (passed.outcome === 'done') return;
      assert.equal(decodeChunks(passed.output, 'next').outcome, 'more', JSON.stringify(text));
    });
  });
});
