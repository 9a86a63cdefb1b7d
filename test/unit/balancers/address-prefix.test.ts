// Prefixes of textual addresses: what stands for one client. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeAddressPrefix } from '../../../balancers/address-prefix.ts';

function prefixOf(text: string): string {
  const out = new Uint8Array(8);
  return Buffer.from(out.subarray(0, writeAddressPrefix(text, out))).toString('hex');
}

test('all of an IPv4 address counts', () => {
  assert.equal(prefixOf('192.0.2.17'), 'c0000211');
  assert.equal(prefixOf('0.0.0.0'), '00000000');
  assert.equal(prefixOf('255.255.255.255'), 'ffffffff');
});

test('an IPv4 address in IPv6 is the IPv4 address', () => {
  for (const text of ['::ffff:192.0.2.17', '::FFFF:192.0.2.17', '::ffff:c000:211', '0:0:0:0:0:ffff:192.0.2.17']) {
    assert.equal(prefixOf(text), 'c0000211', text);
  }
});

test('the first 64 bits of an IPv6 address count, however it is written', () => {
  const same = ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::', '2001:0db8:0001:0002::ffff', '2001:DB8:1:2:ffff::1%eth0'];
  for (const text of same) assert.equal(prefixOf(text), '20010db800010002', text);
  assert.notEqual(prefixOf('2001:db8:1:3::'), prefixOf('2001:db8:1:2::'));
});

test('zeros may be left out anywhere', () => {
  assert.equal(prefixOf('::'), '0000000000000000');
  assert.equal(prefixOf('::1'), '0000000000000000');
  assert.equal(prefixOf('2001::'), '2001000000000000');
  assert.equal(prefixOf('1::2:3:4:5:6'), '0001000000000002');
  assert.equal(prefixOf('::1:2:3:4:5:6:7'), '0000000100020003');
  assert.equal(prefixOf('64:ff9b::192.0.2.33'), '0064ff9b00000000');
});

test('text that is no address has no prefix', () => {
  const texts = [
    '',
    'unknown',
    '/run/app.sock',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.x',
    '1.2.3.',
    ' 1.2.3.4',
    '1..2.3',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    '::1.2.3',
    '1.2.3.4::',
    '1.2.3.4:5::',
    '1:2:3:4:5:1.2.3.4:1.2.3.4',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    ':1:2:3:4:5:6:7',
  ];
  for (const text of texts) assert.equal(prefixOf(text), '', text);
});
