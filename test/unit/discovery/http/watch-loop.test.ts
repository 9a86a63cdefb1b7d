// The loop of sources that wait for changes: back-off, jitter and rate. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type StepOutcome, WatchLoop } from '../../../../discovery/http/watch-loop.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const FAILED: StepOutcome = { ok: false, cause: 'connection refused' };

function begin(outcomes: readonly (StepOutcome | Error)[], random = 0) {
  const clock = new FakeClock();
  const starts: number[] = [];
  const causes: string[] = [];
  const step = (): Promise<StepOutcome> => {
    const outcome = outcomes[starts.push(clock.nowMs()) - 1];
    if (outcome instanceof Error) return Promise.reject(outcome);
    return outcome === undefined ? new Promise(() => undefined) : Promise.resolve(outcome);
  };
  const parts = { clock, timers: clock, random: { next: () => random } };
  const loop = new WatchLoop(parts, step, (cause) => causes.push(cause));
  loop.start();
  return { clock, loop, starts, causes };
}

describe('a watch loop', () => {
  test('backs off after failures, to 30 seconds, and begins again after a success', async () => {
    const { clock, starts, causes } = begin([...Array.from({ length: 7 }, () => FAILED), { ok: true }, FAILED]);
    await clock.advanceTurns(200_000);
    const gaps = starts.slice(1).map((at, index) => at - starts[index]!);
    assert.deepEqual(gaps, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 100, 1_000]);
    assert.equal(causes.length, 8);
  });

  test('spreads retries over half of the back-off', async () => {
    const { clock, starts } = begin([FAILED, FAILED], 0.8);
    await clock.advanceTurns(5_000);
    assert.deepEqual(starts, [0, 600, 1_800]);
  });

  test('repeats successful steps at most ten times a second, or after their delay', async () => {
    const { clock, starts } = begin([{ ok: true }, { ok: true, delayMs: 5_000 }, { ok: true }]);
    await clock.advanceTurns(6_000);
    assert.deepEqual(starts, [0, 100, 5_100, 5_200]);
  });

  test('counts failures from the first again after a confirmation', async () => {
    const { clock, loop, starts } = begin([FAILED, FAILED, FAILED]);
    await clock.advanceTurns(1_000);
    loop.confirm();
    await clock.advanceTurns(3_000);
    assert.deepEqual(starts, [0, 1_000, 3_000, 4_000]);
  });

  test('survives a step that rejects, and ends when it is stopped', async () => {
    const { clock, loop, starts, causes } = begin([new Error('odd'), FAILED]);
    await clock.advanceTurns(0);
    assert.deepEqual(causes, ['internal error: odd']);
    loop.stop();
    await clock.advanceTurns(60_000);
    assert.equal(starts.length, 1);
    assert.equal(clock.pendingCount, 0);
  });
});
