// The grammar of Host's value.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scanHostValue } from '../../../../proxy/http1/host-value.ts';

/** Host without port, or undefined where the value is invalid; foreign bytes stand around it. */
function hostNameOf(value: string): string | undefined {
  const bytes = Buffer.from(`%%${value}z:9]`, 'latin1');
  const end = scanHostValue(bytes, 2, 2 + value.length);
  return end < 0 ? undefined : bytes.toString('latin1', 2, end);
}

describe('Host values', () => {
  const valid: readonly (readonly [value: string, hostName: string])[] = [
    ['', ''],
    ['a', 'a'],
    ['example.test', 'example.test'],
    ['example.test:8080', 'example.test'],
    ['example.test:', 'example.test'],
    ['EXAMPLE.Test.', 'EXAMPLE.Test.'],
    ['under_score.test', 'under_score.test'],
    ['a%2Db', 'a%2Db'],
    ['a%2D', 'a%2D'],
    ["!$&'()*+,;=-._~", "!$&'()*+,;=-._~"],
    ['10.0.0.1:80', '10.0.0.1'],
    ['a:0', 'a'],
    ['a:65535', 'a'],
    ['[::]', '[::]'],
    ['[::1]:443', '[::1]'],
    ['[2001:db8::1]', '[2001:db8::1]'],
    ['[1:2:3:4:5:6:7:8]', '[1:2:3:4:5:6:7:8]'],
    ['[::ffff:10.0.0.1]:80', '[::ffff:10.0.0.1]'],
    ['[::255.255.255.255]', '[::255.255.255.255]'],
    ['[1:2:3:4:5:6:10.0.0.1]', '[1:2:3:4:5:6:10.0.0.1]'],
    ['[1:2:3:4:5:6:7::]', '[1:2:3:4:5:6:7::]'],
  ];
  for (const [value, hostName] of valid) {
    test(`"${value}" is valid`, () => assert.equal(hostNameOf(value), hostName));
  }

  const invalid = {
    'a blank inside': 'a b',
    'a user name': 'user@a',
    'a path': 'a/b',
    'a query': 'a?b',
    'a backslash': 'a\\b',
    'a comma list with a blank': 'a, b',
    'a byte above 0x7f': 'a\xe4',
    NUL: 'a\0b',
    'a port with letters': 'a:80a',
    'a port above 65535': 'a:65536',
    'a port of six digits': 'a:000080',
    'two ports': 'a:80:80',
    'a port alone': ':80',
    'a signed port': 'a:+80',
    'an escape of one digit': 'a%2',
    'an escape without digits': '%zz',
    'a lone percent sign': '%',
    'a bracket that stays open': '[::1',
    'an empty bracket': '[]',
    'a bracket behind a name': 'a[::1]',
    'a name behind a bracket': '[::1]a',
    'an address of nine groups': '[1:2:3:4:5:6:7:8:9]',
    'an address of seven groups': '[1:2:3:4:5:6:7]',
    'two gaps in an address': '[1::2::3]',
    'eight groups and a gap': '[1:2:3:4:5:6:7::8]',
    'a group of five digits': '[12345::]',
    'three colons': '[:::]',
    'a zone': '[fe80::1%25eth0]',
    IPvFuture: '[v1.a]',
    'an IPv4 part in the middle': '[::10.0.0.1:1]',
    'an octet above 255': '[::10.0.0.256]',
    'three octets': '[::10.0.1]',
    'an IPv4 part alone': '[10.0.0.1]',
  } as const;
  for (const [what, value] of Object.entries(invalid)) {
    test(`${what} is invalid`, () => assert.equal(hostNameOf(value), undefined, value));
  }
});
