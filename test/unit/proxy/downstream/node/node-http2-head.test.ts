// HTTP/2 heads beyond what nghttp2 checks. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Unparsable } from '../../../../../core/exchange-contract.ts';
import { UNKNOWN_LENGTH } from '../../../../../core/head.ts';
import { type NodeHttp2Head, readNodeHttp2Head } from '../../../../../proxy/downstream/node/node-http2-head.ts';
import { listenerSnapshot } from '../../../../support/snapshots.ts';

const { limits: LIMITS } = listenerSnapshot();
const PSEUDO = [':method', 'POST', ':scheme', 'https', ':path', '/p', ':authority', 'a'];

function read(fields: readonly string[], hasBody = true): NodeHttp2Head {
  const head = readNodeHttp2Head([...PSEUDO, ...fields], hasBody, LIMITS);
  assert.ok(typeof head !== 'string', 'the head was refused');
  return head;
}

describe('readNodeHttp2Head', () => {
  test('reads pseudo-header fields, and keeps them from the others', () => {
    const head = read(['x', '1']);
    assert.deepEqual([head.method, head.target, head.authority, head.version], ['POST', '/p', 'a', '2.0']);
    assert.deepEqual(head.endToEndFields(), ['x', '1']);
    assert.equal(head.field(':path'), undefined);
    assert.equal(head.field('host'), 'a');
  });

  test('knows lengths', () => {
    assert.equal(read([]).bodyLength, UNKNOWN_LENGTH);
    assert.equal(read([], false).bodyLength, 0);
    assert.equal(read(['content-length', '5']).bodyLength, 5);
    assert.equal(read(['content-length', '5'], false).bodyLength, 0);
  });

  test('takes Host in place of :authority, and beside it where both say the same', () => {
    const fields = [':method', 'GET', ':scheme', 'http', ':path', '*', 'host', 'h:1'];
    const options = [':method', 'OPTIONS', ...fields.slice(2)];
    const head = readNodeHttp2Head(options, false, LIMITS) as NodeHttp2Head;
    assert.deepEqual([head.authority, head.target], ['h:1', '*']);
    assert.equal(read(['host', 'A']).authority, 'a');
  });

  test('leaves out Host, TE and framing, and joins the crumbs of a cookie', () => {
    const head = read(['cookie', 'a', 'te', 'trailers', 'host', 'a', 'content-length', '1', 'cookie', 'b', 'y', '2']);
    assert.deepEqual(head.endToEndFields(), ['cookie', 'a; b', 'y', '2']);
  });

  const refused: Readonly<Record<string, readonly [fields: readonly string[], why: Unparsable]>> = {
    'no authority at all': [PSEUDO.slice(0, 6), 'malformed'],
    'an empty one': [[...PSEUDO.slice(0, 7), ''], 'malformed'],
    'two that differ': [[...PSEUDO, 'host', 'b'], 'malformed'],
    'a field of HTTP/1.1 connections': [[...PSEUDO, 'transfer-encoding', 'chunked'], 'malformed'],
    Upgrade: [[...PSEUDO, 'upgrade', 'h2c'], 'malformed'],
    'TE beyond trailers': [[...PSEUDO, 'te', 'trailers, gzip'], 'malformed'],
    'two lengths': [[...PSEUDO, 'content-length', '1', 'content-length', '1'], 'malformed'],
    'a path with a blank': [[':method', 'GET', ':scheme', 'https', ':path', '/a b', ':authority', 'a'], 'malformed'],
    'an asterisk of GET': [[':method', 'GET', ':scheme', 'https', ':path', '*', ':authority', 'a'], 'malformed'],
    CONNECT: [[':method', 'CONNECT', ':authority', 'a'], 'method-not-served'],
    'a large head': [[...PSEUDO, 'x', 'a'.repeat(LIMITS.headBytes)], 'head-too-large'],
  };
  for (const [name, [fields, why]] of Object.entries(refused)) {
    test(`refuses ${name}`, () => assert.equal(readNodeHttp2Head(fields, true, LIMITS), why));
  }
});
