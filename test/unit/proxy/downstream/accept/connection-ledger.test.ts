// Counts of connections, and the limit over all workers. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LISTENER_FIELD, type ListenerField } from '../../../../../core/memory/lane-fields.ts';
import { WORKER } from '../../../../../core/memory/layout.ts';
import { Region } from '../../../../../core/memory/region.ts';
import { ConnectionLedger } from '../../../../../proxy/downstream/accept/connection-ledger.ts';
import { listenerSnapshot } from '../../../../support/snapshots.ts';

const region = (): Region => Region.allocate({ endpoints: 1, upstreams: 1, workers: 2, listeners: 2 }, 0);
const counted = (memory: Region, worker: number, listener: number, field: ListenerField): number =>
  memory.doubles[memory.listenerLane(worker, listener) + LISTENER_FIELD[field]]!;

describe('ConnectionLedger', () => {
  test('counts what is open and what was, by listener and in all', () => {
    const memory = region();
    const ledger = new ConnectionLedger(memory, 1);
    const closeFirst = ledger.opened(0);
    ledger.opened(1);
    assert.equal(ledger.openCount, 2);
    closeFirst();
    assert.deepEqual([ledger.openCount, counted(memory, 1, 0, 'connectionsOpen')], [1, 0]);
    assert.equal(counted(memory, 1, 0, 'connectionsAccepted'), 1);
    assert.equal(counted(memory, 0, 0, 'connectionsAccepted'), 0);
    ledger.refused(1);
    ledger.tlsFailed(1, 'closed');
    assert.deepEqual([counted(memory, 1, 1, 'connectionsRefused'), counted(memory, 1, 1, 'tlsFailedClosed')], [1, 1]);
  });

  test('a listener is full by the sum over the workers', () => {
    const memory = region();
    const [one, two] = [new ConnectionLedger(memory, 0), new ConnectionLedger(memory, 1)];
    const limits = { ...listenerSnapshot().limits, connections: 2 };
    const limited = listenerSnapshot({ limits, index: 1 });
    one.opened(1);
    one.opened(0);
    assert.equal(two.isFull(limited), false);
    const close = two.opened(1);
    assert.equal(one.isFull(limited), true);
    close();
    assert.equal(one.isFull(limited), false);
    assert.equal(one.isFull(listenerSnapshot({ index: 1 })), false);
  });

  test('a process is full by the sum over the workers and listeners', () => {
    const memory = region();
    const [one, two] = [new ConnectionLedger(memory, 0, 2), new ConnectionLedger(memory, 1, 2)];
    one.opened(1);
    assert.equal(two.isProcessFull, false);
    const close = two.opened(0);
    assert.equal(one.isProcessFull, true);
    close();
    assert.equal(one.isProcessFull, false);
  });

  test('begins at zero after a worker that died', () => {
    const memory = region();
    memory.words[memory.workerWord(0) + WORKER.openConnections.index] = 7;
    assert.equal(new ConnectionLedger(memory, 0).openCount, 0);
  });
});
