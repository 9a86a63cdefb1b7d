// One address in several spellings was several clients: IPv4-mapped IPv6 addresses with hexadecimal digits, upper case, and zeros
// that are written out. A client behind a trusted proxy got a limit, a hash key and a name in logs for each. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalAddress, clientNetwork } from '../../core/address.ts';
import { compileCidrs, parseCidr } from '../../core/cidr.ts';
import { plainAddress } from '../../net/host-port.ts';
import { clientAddressOf } from '../../proxy/exchange/client-address.ts';

const SPELLINGS: readonly { readonly plain: string; readonly others: readonly string[] }[] = [
  {
    plain: '192.0.2.1',
    others: ['::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:c000:0201', '::ffff:c000:0201%eth0'],
  },
  { plain: '2001:db8::1', others: ['2001:DB8::1', '2001:db8:0:0:0:0:0:1', '2001:0db8::0001', '2001:db8::0.0.0.1'] },
  { plain: '::1', others: ['0:0:0:0:0:0:0:1', '::0001'] },
];

for (const { plain, others } of SPELLINGS) {
  describe(`${plain} in other spellings`, () => {
    for (const other of [plain, ...others]) {
      test(other, () => {
        assert.equal(canonicalAddress(other), plain);
        assert.equal(plainAddress(other), plain);
        assert.equal(clientNetwork(other), clientNetwork(plain));
        const behind = clientAddressOf({ isTrusted: true, peerAddress: '10.0.0.1' }, other, () => false);
        assert.equal(behind, plain);
        if (other.includes('%')) return;
        assert.equal(compileCidrs([plain])(other), true, 'in a block of the plain address');
        assert.equal(compileCidrs([other])(plain), true, 'the plain address in its block');
      });
    }
  });
}

test('texts that are no addresses stay', () => {
  for (const text of ['', 'unix:', 'localhost', '1:2', '::ffff:300.1.1.1']) assert.equal(canonicalAddress(text), text);
});

test('a block of IPv4-mapped addresses is one of IPv4 addresses, in hexadecimal digits too', () => {
  const block = { family: 'ipv4', address: '10.0.0.0', prefixBits: 8 };
  assert.deepEqual([parseCidr('::ffff:10.0.0.0/104'), parseCidr('::ffff:a00:0/104')], [block, block]);
});
