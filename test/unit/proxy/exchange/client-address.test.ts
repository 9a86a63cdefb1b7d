// The client's address through trusted proxies. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientConnection } from '../../../../core/exchange-contract.ts';
import { clientAddressOf } from '../../../../proxy/exchange/client-address.ts';

const PEER: ClientConnection = {
  listenerIndex: 0,
  listenerName: 'web',
  peerAddress: '10.0.0.1',
  peerPort: 5000,
  localPort: 80,
  isTls: false,
  isTrusted: true,
};
const isTen = (address: string): boolean => address.startsWith('10.');

test('an untrusted peer is the client, whatever it says', () => {
  const untrusted = { ...PEER, isTrusted: false };
  assert.equal(clientAddressOf(untrusted, '1.2.3.4', isTen), '10.0.0.1');
});

test('a trusted peer without the field is the client', () => {
  assert.equal(clientAddressOf(PEER, undefined, isTen), '10.0.0.1');
});

test('the rightmost address that is not trusted is the client; what stands left of it may be forged', () => {
  assert.equal(clientAddressOf(PEER, '6.6.6.6, 1.2.3.4, 10.0.0.9', isTen), '1.2.3.4');
});

test('a chain of trusted addresses only ends at its leftmost', () => {
  assert.equal(clientAddressOf(PEER, '10.1.1.1, 10.0.0.9', isTen), '10.1.1.1');
});

test('ports and brackets are taken off', () => {
  assert.equal(clientAddressOf(PEER, '1.2.3.4:567', isTen), '1.2.3.4');
  assert.equal(clientAddressOf(PEER, '[2001:db8::1]:567', isTen), '2001:db8::1');
  assert.equal(clientAddressOf(PEER, '2001:db8::1', isTen), '2001:db8::1');
});

test('what is not an address ends the walk', () => {
  assert.equal(clientAddressOf(PEER, '1.2.3.4, unknown', isTen), '10.0.0.1');
  assert.equal(clientAddressOf(PEER, '1.2.3.4, <script>, 10.0.0.9', isTen), '10.0.0.9');
  assert.equal(clientAddressOf(PEER, '', isTen), '10.0.0.1');
});

test('a chain of thousands costs no more than its last hops', () => {
  const chain = Array.from({ length: 100_000 }, () => '10.9.9.9').join(',');
  assert.equal(clientAddressOf(PEER, `1.2.3.4,${chain}`, isTen), '10.9.9.9');
});
