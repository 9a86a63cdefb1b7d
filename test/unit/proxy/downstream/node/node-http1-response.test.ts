// Framing and fields of HTTP/1.1 responses. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UNKNOWN_LENGTH } from '../../../../../core/head.ts';
import {
  framingOf,
  type ResponseFacts,
  type ResponseFraming,
  responseFields,
} from '../../../../../proxy/downstream/node/node-http1-response.ts';

const FACTS: ResponseFacts = { status: 200, bodyLength: 5, hasLength: true, method: 'GET', version: '1.1' };
const UNKNOWN = { bodyLength: UNKNOWN_LENGTH, hasLength: false };
const KEPT = { isKept: true, keepAliveMs: 75_999 };

describe('framingOf', () => {
  const rows: readonly (readonly [facts: Partial<ResponseFacts>, framing: ResponseFraming])[] = [
    [{}, 'length'],
    [{ bodyLength: 0 }, 'length'],
    [UNKNOWN, 'chunked'],
    [{ ...UNKNOWN, version: '1.0' }, 'until-close'],
    [{ version: '1.0' }, 'length'],
    [{ method: 'HEAD' }, 'none'],
    [{ ...UNKNOWN, method: 'HEAD' }, 'none'],
    [{ status: 204 }, 'none'],
    [{ status: 304 }, 'none'],
    [{ status: 205, bodyLength: 0 }, 'length'],
  ];
  for (const [facts, framing] of rows) {
    test(`${JSON.stringify(facts)} is ${framing}`, () => assert.equal(framingOf({ ...FACTS, ...facts }), framing));
  }
});

function fieldsFor(facts: Partial<ResponseFacts>, own: string[] = []): string[] {
  const all = { ...FACTS, ...facts };
  return responseFields(own, ['X-Extra', '1'], framingOf(all), all, KEPT);
}

describe('responseFields', () => {
  const kept = ['X-Extra', '1', 'Connection', 'keep-alive', 'Keep-Alive', 'timeout=75'];

  test('say length, or chunks', () => {
    assert.deepEqual(fieldsFor({}, ['A', 'b']), ['A', 'b', ...kept, 'Content-Length', '5']);
    assert.deepEqual(fieldsFor(UNKNOWN), [...kept, 'Transfer-Encoding', 'chunked']);
    assert.deepEqual(fieldsFor({ ...UNKNOWN, version: '1.0' }), kept);
  });

  test('say the length of what a GET would have, but never with 204', () => {
    assert.deepEqual(fieldsFor({ method: 'HEAD' }), [...kept, 'Content-Length', '5']);
    assert.deepEqual(fieldsFor({ status: 304 }), [...kept, 'Content-Length', '5']);
    assert.deepEqual(fieldsFor({ ...UNKNOWN, method: 'HEAD' }), kept);
    assert.deepEqual(fieldsFor({ status: 204 }), kept);
  });

  test('announce trailers only where they can come', () => {
    assert.ok(fieldsFor(UNKNOWN, ['Trailer', 'T']).includes('Trailer'));
    assert.deepEqual(fieldsFor({}, ['TRAILER', 'T', 'a', 'b', 'trailer', 'U']).slice(0, 4), ['a', 'b', 'X-Extra', '1']);
  });

  test('say that the connection ends, and give no hint below a second', () => {
    const facts = { ...FACTS, bodyLength: 0 };
    const closed = responseFields([], [], 'length', facts, { isKept: false, keepAliveMs: 75_000 });
    assert.deepEqual(closed, ['Connection', 'close', 'Content-Length', '0']);
    const short = responseFields([], [], 'length', facts, { isKept: true, keepAliveMs: 900 });
    assert.deepEqual(short, ['Connection', 'keep-alive', 'Content-Length', '0']);
  });
});
