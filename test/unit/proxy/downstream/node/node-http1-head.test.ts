// The rules for heads that llhttp lets through. Thread: main.

import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import type { Unparsable } from '../../../../../core/exchange-contract.ts';
import { UNKNOWN_LENGTH } from '../../../../../core/head.ts';
import { type NodeHttp1Head, readNodeHttp1Head } from '../../../../../proxy/downstream/node/node-http1-head.ts';
import { listenerSnapshot } from '../../../../support/snapshots.ts';

const LIMITS = { ...listenerSnapshot().limits, headFields: 20, requestLineBytes: 100 };

interface Asked {
  readonly method?: string;
  readonly url?: string;
  readonly httpVersion?: string;
}

function read(fields: readonly string[], asked: Asked = {}): NodeHttp1Head | Unparsable {
  const message = { method: 'GET', url: '/', httpVersion: '1.1', rawHeaders: fields, ...asked };
  return readNodeHttp1Head(message as unknown as IncomingMessage, LIMITS);
}

/** A head that must be accepted. */
function accepted(fields: readonly string[], asked: Asked = {}): NodeHttp1Head {
  const head = read(fields, asked);
  assert.ok(typeof head !== 'string', 'the head was refused');
  return head;
}

const HOST = ['Host', 'a'];

const REFUSED: Readonly<Record<string, readonly [fields: readonly string[], why: Unparsable, asked?: Asked]>> = {
  'no Host': [[], 'malformed'],
  'no Host beside an absolute-form': [[], 'malformed', { url: 'http://b/' }],
  'two equal Hosts': [[...HOST, 'host', 'a'], 'malformed'],
  'a Host that is none': [['Host', 'a b'], 'malformed'],
  'a Host with a user name': [['Host', 'u@a'], 'malformed'],
  'a repeated Content-Length': [[...HOST, 'Content-Length', '1', 'content-length', '1'], 'malformed'],
  'a list of lengths': [[...HOST, 'Content-Length', '1, 1'], 'malformed'],
  'a signed length': [[...HOST, 'Content-Length', '+1'], 'malformed'],
  'a length in hexadecimal': [[...HOST, 'Content-Length', '0x1'], 'malformed'],
  'an empty length': [[...HOST, 'Content-Length', ''], 'malformed'],
  'a length beyond all measure': [[...HOST, 'Content-Length', '1'.repeat(16)], 'malformed'],
  'length and coding': [[...HOST, 'Content-Length', '1', 'Transfer-Encoding', 'chunked'], 'malformed'],
  'two codings': [[...HOST, 'Transfer-Encoding', 'chunked', 'transfer-encoding', 'chunked'], 'malformed'],
  'a list of codings': [[...HOST, 'Transfer-Encoding', 'gzip, chunked'], 'coding-unknown'],
  'an unknown coding': [[...HOST, 'Transfer-Encoding', 'xchunked'], 'malformed'],
  'a coding in HTTP/1.0': [[...HOST, 'Transfer-Encoding', 'chunked'], 'malformed', { httpVersion: '1.0' }],
  'a nominated Host': [[...HOST, 'Connection', 'Host'], 'malformed'],
  'a nominated X-Forwarded-For': [[...HOST, 'Connection', 'close, x-FORWARDED-for'], 'malformed'],
  'a nominated Forwarded': [[...HOST, 'Connection', 'forwarded'], 'malformed'],
  'a nominated Content-Length': [[...HOST, 'Connection', 'content-length'], 'malformed'],
  'ten nominations': [[...HOST, 'Connection', 'a,b,c,d,e', 'Connection', 'f,g,h,i,j'], 'malformed'],
  'many empty nominations': [[...HOST, 'Connection', ',,,,,,,,,'], 'malformed'],
  'a nomination that is no token': [[...HOST, 'Connection', 'a b'], 'malformed'],
  'an unknown expectation': [[...HOST, 'Expect', '200-maybe'], 'expectation-unknown'],
  'a fragment': [HOST, 'malformed', { url: '/a#b' }],
  CONNECT: [HOST, 'method-not-served', { method: 'CONNECT', url: 'a:80' }],
  'a line that is too long': [HOST, 'target-too-long', { url: `/${'a'.repeat(85)}` }],
  'a field too many': [[...HOST, ...Array.from({ length: 20 }, () => ['x', '1']).flat()], 'too-many-fields'],
  'HTTP/2.0': [HOST, 'version-not-supported', { httpVersion: '2.0' }],
  'no version': [[], 'malformed', { httpVersion: '0.9' }],
};

