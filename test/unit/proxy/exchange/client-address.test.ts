// The client's address behind trusted proxies. Thread: both.

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
  tlsVersion: '',
  isTrusted: true,
  localAddress: '198.51.100.1',
  serverName: '',
  onceClosed: () => undefined,
};
const isTen = (address: string): boolean => address.startsWith('10.');

test('is the untrusted peer, whatever its X-Forwarded-For contains', () => {
  const untrusted = { ...PEER, isTrusted: false };
  assert.equal(clientAddressOf(untrusted, '1.2.3.4', isTen), '10.0.0.1');
});

test('is the trusted peer if it sends no X-Forwarded-For', () => {
  assert.equal(clientAddressOf(PEER, undefined, isTen), '10.0.0.1');
});

test('is the rightmost untrusted address; addresses further left may be forged', () => {
  assert.equal(clientAddressOf(PEER, '6.6.6.6, 1.2.3.4, 10.0.0.9', isTen), '1.2.3.4');
});

test('is the leftmost address of a chain of trusted ones', () => {
  assert.equal(clientAddressOf(PEER, '10.1.1.1, 10.0.0.9', isTen), '10.1.1.1');
});

test('is without port and brackets', () => {
  assert.equal(clientAddressOf(PEER, '1.2.3.4:567', isTen), '1.2.3.4');
  assert.equal(clientAddressOf(PEER, '[2001:db8::1]:567', isTen), '2001:db8::1');
  assert.equal(clientAddressOf(PEER, '2001:db8::1', isTen), '2001:db8::1');
});

test('is found before the first hop that is no address', () => {
  assert.equal(clientAddressOf(PEER, '1.2.3.4, unknown', isTen), '10.0.0.1');
  assert.equal(clientAddressOf(PEER, '1.2.3.4, <script>, 10.0.0.9', isTen), '10.0.0.9');
  assert.equal(clientAddressOf(PEER, '', isTen), '10.0.0.1');
});

test('is found in the last hops of a chain of thousands', () => {
  const chain = Array.from({ length: 100_000 }, () => '10.9.9.9').join(',');
  assert.equal(clientAddressOf(PEER, `1.2.3.4,${chain}`, isTen), '10.9.9.9');
});
