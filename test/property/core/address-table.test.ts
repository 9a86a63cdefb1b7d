// Addresses as words against node:net, and the look-up among blocks against a search for the longest one. Thread: both.

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientNetwork, readAddress } from '../../../core/address.ts';
import { AddressTable, compileRanges, type RuledBlock, VERDICT } from '../../../core/address-table.ts';
import { compileCidrs, parseCidr } from '../../../core/cidr.ts';

const parameters = { seed: 20_261_130, numRuns: 400 };
const words = new Uint32Array(4);

/** Few different parts, so that blocks contain each other often. */
const octet = fc.constantFrom(0, 1, 10, 127, 128, 255);
const ipv4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'));
const group = fc.constantFrom('0', '1', 'fd00', 'ffff', '8000');
const ipv6 = fc.oneof(
  fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.join(':')),
  fc.tuple(fc.array(group, { maxLength: 3 }), fc.array(group, { maxLength: 3 })).map((ends) => {
    return ends.map((groups) => groups.join(':')).join('::');
  }),
  ipv4.map((address) => `64:ff9b::${address}`),
);
const mapped = ipv4.map((address) => `::ffff:${address}`);
const rule = fc
  .tuple(fc.oneof(ipv4, ipv6), fc.nat(128), fc.constantFrom(VERDICT.allow, VERDICT.deny))
  .map(([address, bits, verdict]): RuledBlock => {
    return { block: `${address}/${address.includes(':') ? bits : bits % 33}`, verdict };
  });

test('a text is an address exactly where node:net takes it for one', () => {
  const text = fc.oneof(
    ipv4,
    ipv6,
    mapped,
    fc.string({ unit: fc.constantFrom('0', '1', 'a', 'f', '.', ':', 'g', ' '), maxLength: 24 }),
    fc.string({ maxLength: 12 }),
  );
  fc.assert(
    fc.property(text, (address) => {
      const version = readAddress(address, words);
      const expected = address.includes('%') ? version : isIP(address);
      assert.equal(version, mapped4(address) ? 4 : expected, JSON.stringify(address));
    }),
    { ...parameters, numRuns: 3000 },
  );
});

function mapped4(address: string): boolean {
  return isIP(address) === 6 && /^\[::ffff:[0-9a-f]+:[0-9a-f]+\]$/.test(new URL(`http://[${address}]`).hostname);
}

test('the longest block that contains an address decides, and deny of equal ones', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 12 }), fc.oneof(ipv4, ipv6, mapped), (rules, address) => {
      const table = new AddressTable(structuredClone(compileRanges(rules)));
      assert.equal(table.find(address), longest(rules, address), `${address} in ${JSON.stringify(rules)}`);
    }),
    { ...parameters, numRuns: 2000 },
  );
});

function longest(rules: readonly RuledBlock[], address: string): number {
  const plain = mapped4(address) ? clientNetwork(address) : address;
  // BlockList takes an IPv4 address for a part of ::/0; here a block is of one version.
  const matching = rules
    .map(({ block, verdict }) => ({ block, verdict, ...lengthOf(block) }))
    .filter(({ block, isIPv6 }) => isIPv6 === plain.includes(':') && compileCidrs([block])(plain));
  const bits = Math.max(...matching.map((one) => one.bits));
  const verdicts = matching.filter((one) => one.bits === bits).map(({ verdict }) => verdict);
  return verdicts.length === 0 ? VERDICT.none : Math.max(...verdicts);
}

function lengthOf(block: string): { bits: number; isIPv6: boolean } {
  const { prefixBits, family, address } = parseCidr(block)!;
  const isMapped = family === 'ipv6' && mapped4(address) && prefixBits >= 96;
  return { bits: isMapped ? prefixBits - 96 : prefixBits, isIPv6: family === 'ipv6' && !isMapped };
}

test('the network of a client is its IPv4 address, or 64 bits of its IPv6 address', () => {
  assert.deepEqual(
    ['192.0.2.7', '::ffff:192.0.2.7', '2001:db8:0:1::1', '2001:db8:0:1:ffff::', '::1', '', 'no address:'].map(
      clientNetwork,
    ),
    ['192.0.2.7', '192.0.2.7', '2001:db8:0:1::/64', '2001:db8:0:1::/64', '0:0:0:0::/64', '', 'no address:'],
  );
});
