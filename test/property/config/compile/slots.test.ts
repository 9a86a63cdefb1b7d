// Slot tables against a model: no sequence of assign, retire and reclaim gives a slot two owners. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CapacityError, SlotTable } from '../../../../config/compile/slots.ts';

const IDENTITIES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const CAPACITY = 5;

test('slots are unique, kept while in use, and generations distinguish owners', () => {
  const step = fc.record({ identities: fc.uniqueArray(fc.constantFrom(...IDENTITIES)), reclaims: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const table = new SlotTable('endpoints', CAPACITY);
      const owners = new Map<number, { identity: string; generation: number }>();
      for (const [index, { identities, reclaims }] of steps.entries()) {
        const generation = index + 1;
        const isInstalled = assignAndCheck(table, owners, identities, generation);
        if (!reclaims || !isInstalled) continue;
        for (const slot of table.retire(generation)) {
          assert.ok(!identities.includes(table.identityOf(slot) ?? ''));
          assert.ok(table.reclaim(slot, generation));
          assert.equal(table.identityOf(slot), null);
        }
      }
    }),
    { seed: 20_260_807, numRuns: 500 },
  );
});

test('the slots that are retired within a revision are those that a look at all owners finds', () => {
  const step = fc.record({
    kind: fc.constantFrom('reload', 'refused reload', 'change', 'reclaim'),
    identities: fc.uniqueArray(fc.constantFrom(...IDENTITIES)),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const table = new SlotTable('endpoints', IDENTITIES.length);
      const lastSeen = new Map<string, number>();
      let revision = 1;
      let present: readonly string[] = [];
      for (const { kind, identities } of steps) {
        const expected = [...lastSeen].filter(([, seen]) => seen < revision).map(([identity]) => identity);
        const retired = table.retire(revision);
        assert.deepEqual(new Set(retired.map((slot) => table.identityOf(slot))), new Set(expected));
        if (kind === 'reclaim') {
          for (const slot of retired) assert.ok(table.reclaim(slot, revision));
          for (const identity of expected) lastSeen.delete(identity);
          continue;
        }
        const assigned = kind === 'change' ? revision : revision + 1;
        if (kind === 'reload') revision++;
        table.assign(identities, assigned);
        for (const identity of identities) lastSeen.set(identity, assigned);
        const removed = kind === 'change' ? present.filter((one) => !identities.includes(one)) : [];
        table.release(removed);
        for (const identity of removed) lastSeen.set(identity, -1);
        if (kind !== 'refused reload') present = identities;
      }
    }),
    { seed: 20_261_201, numRuns: 500 },
  );
});

function assignAndCheck(
  table: SlotTable,
  owners: Map<number, { identity: string; generation: number }>,
  identities: readonly string[],
  generation: number,
): boolean {
  const usedBefore = table.usedCount;
  try {
    const given = table.assign(identities, generation);
    assert.equal(new Set(given.map(({ slot }) => slot)).size, identities.length);
    for (const [index, assignment] of given.entries()) {
      const identity = identities[index]!;
      const earlier = owners.get(assignment.slot);
      assert.ok(assignment.slot < CAPACITY);
      assert.equal(table.identityOf(assignment.slot), identity);
      if (earlier !== undefined && earlier.generation === assignment.generation)
        assert.equal(earlier.identity, identity);
      owners.set(assignment.slot, { identity, generation: assignment.generation });
    }
    return true;
  } catch (error) {
    assert.ok(error instanceof CapacityError);
    assert.equal(table.usedCount, usedBefore);
    return false;
  }
}
