// The codec compared with the platform's parser, over real sockets: they agree on what both accept, and each rule by
// which one is stricter is listed. Thread: main.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Random, seededRandom } from '../../../../core/random.ts';
import { makeCuts, makeRequest, mutate } from '../../../support/http1-generators.ts';
import { LENIENT, STRICTER } from '../../../support/http1-parser-differences.ts';
import { PlatformReader, type PlatformMessage, type PlatformResult } from '../../../support/http1-llhttp.ts';
import { everyByte, readStream, type ReadMessage, type ReadResult } from '../../../support/http1-reader.ts';

const platform = new PlatformReader();
before(() => platform.start());
after(() => platform.stop());

/** Messages up to the first one that closes the connection: the platform reads no further. */
function untilClose(result: ReadResult): readonly ReadMessage[] {
  const last = result.messages.findIndex((message) => !message.isPersistent);
  return last < 0 ? result.messages : result.messages.slice(0, last + 1);
}

/** The parts that both parsers report; ours drops fields that Connection nominates. */
function assertSameMessage(ours: ReadMessage, theirs: PlatformMessage, text: string): void {
  assert.deepEqual([ours.start, ours.body], [theirs.start, theirs.body], JSON.stringify(text));
  const theirFields = theirs.fields.map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''));
  if (!/connection:/i.test(text)) assert.deepEqual(ours.fields, theirFields, JSON.stringify(text));
  else for (const part of ours.fields) assert.ok(theirFields.includes(part), JSON.stringify(text));
}

/** The stream whole, byte by byte, and split at random: each must read as the platform reads it whole. */
function splitsOf(text: string, random: Random): readonly (readonly number[])[] {
  return [[], everyByte(text.length), makeCuts(random, text.length)];
}

describe('valid requests', () => {
  test('pipelined over a few connections read the same by both, at every split', async () => {
    const random = seededRandom(9112);
    let compared = 0;
    for (let connection = 0; connection < 10; connection += 1) {
      const requests = Array.from({ length: 60 }, () => makeRequest(random)).filter(
        (text) => !/connection:/i.test(text) && !LENIENT.some(([, , applies]) => applies(text)),
      );
      const text = requests.join('');
      const theirs = await platform.read(text);
      for (const cuts of splitsOf(text, random)) {
        const ours = readStream(text, 'request', cuts);
        assert.deepEqual([ours.error, theirs.error], ['', '']);
        assert.equal(ours.messages.length, requests.length);
        assert.equal(theirs.messages.length, requests.length);
        for (const [index, message] of ours.messages.entries()) {
          assertSameMessage(message, theirs.messages[index]!, requests[index]!);
          assert.deepEqual(message.trailers ?? [], passedTrailers(theirs.messages[index]!));
          compared += 1;
        }
      }
    }
    assert.ok(compared > 450, String(compared));
  });
});

/** The platform's trailers without those that our rule drops, for the generator's names. */
function passedTrailers(message: PlatformMessage): string[] {
  const kept = ['x-t', 'x-sum', 'x-e'];
  return message.trailers.filter((_, index) => kept.includes(message.trailers[index & ~1]!.toLowerCase()));
}

describe('broken requests', () => {
  test('are accepted by both and read the same at every split, or refused by a listed rule', async () => {
    const random = seededRandom(9110);
    const counts = { same: 0, stricter: 0, lenient: 0 };
    for (let batch = 0; batch < 30; batch += 1) {
      const texts = Array.from({ length: 20 }, () => mutate(random, makeRequest(random)));
      const results = await Promise.all(texts.map((text) => platform.read(text)));
      for (const [index, text] of texts.entries()) {
        for (const cuts of splitsOf(text, random)) counts[compare(text, cuts, results[index]!)] += 1;
      }
    }
    assert.ok(counts.same > 1200 && counts.stricter > 0 && counts.lenient > 0, JSON.stringify(counts));
  });
});

function compare(text: string, cuts: readonly number[], theirs: PlatformResult): 'same' | 'stricter' | 'lenient' {
  const result = readStream(text, 'request', cuts);
  const ours = untilClose(result);
  const common = Math.min(ours.length, theirs.messages.length);
  for (let index = 0; index < common; index += 1) assertSameMessage(ours[index]!, theirs.messages[index]!, text);
  if (ours.length === theirs.messages.length) return 'same';
  const about = `${JSON.stringify(text)} ours: ${result.error} theirs: ${theirs.error}`;
  if (ours.length < theirs.messages.length) {
    assert.ok(result.isHandedOff || result.error in STRICTER, about);
    return 'stricter';
  }
  assert.ok(
    LENIENT.some(([, , applies]) => applies(text)),
    about,
  );
  return 'lenient';
}

describe('the codec is stricter than the platform by', () => {
  for (const [rule, cases] of Object.entries(STRICTER)) {
    test(rule, async () => {
      for (const text of cases) {
        assert.equal(readStream(text, 'request').error, rule);
        assert.equal((await platform.read(text)).messages.length, 1, JSON.stringify(text));
      }
    });
  }
});

describe('the codec accepts what the platform refuses, because', () => {
  for (const [rule, example, applies] of LENIENT) {
    test(rule, async () => {
      assert.ok(applies(example));
      const ours = readStream(example, 'request');
      assert.deepEqual([ours.error, ours.messages.length], ['', 1]);
      const theirs = await platform.read(example);
      assert.equal(theirs.messages.length, 0);
      assert.match(theirs.error, /^HPE_/);
    });
  }
});
