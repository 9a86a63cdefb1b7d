// Reports of a configuration that is refused at a reload, in the log and in the admin API. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomeOf, refusedFields } from '../../../control/reload.ts';
import { load } from '../config/golden-cases.ts';

const REFUSED = load('workers: 0\n' + Array.from({ length: 100 }, (_, n) => `k${n}: 1`).join('\n'));

test('the admin API reports every problem, as text and as data', () => {
  assert.ok(!REFUSED.ok);
  const outcome = outcomeOf({ ok: false, message: 'refused', problems: REFUSED.problems });
  assert.ok(!outcome.ok);
  assert.equal(outcome.problems.length, REFUSED.problems.length + 1);
  assert.equal(outcome.problems[0], 'refused');
  const workers = outcome.findings?.find(({ path }) => path === 'workers');
  assert.deepEqual([workers?.line, workers?.column, workers?.code], [1, 10, 'FL2005']);
  assert.match(workers?.rendered ?? '', /\n {4}1 \| workers: 0\n {6}\| {10}\^$/);
});

test('the log line has the first twenty problems and their count', () => {
  assert.ok(!REFUSED.ok);
  const { problems, problemCount } = refusedFields(REFUSED.problems);
  assert.equal(problems.length, 20);
  assert.equal(problemCount, REFUSED.problems.length);
  for (const problem of problems) assert.doesNotMatch(problem, /\n/);
});
