// Invariants of the HTTP/1.1 codec for any bytes. Used by the fuzzing loop and by its short run in the tests.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { randomBelow, type Random } from '../../core/random.ts';
import { encodeRequestHead, HeadEdit, passFraming } from '../../proxy/http1/encoder.ts';
import { frameRequest, Framing } from '../../proxy/http1/framing.ts';
import { HeadScanner, Scan } from '../../proxy/http1/head-scanner.ts';
import { MessageHead } from '../../proxy/http1/message-head.ts';
import { decodeChunks } from '../support/http1-chunks.ts';
import { makeChunks, makeCuts, makeResponse, makeStream, mutate, oneOf } from '../support/http1-generators.ts';
import { everyByte, readStream } from '../support/http1-reader.ts';
import { readReference } from '../support/http1-reference.ts';

const CORPUS = new URL('./corpus/http1/', import.meta.url);

/** The committed inputs, latin1, by file name. */
export function readCorpus(): ReadonlyMap<string, string> {
  const names = readdirSync(CORPUS).filter((name) => name.endsWith('.http'));
  return new Map(names.map((name) => [name, readFileSync(new URL(name, CORPUS), 'latin1')]));
}

/** An input: from the corpus or made, broken a few times. */
export function makeInput(random: Random, corpus: readonly string[]): string {
  const makers = [makeStream, makeResponse, (source: Random) => makeChunks(source, oneOf(source, corpus))];
  const fresh = randomBelow(random, 2) === 0;
  let text = fresh ? oneOf(random, makers)(random) : oneOf(random, corpus);
  for (let round = randomBelow(random, 4); round > 0; round -= 1) text = mutate(random, text);
  // Two inputs joined at random places: a head of one with a body of the other.
  if (randomBelow(random, 8) === 0) {
    const other = oneOf(random, corpus);
    text = text.slice(0, randomBelow(random, text.length + 1)) + other.slice(randomBelow(random, other.length + 1));
  }
  return text.slice(0, 4096);
}

/** Throws if an invariant fails for this input as a stream of requests, of responses, or as a chunked body. */
export function checkInput(text: string, random: Random): void {
  checkRequests(text, makeCuts(random, text.length));
  checkResponses(text, makeCuts(random, text.length));
  checkChunks(text, makeCuts(random, text.length));
  checkEncoding(text);
}

/** Every split yields the messages that the reference yields. */
function checkRequests(text: string, cuts: readonly number[]): void {
  const whole = readStream(text, 'request');
  const reference = readReference(text);
  const expected = whole.isHandedOff ? reference.messages.slice(0, whole.messages.length) : reference.messages;
  assert.deepEqual(whole.messages, expected);
  if (reference.rest === 'nothing') assert.equal(whole.error, '');
  if (reference.rest === 'refused') assert.notEqual(whole.error, '');
  for (const split of [readStream(text, 'request', everyByte(text.length)), readStream(text, 'request', cuts)]) {
    assert.deepEqual(split.messages, whole.messages);
    const isUnfinished = split.error === '' && split.stoppedIn === 'head';
    if (!isUnfinished || reference.rest === 'refused') assert.equal(split.error, whole.error);
  }
}

function checkResponses(text: string, cuts: readonly number[]): void {
  const whole = readStream(text, 'response');
  const split = readStream(text, 'response', cuts);
  assert.deepEqual(split.messages, whole.messages);
  if (split.error !== '') assert.equal(split.error, whole.error);
}

/** Every split decodes alike. */
function checkChunks(text: string, cuts: readonly number[]): void {
  assert.deepEqual(decodeChunks(text, cuts), decodeChunks(text));
}

/** An accepted head is encoded as a head that is accepted with the same framing. */
function checkEncoding(text: string): void {
  const head = new MessageHead();
  const framing = new Framing();
  if (!scanWhole(text, head, framing)) return;
  const edit = new HeadEdit();
  passFraming(framing, edit);
  const sent = encodeRequestHead(head, edit);
  const again = new MessageHead();
  const framingAgain = new Framing();
  assert.ok(scanWhole(sent, again, framingAgain));
  assert.equal(again.text, sent);
  assert.deepEqual([framingAgain.body, framingAgain.lengthBytes], [framing.body, framing.lengthBytes]);
}

function scanWhole(text: string, head: MessageHead, framing: Framing): boolean {
  const bytes = Buffer.from(text, 'latin1');
  const result = new HeadScanner().scanRequest(head, bytes, 0, bytes.length);
  return result === Scan.COMPLETE && frameRequest(head, framing) === 0;
}