describe('readNodeHttp1Head refuses', () => {
  for (const [name, [fields, why, asked]] of Object.entries(REFUSED)) {
    test(name, () => assert.equal(read(fields, asked), why));
  }
});

describe('readNodeHttp1Head reads', () => {
  test('what is just within the limits', () => {
    accepted([...HOST, ...Array.from({ length: 19 }, () => ['x', '1']).flat()]);
    accepted(HOST, { url: `/${'a'.repeat(84)}` });
    accepted([...HOST, 'Connection', 'a,b,c,d,e,f,g,h,i']);
  });

  test('lengths', () => {
    assert.equal(accepted(HOST).bodyLength, 0);
    assert.equal(accepted([...HOST, 'Content-Length', '007']).bodyLength, 7);
    assert.equal(accepted([...HOST, 'Transfer-Encoding', 'CHUNKED']).bodyLength, UNKNOWN_LENGTH);
  });

  test('the authority of an absolute-form before Host, and none in HTTP/1.0', () => {
    assert.deepEqual(pick(accepted(['Host', 'a'], { url: 'http://b:1/x' })), ['/x', 'b:1']);
    assert.deepEqual(pick(accepted(['Host', 'a'])), ['/', 'a']);
    assert.deepEqual(pick(accepted(['Host', ''])), ['/', '']);
    assert.deepEqual(pick(accepted([], { httpVersion: '1.0' })), ['/', '']);
  });

  test('persistence', () => {
    const persists = (httpVersion: string, ...fields: string[]): boolean =>
      accepted([...HOST, ...fields], { httpVersion }).isPersistent;
    assert.equal(persists('1.1'), true);
    assert.equal(persists('1.1', 'Connection', 'x, CLOSE'), false);
    assert.equal(persists('1.0'), false);
    assert.equal(persists('1.0', 'Connection', 'Keep-Alive'), true);
    assert.equal(persists('1.0', 'Connection', 'keep-alive, close'), false);
  });

  test('expectations of those who have a body to hold back', () => {
    const expects = (httpVersion: string, ...fields: string[]): boolean =>
      accepted([...HOST, 'Expect', '100-Continue', ...fields], { httpVersion }).expectsContinue;
    assert.equal(expects('1.1', 'Content-Length', '1'), true);
    assert.equal(expects('1.1'), false);
    assert.equal(expects('1.0', 'Content-Length', '1'), false);
  });

  test('who takes trailers', () => {
    for (const [te, takes] of [
      ['trailers', true],
      ['gzip, Trailers', true],
      ['xtrailers', false],
      ['', false],
    ] as const) {
      assert.equal(accepted([...HOST, 'TE', te]).acceptsTrailers, takes);
    }
  });

  test('fields by name, lines joined', () => {
    const head = accepted([...HOST, 'X', '1', 'Cookie', 'a=1', 'x', '2', 'cookie', 'b=2']);
    assert.equal(head.field('x'), '1, 2');
    assert.equal(head.field('cookie'), 'a=1; b=2');
    assert.equal(head.field('y'), undefined);
  });

  test('end-to-end fields: without those of the connection, those it names, framing and Host', () => {
    const hop = ['Connection', 'X-Named, upgrade', 'x-named', '2', 'Keep-Alive', '3', 'TE', 'trailers', 'Upgrade', 'x'];
    const proxied = ['Proxy-Connection', 'x', 'Proxy-Authorization', 'x', 'Content-Length', '1'];
    const late = ['Trailer', 'T', 'X-Kept', '4', 'Expect', '100-continue'];
    const head = accepted([...HOST, 'X-Kept', '1', ...hop, ...proxied, ...late]);
    const kept = ['X-Kept', '1', 'Trailer', 'T', 'X-Kept', '4', 'Expect', '100-continue'];
    assert.deepEqual(head.endToEndFields(), kept);
    assert.equal(head.endToEndFields(), head.endToEndFields());
    assert.equal(head.field('te'), 'trailers');
  });
});

function pick({ target, authority }: NodeHttp1Head): string[] {
  return [target, authority];
}
