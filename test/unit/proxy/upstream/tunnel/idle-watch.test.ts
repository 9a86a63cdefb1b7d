import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IdleWatch } from '../../../../../proxy/upstream/tunnel/idle-watch.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';

describe('a watch of 1000 ms', () => {
  /** When the watch tells, if something moves at each of these times. */
  function toldAt(touches: readonly number[]): number {
    const clock = new FakeClock();
    let told = 0;
    const watch = new IdleWatch(clock, 1000, () => {
      told = clock.nowMs();
    });
    for (const touch of touches) clock.after(touch, () => watch.touch());
    clock.advance(10_000);
    return told;
  }

  for (const last of [0, 1, 249, 250, 251, 600, 999, 1000, 1200, 1499]) {
    test(`tells between 1000 and 1250 ms after the last movement at ${last}`, () => {
      const quietMs = toldAt([last / 3, last / 2, last]) - last;
      assert.ok(quietMs >= 1000 && quietMs <= 1250, `after ${quietMs}`);
    });
  }

  test('tells once', () => {
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

  test('tells nothing when stopped', () => {
    const clock = new FakeClock();
    const watch = new IdleWatch(clock, 1000, () => assert.fail('told'));
    clock.advance(700);
    watch.stop();
    assert.equal(clock.pendingCount, 0);
    clock.advance(10_000);
  });
});

test('a watch of 0 ms never tells', () => {
  const clock = new FakeClock();
  const watch = new IdleWatch(clock, 0, () => assert.fail('told'));
  assert.equal(clock.pendingCount, 0);
  watch.touch();
  watch.stop();
});
