// The phases of a test file's process, and which limit holds in each. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { type FilePhase, FileWatch } from '../../../../scripts/test-run/run-tests-watch.ts';

const FILE = '/tree/a.test.ts';
const LIMITS = { testTimeoutMs: 0, silenceLimitMs: 1000, exitLimitMs: 10 };

const about = (type: string, name: string, nesting = 0): TestEvent => ({ type, data: { name, nesting } }) as TestEvent;

/** Events, and the phase and the test's name after each. */
const COURSE: readonly (readonly [event: TestEvent, phase: FilePhase, testName: string])[] = [
  [about('test:enqueue', FILE), 'loading', ''],
  [about('test:dequeue', FILE), 'loading', ''],
  [about('test:enqueue', 'first'), 'testing', ''],
  [about('test:dequeue', 'first'), 'testing', 'first'],
  [about('test:enqueue', 'suite'), 'testing', 'first'],
  [about('test:complete', 'first'), 'testing', ''],
  [about('test:dequeue', 'suite'), 'testing', 'suite'],
  [about('test:dequeue', 'inner', 1), 'testing', 'suite > inner'],
  [about('test:complete', 'inner', 1), 'testing', 'suite'],
  [about('test:complete', 'suite'), 'idle', ''],
  [about('test:enqueue', 'late'), 'testing', ''],
  [about('test:complete', 'late'), 'idle', ''],
  [{ type: 'test:summary', data: { file: FILE } } as TestEvent, 'exiting', ''],
];

test('the phase follows the tests at the top of the file', () => {
  const watch = new FileWatch(FILE, LIMITS, 0);
  for (const [event, phase, testName] of COURSE) {
    watch.add(event, 0);
    assert.deepEqual([watch.phase, watch.testName], [phase, testName]);
  }
});

test('silence is limited while tests run, the exit after they have ended; each event restarts the limit', () => {
  const watch = new FileWatch(FILE, LIMITS, 0);
  for (const [index, [event, phase]] of COURSE.entries()) {
    const nowMs = 5000 * index;
    watch.add(event, nowMs);
    const limitMs = phase === 'idle' || phase === 'exiting' ? 10 : 1000;
    assert.equal(watch.passedLimitMs(nowMs + limitMs), null);
    assert.equal(watch.passedLimitMs(nowMs + limitMs + 1), limitMs);
  }
});

test('late output of a process that exits does not prolong its time', () => {
  const watch = new FileWatch(FILE, LIMITS, 0);
  for (const [event] of COURSE) watch.add(event, 0);
  watch.add({ type: 'test:stderr', data: { file: FILE, message: 'x' } } as TestEvent, 9);
  assert.equal(watch.passedLimitMs(11), 10);
});
