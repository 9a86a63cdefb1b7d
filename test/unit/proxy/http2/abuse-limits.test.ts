// Limits on work that a peer causes: attacks exceed them at once, honest clients never. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AbuseLimits } from '../../../../proxy/http2/abuse-limits.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

interface Case {
  readonly limits: AbuseLimits;
  readonly clock: FakeClock;
}

function begin(): Case {
  const clock = new FakeClock();
  return { clock, limits: new AbuseLimits(clock) };
}

/** How many actions pass before the first that is refused, at most `most`. */
function passed(most: number, act: () => boolean): number {
  for (let count = 0; count < most; count += 1) if (!act()) return count;
  return most;
}

/** A request, reset so many ms later. */
function cancel({ limits, clock }: Case, afterMs: number, hasResponse: boolean): boolean {
  const beganMs = clock.nowMs();
  limits.requestBegan();
  clock.advance(afterMs);
  return limits.mayReset(beganMs, hasResponse);
}

describe('attacks', () => {
  type Act = (limits: AbuseLimits) => boolean;
  const attacks: readonly (readonly [name: string, burst: number, perSecond: number, act: Act])[] = [
    ['rapid resets', 200, 100, (limits) => limits.mayReset(0, false)],
    ['faults of streams', 100, 10, (limits) => limits.mayFault()],
    ['streams beyond the limit', 1000, 100, (limits) => limits.mayExceedStreams()],
    ['control frames', 10_000, 1000, (limits) => limits.mayControl()],
    ['SETTINGS', 1000, 100, (limits) => limits.maySendSettings()],
    ['empty DATA frames', 1000, 100, (limits) => limits.mayReceiveData(0, false)],
    ['DATA frames of one byte', 50_000, 20_000, (limits) => limits.mayReceiveData(1, false)],
    ['windows opened by the byte', 10_000, 1000, (limits) => (limits.dataSent(1), limits.mayControl())],
  ];
  for (const [name, burst, perSecond, act] of attacks) {
    test(`${name} are refused after ${burst}, and beyond ${perSecond} per second`, () => {
      const { limits, clock } = begin();
      // Rapid resets are judged by their age: each stream begins now.
      const now = clock.nowMs.bind(clock);
      const attack = name === 'rapid resets' ? () => limits.mayReset(now(), false) : () => act(limits);
      assert.equal(passed(100_000, attack), burst);
      clock.advance(1000);
      // The refused one took a token, too.
      assert.ok(Math.abs(passed(100_000, attack) - perSecond) <= 10);
    });
  }

  test('a flood of PING is refused though requests between earn tokens', () => {
    const { limits } = begin();
    const flood = passed(1_000_000, () => {
      limits.requestBegan();
      return passed(10, () => limits.mayControl()) === 10;
    });
    assert.ok(flood < 2000);
  });
});

describe('honest clients', () => {
  test('1,000 quick cancels over two minutes', () => {
    const state = begin();
    for (let count = 0; count < 1000; count += 1) {
      assert.ok(cancel(state, 1, false));
      state.clock.advance(119);
    }
  });

  test('100 resets in one write, again and again while a page is left', () => {
    const { limits, clock } = begin();
    for (let page = 0; page < 50; page += 1) {
      const beganMs = clock.nowMs();
      assert.equal(
        passed(100, () => limits.mayReset(beganMs, false)),
        100,
      );
      clock.advance(1000);
    }
  });

  test('5,000 downloads cancelled after 1 KiB', () => {
    const state = begin();
    for (let count = 0; count < 5000; count += 1) {
      state.limits.dataSent(1024);
      assert.ok(cancel(state, 0, true));
    }
  });

  test('100,000 requests cancelled after 30 ms', () => {
    const state = begin();
    for (let count = 0; count < 100_000; count += 1) {
      const beganMs = state.clock.nowMs() - 30;
      state.limits.requestBegan();
      assert.ok(state.limits.mayReset(beganMs, false));
    }
  });

  test('a download of 1 GiB with two WINDOW_UPDATE per DATA frame', () => {
    const { limits } = begin();
    for (let frame = 0; frame < 65_536; frame += 1) {
      limits.dataSent(16_384);
      assert.ok(limits.mayControl());
      assert.ok(limits.mayControl());
    }
  });

  test('messages of 10 bytes, 15,000 per second for a minute', () => {
    const { limits, clock } = begin();
    for (let tick = 0; tick < 600; tick += 1) {
      assert.equal(
        passed(1500, () => limits.mayReceiveData(10, false)),
        1500,
      );
      clock.advance(100);
    }
  });

  test('a PING with each of 500 requests per second', () => {
    const { limits, clock } = begin();
    for (let tick = 0; tick < 600; tick += 1) {
      for (let count = 0; count < 500; count += 1) {
        limits.requestBegan();
        assert.ok(limits.mayControl());
      }
      clock.advance(1000);
    }
  });
});
