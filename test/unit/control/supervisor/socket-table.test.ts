// Socket activation: LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BindAddress } from '../../../../core/snapshot/listener.ts';
import type { Snapshot } from '../../../../core/snapshot/snapshot.ts';
import { passedSockets, tableOfActivation } from '../../../../control/supervisor/socket-table.ts';

const PID = 42;

function snapshotOf(...binds: BindAddress[]): Snapshot {
  return { listeners: binds.map((bind, index) => ({ name: `l${index}`, bind })), admin: null } as unknown as Snapshot;
}

const activation = (names: string, count: number) => ({
  LISTEN_PID: String(PID),
  LISTEN_FDS: String(count),
  LISTEN_FDNAMES: names,
});

describe('socket activation', () => {
  test('numbers descriptors from 3, with their names', () => {
    assert.deepEqual(passedSockets(activation('web:admin', 3), PID), [
      { fd: 3, name: 'web' },
      { fd: 4, name: 'admin' },
      { fd: 5, name: 'unknown' },
    ]);
  });

  test('applies only to the process that LISTEN_PID names', () => {
    assert.deepEqual(passedSockets(activation('web', 1), PID + 1), []);
    assert.deepEqual(passedSockets({ LISTEN_PID: String(PID), LISTEN_FDS: '-1' }, PID), []);
    assert.deepEqual(passedSockets({}, PID), []);
  });

  test('gives a listener all sockets of its name, or the one of its number', () => {
    const snapshot = snapshotOf({ kind: 'fd', fd: 'web' }, { kind: 'fd', fd: 4 });
    assert.deepEqual(tableOfActivation(snapshot, activation('web:other:web', 3), PID), {
      'fd:web': [[3], [5]],
      'fd:4': [[4]],
    });
  });

  test('takes a number that was not passed as an inherited descriptor', () => {
    assert.deepEqual(tableOfActivation(snapshotOf({ kind: 'fd', fd: 7 }), {}, PID), { 'fd:7': [[7]] });
  });

  test('a name that was not passed is refused; the message lists those that were', () => {
    const snapshot = snapshotOf({ kind: 'fd', fd: 'wbe' });
    assert.throws(() => tableOfActivation(snapshot, activation('web', 1), PID), /l0 .*fd:wbe.*there are web \(fd:3\)/);
    assert.throws(() => tableOfActivation(snapshot, {}, PID), /no socket was passed to this process \(LISTEN_FDS\)/);
  });
});
