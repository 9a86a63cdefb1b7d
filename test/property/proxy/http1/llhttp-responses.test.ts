// The codec compared with the platform's parser on responses, over real sockets and at every split: they agree on what
// both accept, and each rule by which one is stricter is listed here. Thread: main.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Random, seededRandom } from '../../../../core/random.ts';
import { makeCuts, makeResponse, mutate } from '../../../support/http1-generators.ts';
import { PlatformClient, type PlatformResponse } from '../../../support/http1-llhttp-client.ts';
import { LENIENT } from '../../../support/http1-parser-differences.ts';
import { everyByte, readStream, type ReadMessage } from '../../../support/http1-reader.ts';

const platform = new PlatformClient();
before(() => platform.start());
after(() => platform.stop());

/** Rules by which we refuse responses that the platform accepts. */
const STRICTER = {
  'unrequested-switch': 'HTTP/1.1 101 A\r\n\r\n',
  // DEL in the reason (forbidden by RFC 9112 section 4).
  'bad-status-line': 'HTTP/1.1 200 A\x7f\r\nContent-Length: 0\r\n\r\n',
  'unknown-transfer-coding': 'HTTP/1.1 200 A\r\nTransfer-Encoding: chunkeded\r\n\r\nabc',
  'bad-connection-option': 'HTTP/1.1 200 A\r\nConnection: a b\r\nContent-Length: 0\r\n\r\n',
  'too-many-connection-options': 'HTTP/1.1 200 A\r\nConnection: a,b,c,d,e,f,g,h,i,j\r\nContent-Length: 0\r\n\r\n',
} as const;

type Outcome = 'same' | 'stricter' | 'lenient' | 'open';

describe('responses', () => {
  test('valid and broken, get the same verdict and content from both at every split, except for the listed rules', async () => {
    const random = seededRandom(9111);
    const counts: Record<Outcome, number> = { same: 0, stricter: 0, lenient: 0, open: 0 };
    for (let at = 0; at < 600; at += 1) {
      const made = makeResponse(random);
      const text = at % 2 === 0 ? made : mutate(random, made);
      const theirs = await platform.read(text);
      for (const cuts of splitsOf(text, random)) counts[compare(text, cuts, theirs)] += 1;
    }
    assert.ok(counts.same > 1300 && counts.lenient > 0 && counts.open < 200, JSON.stringify(counts));
  });
});

function splitsOf(text: string, random: Random): readonly (readonly number[])[] {
  return [[], everyByte(text.length), makeCuts(random, text.length)];
}

function isFinal({ start }: ReadMessage): boolean {
  return !start[1]!.startsWith('1');
}

/** Open: the connection ended with the response, or too early. The connection judges that, not the codec. */
function compare(text: string, cuts: readonly number[], theirs: PlatformResponse): Outcome {
  const result = readStream(text, 'response', cuts);
  const ours = result.messages.find(isFinal);
  if (ours === undefined && result.error === '') return 'open';
  const about = `${JSON.stringify(text)} ours: ${result.error} theirs: ${theirs.error}`;
  const areTheyContent = theirs.error === '' && theirs.status !== null;
  if (ours === undefined) {
    assert.ok(!areTheyContent || result.error in STRICTER, about);
    return areTheyContent ? 'stricter' : 'same';
  }
  if (!areTheyContent) {
    assert.ok(isLenient(text) || !isAlone(text), about);
    return 'lenient';
  }
  assert.deepEqual([ours.start[1], ours.body], [String(theirs.status), theirs.body], about);
  return 'same';
}

function isLenient(text: string): boolean {
  return LENIENT.slice(1).some(([, , applies]) => applies(text));
}

/** Whether no bytes follow the response: the platform reads on and reports them as an error. */
function isAlone(text: string): boolean {
  const { messages, stoppedIn, error } = readStream(text, 'response');
  return messages.filter(isFinal).length === 1 && stoppedIn === 'idle' && error === '';
}

describe('the codec is stricter on responses than the platform by', () => {
  for (const [rule, text] of Object.entries(STRICTER)) {
    test(rule, async () => {
      assert.equal(readStream(text, 'response').error, rule);
      const theirs = await platform.read(text);
      assert.deepEqual([theirs.status, theirs.error], [Number(text.slice(9, 12)), '']);
    });
  }
});
