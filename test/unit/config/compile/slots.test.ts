// Slots keyed by identity over reloads. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CapacityError, SlotTable } from '../../../../config/compile/slots.ts';

function slotsOf(table: SlotTable, identities: string[], revision: number): number[] {
  return table.assign(identities, revision).map((assignment) => assignment.slot);
}

describe('slots', () => {
  test('are assigned in order from the lowest free one', () => {
    const table = new SlotTable('endpoints', 4);
    assert.deepEqual(slotsOf(table, ['a', 'b', 'c'], 1), [0, 1, 2]);
    assert.equal(table.identityOf(1), 'b');
    assert.equal(table.identityOf(3), null);
  });

  test('stay with their identity over reloads in any order', () => {
    const table = new SlotTable('endpoints', 4);
    table.assign(['a', 'b', 'c'], 1);
    assert.deepEqual(table.assign(['c', 'd', 'a'], 2), [
      { slot: 2, generation: 1 },
      { slot: 3, generation: 1 },
      { slot: 0, generation: 1 },
    ]);
  });

  test('are not reassigned before they are reclaimed', () => {
    const table = new SlotTable('endpoints', 3);
    table.assign(['a', 'b'], 1);
    assert.deepEqual(slotsOf(table, ['b', 'c'], 2), [1, 2]);
    assert.deepEqual(table.retire(2), [0]);
    assert.throws(() => table.assign(['b', 'c', 'd'], 3), CapacityError);
    assert.ok(table.reclaim(0, 2));
    assert.deepEqual(table.assign(['b', 'c', 'd'], 3).at(-1), { slot: 0, generation: 2 });
  });

  test('remain with an owner that returns before that', () => {
    const table = new SlotTable('endpoints', 3);
    table.assign(['a', 'b'], 1);
    table.assign(['b'], 2);
    assert.deepEqual(table.assign(['a', 'b'], 3)[0], { slot: 0, generation: 1 });
    assert.equal(table.reclaim(0, 2), false);
    assert.equal(table.identityOf(0), 'a');
    assert.deepEqual(table.retire(3), []);
  });

  test('of a Snapshot that was never installed are retired by the next one', () => {
    const table = new SlotTable('endpoints', 3);
    table.assign(['a'], 1);
    table.assign(['a', 'x'], 2);
    table.assign(['a'], 3);
    assert.deepEqual(table.retire(3), [1]);
  });

  test('without an owner cannot be reclaimed', () => {
    const table = new SlotTable('endpoints', 2);
    assert.equal(table.reclaim(0, 1), false);
    assert.equal(table.reclaim(7, 1), false);
  });
});

describe('a full table', () => {
  test('refuses an assignment as a whole', () => {
    const table = new SlotTable('endpoints', 2);
    table.assign(['a'], 1);
    assert.throws(() => table.assign(['b', 'c', 'd'], 2), CapacityError);
    assert.equal(table.usedCount, 1);
    assert.deepEqual(table.retire(2), [0]);
  });

  test('reports missing and reclaimable slots', () => {
    const table = new SlotTable('endpoints', 2);
    table.assign(['a', 'b'], 1);
    assert.throws(() => table.assign(['c', 'd', 'e'], 2), {
      message:
        '3 more endpoints exceed the capacity: 0 of 2 slots are free; 2 more become free when the requests to removed ones have finished; restart Fairlead to raise it',
    });
  });
});
