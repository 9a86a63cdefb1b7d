// Address blocks: notation, edges, IPv4-mapped addresses. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileCidrs, parseCidr } from '../../../core/cidr.ts';

describe('CIDR notation', () => {
  test('accepts an address with a prefix length, or a single address', () => {
    assert.deepEqual(parseCidr('10.0.0.0/8'), { family: 'ipv4', address: '10.0.0.0', prefixBits: 8 });
    assert.deepEqual(parseCidr('192.0.2.1'), { family: 'ipv4', address: '192.0.2.1', prefixBits: 32 });
    assert.deepEqual(parseCidr('fd00::/8'), { family: 'ipv6', address: 'fd00::', prefixBits: 8 });
    assert.deepEqual(parseCidr('::1'), { family: 'ipv6', address: '::1', prefixBits: 128 });
    assert.deepEqual(parseCidr('0.0.0.0/0')?.prefixBits, 0);
  });

  test('normalises IPv4-mapped blocks to IPv4 blocks', () => {
    assert.deepEqual(parseCidr('::ffff:10.0.0.0/104'), { family: 'ipv4', address: '10.0.0.0', prefixBits: 8 });
    assert.deepEqual(parseCidr('::ffff:10.0.0.1'), { family: 'ipv4', address: '10.0.0.1', prefixBits: 32 });
  });

  test('rejects anything else', () => {
    const wrong = [
      '',
      '/',
      '10.0.0.0/',
      '10.0.0.0/33',
      '::/129',
      '10.0.0/8',
      '10.0.0.0/08',
      '10.0.0.0/-1',
      'a/8',
      'fe80::1%eth0',
      ' 10.0.0.0/8',
    ];
    for (const text of wrong) assert.equal(parseCidr(text), null, text);
  });
});

describe('a compiled list', () => {
  const isTrusted = compileCidrs(['10.0.0.0/8', '192.0.2.7', 'fd00::/8', '::1']);

  test('matches addresses up to both edges of a block', () => {
    for (const inside of ['10.0.0.0', '10.255.255.255', '192.0.2.7', 'fd00::', 'fdff:ffff::1', '::1'])
      assert.ok(isTrusted(inside), inside);
    for (const outside of ['9.255.255.255', '11.0.0.0', '192.0.2.8', 'fe00::', '::2'])
      assert.ok(!isTrusted(outside), outside);
  });

  test('matches IPv4 peers in the form that a dual-stack listener reports', () => {
    assert.ok(isTrusted('::ffff:10.1.2.3'));
    assert.ok(isTrusted('::ffff:a01:203'));
    assert.ok(!isTrusted('::ffff:11.1.2.3'));
  });

  test('does not match text that is not an address', () => {
    for (const text of ['', 'localhost', '10.0.0.1:80', '10.0.0', '[::1]', 'unknown'])
      assert.ok(!isTrusted(text), text);
  });

  test('matches nothing when empty, and everything when it holds both default routes', () => {
    assert.ok(!compileCidrs([])('127.0.0.1'));
    const everything = compileCidrs(['0.0.0.0/0', '::/0']);
    assert.ok(everything('203.0.113.9') && everything('2001:db8::1'));
  });

  test('throws for an entry that is not a block', () => {
    assert.throws(() => compileCidrs(['10.0.0.0/8', 'private']), RangeError);
  });
});
