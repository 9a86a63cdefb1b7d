// The progress line of measurements: step, seconds and time left on a terminal; nothing elsewhere. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StepProgress } from '../../../../scripts/progress/step-progress.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const CLEAR = '\r\u001b[K';

function bench(isTTY: boolean, total: number) {
  const clock = new FakeClock();
  const written: string[] = [];
  const stream = { isTTY, columns: 80, write: (text: string) => written.push(text) > 0 };
  const progress = new StepProgress(total, { stream, clock, timers: clock });
  const step = (name: string, ms: number, shows = 0) =>
    progress.step(name, async () => {
      for (let update = 0; update < shows; update++) clock.advance(1000);
      clock.advance(ms - shows * 1000);
      return name;
    });
  return { clock, written, step, progress };
}

test('a terminal shows the step, its seconds, and from the second step on the time left', async () => {
  const { written, step, clock } = bench(true, 3);
  assert.equal(await step('kill: fairlead', 90_000), 'kill: fairlead');
  assert.equal(written[0], `${CLEAR}1 of 3, 0 s: kill: fairlead`);
  written.length = 0;
  await step('kill: haproxy', 30_000, 1);
  assert.deepEqual(written.slice(0, 2), [
    `${CLEAR}2 of 3, 0 s, about 3 min left: kill: haproxy`,
    `${CLEAR}2 of 3, 1 s, about 3 min left: kill: haproxy`,
  ]);
  assert.equal(written.at(-1), CLEAR);
  written.length = 0;
  clock.advance(5000);
  assert.deepEqual(written, [], 'nothing is shown between steps');
});

test('a step that fails removes its line, and the failure is that of the step', async () => {
  const { written, progress } = bench(true, 1);
  await assert.rejects(
    progress.step('kill', () => Promise.reject(new Error('no core'))),
    /no core/,
  );
  assert.equal(written.at(-1), CLEAR);
});

test('a pipe gets nothing, and no timer runs', async () => {
  const { written, step, clock } = bench(false, 2);
  await step('kill', 5000, 2);
  clock.advance(10_000);
  assert.deepEqual(written, []);
});
