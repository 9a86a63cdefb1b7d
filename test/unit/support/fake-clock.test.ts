// The fake clock, on which other tests rely. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../../support/fake-clock.ts';

describe('FakeClock', () => {
  test('fires timers at their due times, and those with equal times in order of creation', () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    const note = (name: string) => () => void fired.push(`${name}@${clock.nowMs()}`);
    clock.after(30, note('c'));
    clock.after(10, note('a'));
    clock.after(30, note('d'));
    clock.after(20, note('b'));
    clock.advance(29);
    assert.deepEqual(fired, ['a@10', 'b@20']);
    clock.advance(1);
    assert.deepEqual(fired, ['a@10', 'b@20', 'c@30', 'd@30']);
    assert.equal(clock.nowMs(), 30);
  });

  test('fires a timer set by another timer within the same advance', () => {
    const clock = new FakeClock(100);
    const fired: number[] = [];
    const again = () => {
      fired.push(clock.nowMs());
      clock.after(10, again);
    };
    clock.after(10, again);
    clock.advance(35);
    assert.deepEqual(fired, [110, 120, 130]);
    assert.equal(clock.nextDueMs, 140);
  });

  test('a cancelled timer does not fire, and may be cancelled twice', () => {
    const clock = new FakeClock();
    let fired = 0;
    const first = clock.after(5, () => fired++);
    clock.after(5, () => (fired += 10));
    first.cancel();
    first.cancel();
    clock.advance(5);
    first.cancel();
    assert.equal(fired, 10);
    assert.equal(clock.pendingCount, 0);
  });

  test('a stall advances first and fires timers late', () => {
    const clock = new FakeClock();
    const fired: number[] = [];
    clock.after(10, () => fired.push(clock.nowMs()));
    clock.stall(700);
    assert.deepEqual(fired, [700]);
  });

  test('the wall clock advances too, and can be stepped separately', () => {
    const clock = new FakeClock(0, 1_000_000);
    clock.advance(5);
    assert.equal(clock.wallMs(), 1_000_005);
    clock.stepWall(-3_600_000);
    assert.equal(clock.wallMs(), -2_599_995);
    assert.equal(clock.nowMs(), 5);
  });

  test('advanceTurns runs promises between two timers', async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    clock.after(1, () => void Promise.resolve().then(() => seen.push('promise of the first')));
    clock.after(2, () => seen.push('second'));
    await clock.advanceTurns(2);
    assert.deepEqual(seen, ['promise of the first', 'second']);
  });
});
