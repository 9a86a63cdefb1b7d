// Keys of requests: the value of each kind, and requests without a key. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHashKey, type HashKey, parseHashKey } from '../../../balancers/hash-key.ts';
import { mix32, murmur32OfString } from '../../../core/murmur.ts';
import { seededRandom } from '../../../core/random.ts';

interface TestSource {
  readonly target?: string;
  readonly fields?: Record<string, string>;
  readonly address?: string;
}

const SEED = 42;

/** Words of the key, or null where the request has none. */
function wordsOf(key: HashKey, source: TestSource, seed = SEED): readonly number[] | null {
  const out = { hash1: 0, hash2: 0 };
  const read = buildHashKey(key, seed, seededRandom(1));
  const request = { target: source.target ?? '/', field: (name: string) => source.fields?.[name] };
  return read(request, source.address ?? '', out) ? [out.hash1, out.hash2] : null;
}

/** Asserts that the key is the text, or that there is none. */
function assertKey(key: HashKey, source: TestSource, text: string | null): void {
  const expected = text === null ? null : [murmur32OfString(text, SEED), murmur32OfString(text, mix32(SEED + 4))];
  assert.deepEqual(wordsOf(key, source), expected);
}

test('a header field', () => {
  const key: HashKey = { kind: 'header', name: 'x-user' };
  assertKey(key, { fields: { 'x-user': 'ada' } }, 'ada');
  assertKey(key, { fields: { 'x-user': 'ada, bob' } }, 'ada, bob');
  assertKey(key, { fields: { 'x-user': '' } }, null);
  assertKey(key, { fields: {} }, null);
});

test('a cookie', () => {
  const key: HashKey = { kind: 'cookie', name: 'sid' };
  const cookie = (text: string) => ({ fields: { cookie: text } });
  assertKey(key, cookie('sid=1234'), '1234');
  assertKey(key, cookie('a=b; sid=x=y; sid=later'), 'x=y');
  assertKey(key, cookie('a=b;sid="quoted" ; c=d'), '"quoted"');
  assertKey(key, cookie('mysid=1; sid2=2; sid'), null);
  assertKey(key, cookie('SID=1'), null);
  assertKey(key, cookie('sid=; a=b'), null);
  assertKey(key, cookie(';;  ; =;sid'), null);
  assertKey(key, {}, null);
});

test('the path without its query', () => {
  const key: HashKey = { kind: 'path' };
  assertKey(key, { target: '/a/b?c=d' }, '/a/b');
  assertKey(key, { target: '/a%2Fb' }, '/a%2Fb');
  assertKey(key, { target: '/?x' }, '/');
  assertKey(key, { target: '*' }, '*');
});

test('a query parameter', () => {
  const key: HashKey = { kind: 'query', name: 'user' };
  assertKey(key, { target: '/p?user=ada' }, 'ada');
  assertKey(key, { target: '/p?x=1&user=a%20b&user=c' }, 'a%20b');
  assertKey(key, { target: '/p?superuser=1&username=2&user' }, null);
  assertKey(key, { target: '/user=1' }, null);
  assertKey(key, { target: '/p?user=' }, null);
});

test('a client address: one key for a network of IPv6, for each address of IPv4', () => {
  const key: HashKey = { kind: 'client-ip' };
  const words = (address: string) => wordsOf(key, { address });
  assert.deepEqual(words('2001:db8::1'), words('2001:db8::2'));
  assert.notDeepEqual(words('2001:db8::1'), words('2001:db8:0:1::1'));
  assert.deepEqual(words('::ffff:192.0.2.1'), words('192.0.2.1'));
  assert.notDeepEqual(words('192.0.2.1'), words('192.0.2.2'));
  assert.equal(words(''), null);
});

test('a key longer than the scratch buffer counts whole', () => {
  const key: HashKey = { kind: 'header', name: 'x-long' };
  const long = 'ä'.repeat(5000);
  assertKey(key, { fields: { 'x-long': `${long}1` } }, `${long}1`);
});

test('another seed gives other words', () => {
  const key: HashKey = { kind: 'path' };
  assert.notDeepEqual(wordsOf(key, { target: '/a' }, 1), wordsOf(key, { target: '/a' }, 2));
});

test('requests without the key have words of their own, each time others', () => {
  const read = buildHashKey({ kind: 'header', name: 'x-user' }, 0, seededRandom(5));
  const words = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const out = { hash1: 0, hash2: 0 };
    assert.equal(read({ target: '/', field: () => undefined }, '192.0.2.1', out), false);
    words.add(out.hash1).add(out.hash2);
    assert.ok(Number.isInteger(out.hash1) && out.hash1 >= 0 && out.hash1 < 2 ** 32);
  }
  assert.equal(words.size, 200);
});

test('hash keys are parsed, header names to lower case', () => {
  assert.deepEqual(parseHashKey('client-ip'), { ok: true, value: { kind: 'client-ip' } });
  assert.deepEqual(parseHashKey('header:X-User'), { ok: true, value: { kind: 'header', name: 'x-user' } });
  assert.deepEqual(parseHashKey('cookie:Session'), { ok: true, value: { kind: 'cookie', name: 'Session' } });
  for (const bad of ['', 'header:', 'header:a b', 'uri', 'cookie']) assert.equal(parseHashKey(bad).ok, false, bad);
});
