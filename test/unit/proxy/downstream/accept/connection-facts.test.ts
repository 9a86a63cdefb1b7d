// Facts about a connection. Thread: main.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { compileCidrs } from '../../../../../core/cidr.ts';
import { plainAddress } from '../../../../../net/host-port.ts';
import { ConnectionFacts } from '../../../../../proxy/downstream/accept/connection-facts.ts';
import { listenerSnapshot } from '../../../../support/snapshots.ts';

const socket = (remoteAddress?: string): Socket =>
  ({ remoteAddress, remotePort: 5000, localPort: 443 }) as unknown as Socket;

describe('plainAddress', () => {
  for (const [given, plain] of [
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::ffff:a01:203', '10.1.2.3'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    [undefined, ''],
  ] as const) {
    test(`${given} is ${plain || 'nothing'}`, () => assert.equal(plainAddress(given), plain));
  }
});

describe('ConnectionFacts', () => {
  test('trusts a peer by its plain address', () => {
    const isTrusted = compileCidrs(['10.0.0.0/8']);
    const live = { snapshot: listenerSnapshot(), port: 0 };
    assert.equal(new ConnectionFacts(socket('::ffff:10.0.0.9'), live, isTrusted).isTrusted, true);
    assert.equal(new ConnectionFacts(socket('11.0.0.9'), live, isTrusted).isTrusted, false);
    assert.equal(new ConnectionFacts(socket(), live, () => true).isTrusted, false);
  });

  test('follows its listener over reloads, and keeps what was true at the accept', () => {
    const live = { snapshot: listenerSnapshot({ name: 'web', index: 0 }), port: 0 };
    const facts = new ConnectionFacts(socket('10.0.0.9'), live, () => false);
    live.snapshot = listenerSnapshot({ name: 'shop', index: 3 });
    assert.deepEqual([facts.listenerIndex, facts.listenerName], [3, 'shop']);
    assert.deepEqual([facts.peerAddress, facts.peerPort, facts.localPort, facts.isTls], ['10.0.0.9', 5000, 443, false]);
  });

  test('has the port of its listener where that is known', () => {
    const facts = new ConnectionFacts(socket('10.0.0.9'), { snapshot: listenerSnapshot(), port: 8080 }, () => false);
    assert.equal(facts.localPort, 8080);
  });
});
