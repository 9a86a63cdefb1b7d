// The timer wheel: never early, at most a tick late, and safe to change while it fires. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TimerWheel, WheelTimer } from '../../../core/timer-wheel.ts';

test('a timer fires at its deadline, up to one tick late and never early', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 50 }), (delays) => {
      const wheel = new TimerWheel(20, 1000);
      const firedAt = new Map<number, number>();
      let nowMs = 1000;
      delays.forEach((delayMs, index) => {
        wheel.arm(new WheelTimer(() => firedAt.set(index, nowMs)), delayMs, nowMs);
      });
      for (; nowMs < 62_000; nowMs += 20) wheel.advance(nowMs);
      delays.forEach((delayMs, index) => {
        const late = firedAt.get(index)! - (1000 + delayMs);
        assert.ok(late >= 0 && late <= 40, `delay ${delayMs} was ${late} ms late`);
      });
      assert.equal(wheel.armedCount, 0);
    }),
    { seed: 1, numRuns: 50 },
  );
});

test('a cancelled timer does not fire, and cancelling twice is harmless', () => {
  const wheel = new TimerWheel(20, 0);
  const timer = new WheelTimer(() => assert.fail('fired'));
  wheel.arm(timer, 50, 0);
  wheel.cancel(timer);
  wheel.cancel(timer);
  wheel.advance(200);
  assert.equal(timer.isArmed(), false);
});

test('rearming moves the deadline', () => {
  const wheel = new TimerWheel(20, 0);
  let fired = 0;
  const timer = new WheelTimer(() => fired++);
  wheel.arm(timer, 50, 0);
  wheel.arm(timer, 500, 0);
  wheel.advance(100);
  assert.equal(fired, 0);
  wheel.advance(600);
  assert.equal(fired, 1);
});

test('a timer may cancel another one that is due in the same tick', () => {
  const wheel = new TimerWheel(20, 0);
  const second = new WheelTimer(() => assert.fail('fired'));
  const first = new WheelTimer(() => wheel.cancel(second));
  wheel.arm(first, 10, 0);
  wheel.arm(second, 10, 0);
  wheel.advance(100);
  assert.equal(wheel.armedCount, 0);
});

test('a timer may arm itself again while it fires', () => {
  const wheel = new TimerWheel(20, 0);
  let fired = 0;
  const timer: WheelTimer = new WheelTimer(() => {
    fired++;
    if (fired < 3) wheel.arm(timer, 20, fired * 20);
  });
  wheel.arm(timer, 20, 0);
  for (let nowMs = 0; nowMs <= 200; nowMs += 20) wheel.advance(nowMs);
  assert.equal(fired, 3);
});

test('after a long stall of the event loop every overdue timer fires', () => {
  const wheel = new TimerWheel(20, 0);
  let fired = 0;
  for (const delayMs of [10, 5_000, 20_000, 100_000]) wheel.arm(new WheelTimer(() => fired++), delayMs, 0);
  wheel.advance(1_000_000);
  assert.equal(fired, 4);
});
