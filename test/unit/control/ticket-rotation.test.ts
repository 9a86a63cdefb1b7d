// Rotation of the secrets of session tickets. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROTATION_MS, TicketRotation } from '../../../control/ticket-rotation.ts';
import { SESSION_LIFETIME_S, type TicketSecrets } from '../../../core/ticket-secrets.ts';
import { TicketKeyring } from '../../../proxy/downstream/accept/ticket-keyring.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('a secret is replaced every six hours, and accepted until the last ticket under it has expired', () => {
  const clock = new FakeClock();
  const changes: TicketSecrets[] = [];
  const rotation = new TicketRotation({ timers: clock, onChange: (secrets) => changes.push(secrets) });
  const first = rotation.secrets;
  assert.equal(first.current.length, 32);
  assert.equal(first.previous, null);
  rotation.apply();
  rotation.apply();
  clock.advance(ROTATION_MS - 1);
  assert.equal(changes.length, 0);
  clock.advance(1);
  assert.equal(changes.length, 1);
  assert.deepEqual(changes[0]!.previous, first.current);
  assert.notDeepEqual(changes[0]!.current, first.current);
  assert.equal(rotation.secrets, changes[0]);
  clock.advance(SESSION_LIFETIME_S * 1000);
  assert.deepEqual(changes[1], { current: changes[0]!.current, previous: null });
  rotation.stop();
  clock.advance(10 * ROTATION_MS);
  assert.equal(changes.length, 2);
});

test('keys are the same for one identity and one secret, and differ otherwise', () => {
  const secrets = { current: Buffer.alloc(32, 1), previous: Buffer.alloc(32, 2) };
  const [one, other] = [new TicketKeyring(secrets), new TicketKeyring(secrets)];
  assert.deepEqual(one.keysFor('a'), other.keysFor('a'));
  assert.notDeepEqual(one.keysFor('a').current, one.keysFor('b').current);
  assert.notDeepEqual(one.keysFor('a').current, one.keysFor('a').previous);
  assert.equal(one.keysFor('a').current.length, 48);
  assert.equal(one.isOverlapping, true);
  const before = one.epoch;
  one.set({ current: secrets.previous, previous: null });
  assert.ok(one.epoch > before);
  assert.deepEqual(one.keysFor('a').current, other.keysFor('a').previous);
});
