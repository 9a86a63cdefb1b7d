import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IdleWatch } from '../../../../../proxy/upstream/tunnel/tunnel-traffic.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';

describe('an idle watch of 1000 ms', () => {
  /** The times at which the watch fires if bytes move at each of these times. */
  function firedAt(touches: readonly number[]): number {
    const clock = new FakeClock();
    let firedMs = 0;
    const watch = new IdleWatch(clock, 1000, () => {
      firedMs = clock.nowMs();
    });
    for (const touch of touches) clock.after(touch, () => watch.touch());
    clock.advance(10_000);
    return firedMs;
  }

  for (const last of [0, 1, 249, 250, 251, 600, 999, 1000, 1200, 1499]) {
    test(`fires between 1000 and 1250 ms after the last movement at ${last}`, () => {
      const quietMs = firedAt([last / 3, last / 2, last]) - last;
      assert.ok(quietMs >= 1000 && quietMs <= 1250, `after ${quietMs}`);
    });
  }

  test('fires once', () => {
    const clock = new FakeClock();
    let count = 0;
    const watch = new IdleWatch(clock, 1000, () => {
      count += 1;
    });
    clock.advance(10_000);
    assert.equal(count, 1);
    watch.stop();
    assert.equal(clock.pendingCount, 0);
  });

  test('does not fire after stop', () => {
    const clock = new FakeClock();
    const watch = new IdleWatch(clock, 1000, () => assert.fail('fired'));
    clock.advance(700);
    watch.stop();
    assert.equal(clock.pendingCount, 0);
    clock.advance(10_000);
  });
});

test('an idle watch of 0 ms never fires', () => {
  const clock = new FakeClock();
  const watch = new IdleWatch(clock, 0, () => assert.fail('fired'));
  assert.equal(clock.pendingCount, 0);
  watch.touch();
  watch.stop();
});
