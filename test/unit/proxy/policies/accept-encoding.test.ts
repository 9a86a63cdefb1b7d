// Negotiation of content codings: qualities, wildcard, identity, malformed values. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodingChoice, CODINGS, negotiate } from '../../../../proxy/policies/accept-encoding.ts';

const CASES: readonly [accepted: string, coding: string | null, isIdentityRefused?: boolean][] = [
  ['gzip', 'gzip'],
  ['gzip, deflate, br, zstd', 'zstd'],
  ['gzip, br', 'br'],
  ['GZIP', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', null],
  ['', null],
  [' , ,', null],
  ['*', 'zstd'],
  ['*;q=0.1, gzip', 'gzip'],
  ['*, zstd;q=0', 'br'],
  ['*;q=0', null, true],
  ['*;q=0, br', 'br', true],
  ['*;q=0, identity', null],
  ['identity', null],
  ['identity;q=0', null, true],
  ['identity;q=0, gzip;q=0.2', 'gzip', true],
  ['identity, gzip;q=0.5', null],
  ['identity;q=0.5, gzip;q=0.5', 'gzip'],
  ['gzip;q=0', null],
  ['gzip;q=0.000, br;q=0.001', 'br'],
  ['br;q=0.5, gzip;q=0.8, zstd;q=0.2', 'gzip'],
  ['br; q=0.5 ,gzip ; q=0.8', 'gzip'],
  ['gzip;q=1.5, br;q=0.1', 'br'],
  ['gzip;q=nonsense', null],
  ['gzip;level=9', 'gzip'],
  ['gzip;q', 'gzip'],
  ['gzipped', null],
];

test('a coding is chosen by its quality, then by the configured order', () => {
  for (const [accepted, coding, isIdentityRefused = false] of CASES) {
    assert.deepEqual(negotiate(accepted, CODINGS), { coding, isIdentityRefused }, accepted);
  }
  assert.equal(negotiate('zstd, br, gzip', ['gzip', 'br']).coding, 'gzip');
});

test('a choice keeps results, and no more of them than it may', () => {
  const choice = new CodingChoice(CODINGS);
  assert.deepEqual(choice.of(undefined), { coding: null, isIdentityRefused: false });
  assert.equal(choice.of('br'), choice.of('br'));
  const first = choice.of('br');
  for (let at = 0; at < 100; at++) choice.of(`gzip;q=0.${at}`);
  assert.notEqual(choice.of('br'), first);
  assert.equal(choice.of('br').coding, 'br');
  const long = `gzip, ${'a'.repeat(300)}`;
  assert.notEqual(choice.of(long), choice.of(long));
});
