// The check axis: HAProxy's counter, row by row. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CHECK_EDGES,
  CHECK_UNKNOWN,
  isFirmlyUp,
  isTransitional,
  retuneCheck,
  stepCheck,
  streakOf,
  type CheckEvent,
  type CheckState,
} from '../../../../health/state/check-axis.ts';

const THRESHOLDS = { rise: 2, fall: 3 };
const up = (counter: number): CheckState => ({ check: 'up', counter });
const down = (counter: number): CheckState => ({ check: 'down', counter });

/** rise 2, fall 3: the counter runs from 0 to 4, and is up from 2. */
const ROWS: readonly (readonly [from: CheckState, event: CheckEvent, to: CheckState])[] = [
  [CHECK_UNKNOWN, 'pass', up(4)],
  [CHECK_UNKNOWN, 'fail', down(0)],
  [CHECK_UNKNOWN, 'condemn', down(0)],
  [CHECK_UNKNOWN, 'forget', CHECK_UNKNOWN],
  [up(4), 'pass', up(4)],
  [up(4), 'fail', up(3)],
  [up(3), 'fail', up(2)],
  [up(2), 'fail', down(0)],
  [up(3), 'pass', up(4)],
  [up(2), 'pass', up(4)],
  [up(4), 'condemn', down(0)],
  [up(2), 'condemn', down(0)],
  [up(4), 'forget', CHECK_UNKNOWN],
  [down(0), 'fail', down(0)],
  [down(0), 'pass', down(1)],
  [down(1), 'fail', down(0)],
  [down(1), 'pass', up(4)],
  [down(1), 'condemn', down(0)],
  [down(0), 'restore', up(4)],
  [down(1), 'restore', up(4)],
  [up(3), 'restore', up(4)],
  [down(0), 'forget', CHECK_UNKNOWN],
];

const nameOf = (state: CheckState): string => `${state.check}(${state.counter})`;

describe('the check axis', () => {
  for (const [from, event, to] of ROWS) {
    test(`${nameOf(from)} on ${event} becomes ${nameOf(to)}`, () => {
      assert.deepEqual(stepCheck(from, event, THRESHOLDS), to);
      if (from.check !== to.check) assert.ok(CHECK_EDGES[from.check].includes(to.check));
    });
  }

  test('every edge of the table is taken by some row', () => {
    const taken = new Set(ROWS.map(([from, , to]) => `${from.check}>${to.check}`));
    for (const [from, targets] of Object.entries(CHECK_EDGES)) {
      for (const to of targets) assert.ok(taken.has(`${from}>${to}`), `${from} to ${to}`);
    }
  });

  test('is transitional while nothing is known, and strictly between the ends', () => {
    assert.ok(isTransitional(CHECK_UNKNOWN, THRESHOLDS));
    assert.deepEqual(
      [up(4), up(3), up(2), down(1), down(0)].map((state) => isTransitional(state, THRESHOLDS)),
      [false, true, true, true, false],
    );
  });

  test('is firmly up only at the top', () => {
    assert.deepEqual(
      [up(4), up(3), down(0), CHECK_UNKNOWN].map((state) => isFirmlyUp(state, THRESHOLDS)),
      [true, false, false, false],
    );
  });

  test('counts the streak under way', () => {
    assert.deepEqual(
      [up(4), up(3), up(2), down(1), down(0), CHECK_UNKNOWN].map((state) => streakOf(state, THRESHOLDS)),
      [0, 1, 2, 1, 0, 0],
    );
  });

  test('with rise 1 and fall 1 every result decides', () => {
    const once = { rise: 1, fall: 1 };
    assert.deepEqual(stepCheck(up(1), 'fail', once), down(0));
    assert.deepEqual(stepCheck(down(0), 'pass', once), up(1));
    assert.ok(!isTransitional(up(1), once) && !isTransitional(down(0), once));
  });

  test('changed thresholds keep the verdict and restart the streak', () => {
    const next = { rise: 5, fall: 2 };
    assert.deepEqual(retuneCheck(up(2), next), up(6));
    assert.deepEqual(retuneCheck(down(1), next), down(0));
    assert.deepEqual(retuneCheck(CHECK_UNKNOWN, next), CHECK_UNKNOWN);
  });
});
