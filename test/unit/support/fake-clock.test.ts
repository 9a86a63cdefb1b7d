// The fake clock itself: what other tests rely on. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../../support/fake-clock.ts';

describe('FakeClock', () => {
  test('fires timers in order of their due time, each at it, and equal ones in order of setting', () => {
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

  test('fires a timer that a timer sets, when it falls into the same stretch', () => {
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

  test('a cancelled timer does not fire, and cancelling twice harms nobody', () => {
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

  test('a stall lets time pass first and fires late', () => {
    const clock = new FakeClock();
    const fired: number[] = [];
    clock.after(10, () => fired.push(clock.nowMs()));
    clock.stall(700);
    assert.deepEqual(fired, [700]);
  });

  test('the wall clock follows, and can be stepped alone', () => {
    const clock = new FakeClock(0, 1_000_000);
    clock.advance(5);
    assert.equal(clock.wallMs(), 1_000_005);
    clock.stepWall(-3_600_000);
    assert.equal(clock.wallMs(), -2_599_995);
    assert.equal(clock.nowMs(), 5);
  });

  test('advanceTurns gives promises a turn between two timers', async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    clock.after(1, () => void Promise.resolve().then(() => seen.push('promise of the first')));
    clock.after(2, () => seen.push('second'));
    await clock.advanceTurns(2);
    assert.deepEqual(seen, ['promise of the first', 'second']);
  });
});
