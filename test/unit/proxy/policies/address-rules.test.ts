// Policies address-rules and listener-address-rules: the longest block decides, files, clients without an address, and what
// explain says. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addressRules, listenerAddressRules } from '../../../../proxy/policies/address-rules.ts';
import { testPolicy } from '../../../../testing/policy-bench.ts';

const files = {
  'blocked.txt': '# addresses of scanners\n192.0.2.7\n\n198.51.100.0/24 # a network\r\n2001:db8::/32\nunix:\n',
};

async function statuses(options: object, addresses: readonly string[]): Promise<number[]> {
  const bench = testPolicy(addressRules as never, options, { files });
  const exchanges = addresses.map((clientAddress) => bench.request({ clientAddress }));
  return (await Promise.all(exchanges)).map(({ reply }) => reply?.status ?? 200);
}

describe('address-rules', () => {
  const cases: readonly [name: string, options: object, addresses: readonly string[], statuses: readonly number[]][] = [
    ['deny refuses a block alone', { deny: '10.0.0.0/8' }, ['10.1.2.3', '11.0.0.1', '::1'], [403, 200, 200]],
    [
      'allow refuses all others',
      { allow: ['10.0.0.0/8', '::1'] },
      ['10.1.2.3', '11.0.0.1', '::1', ''],
      [200, 403, 200, 403],
    ],
    [
      'the longest block decides, whatever the order is',
      { allow: '10.1.0.0/16', deny: ['10.0.0.0/8', '10.1.2.0/24'] },
      ['10.0.0.1', '10.1.0.1', '10.1.2.1', '172.16.0.1'],
      [403, 200, 403, 403],
    ],
    ['deny decides between equal blocks', { allow: '10.0.0.1', deny: '10.0.0.1/32' }, ['10.0.0.1'], [403]],
    [
      'an IPv4-mapped address is its IPv4 address',
      { deny: '::ffff:10.0.0.0/104' },
      ['10.0.0.9', '::ffff:10.0.0.9'],
      [403, 403],
    ],
    [
      'a file has a block a line',
      { deny: 'file:blocked.txt' },
      ['192.0.2.7', '198.51.100.9', '2001:db8:1::', '192.0.2.8', ''],
      [403, 403, 403, 200, 403],
    ],
    ['unix: allows clients over Unix sockets', { allow: ['unix:'] }, ['', '10.0.0.1'], [200, 403]],
    ['::/0 is not IPv4', { deny: '::/0' }, ['10.0.0.1', '::1'], [200, 403]],
  ];
  for (const [name, options, addresses, expected] of cases) {
    test(name, async () => assert.deepEqual(await statuses(options, addresses), expected));
  }

  test('refusals and others are counted', async () => {
    const bench = testPolicy(listenerAddressRules as never, { deny: '10.0.0.0/8' });
    for (const clientAddress of ['10.0.0.1', '10.0.0.2', '192.0.2.1']) await bench.request({ clientAddress });
    assert.deepEqual([bench.counts.refused, bench.counts.allowed], [2, 1]);
  });

  test('a file with faults names their lines, and a missing one is reported', () => {
    const faults = { 'blocked.txt': '10.0.0.0/8\n10.0.0.0/33\nlocalhost\n' };
    const load = (texts: Record<string, string>) => () =>
      testPolicy(addressRules as never, { deny: ['10.0.0.1', 'file:blocked.txt'] }, { files: texts });
    assert.throws(load(faults), /deny\.1: blocked\.txt line 2: "10\.0\.0\.0\/33" is not .*; .*line 3: "localhost"/);
    assert.throws(load({}), /deny\.1: the file blocked\.txt does not exist/);
  });

  test('100,000 blocks are compiled and searched', async () => {
    const blocks = Array.from({ length: 100_000 }, (_, at) => `${(at >> 16) + 1}.${(at >> 8) & 255}.${at & 255}.0/24`);
    const many = { 'many.txt': blocks.join('\n') };
    const bench = testPolicy(addressRules as never, { deny: 'file:many.txt' }, { files: many });
    const status = async (clientAddress: string) => (await bench.request({ clientAddress })).reply?.status;
    assert.deepEqual(
      [await status('1.0.0.9'), await status('2.134.159.9'), await status('2.134.160.0')],
      [403, 403, undefined],
    );
  });
});
