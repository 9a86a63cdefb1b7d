// Guidance for problem codes: each example causes its code and no other, and its corrected form causes none.
// Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explainProblem, PROBLEM_GUIDE, problemCode } from '../../../../config/problems/problem-guide.ts';
import { PROBLEM_CODES, type ProblemCode } from '../../../../config/problems/problem.ts';
import { renderErrors } from '../../../../scripts/config-docs/config-errors.ts';
import { load } from '../golden-cases.ts';

const CODES = Object.keys(PROBLEM_CODES) as ProblemCode[];

/** Keys that examples omit. */
const REST = {
  listeners: 'listeners: [{ name: web, bind: 127.0.0.1:8080 }]',
  routes: 'routes: [{ upstream: app }]',
  upstreams:
    'upstreams: { app: { endpoints: [http://10.0.0.1:3000, http://10.0.0.2:3000], health: { heartbeat: { path: /healthz } } } }',
};

function codesOf(example: string): string[] {
  const rest = Object.entries(REST).filter(([key]) => !new RegExp(`^${key}:`, 'm').test(example));
  const result = load(`${rest.map(([, line]) => line).join('\n')}\n${example}\n`);
  return (result.ok ? result.warnings : result.problems).map((problem) => problem.code);
}

for (const code of CODES) {
  describe(code, () => {
    const { meaning, fix, wrong, right, shell } = PROBLEM_GUIDE[code];

    test('has meaning and remedy in whole sentences', () => {
      for (const text of [meaning, fix]) assert.match(text, /^[A-Z_].*\.$/s);
      assert.ok(wrong !== undefined || shell !== undefined, 'no example');
    });

    if (wrong !== undefined) {
      test('has an example that causes this code only', () => assert.deepEqual(codesOf(wrong), [code]));
      test('has a corrected example that causes none', () => assert.deepEqual(codesOf(right ?? wrong), []));
    }
  });
}

test('the page has every code once, with its example', () => {
  const page = renderErrors();
  for (const code of CODES) {
    assert.equal(page.split(`### ${code}: `).length, 2, code);
    const { wrong, shell } = PROBLEM_GUIDE[code];
    assert.ok(page.includes(wrong ?? shell ?? 'no example'), code);
  }
});

test('codes are found in any letter case', () => {
  assert.equal(problemCode('fl2001'), 'FL2001');
  for (const text of ['FL0000', '', 'toString', 'FL200']) assert.equal(problemCode(text), null);
  assert.match(explainProblem('FL9001'), /^FL9001 \(warning\): a route can never match\n/);
  assert.match(explainProblem('FL2004'), /^ {4}timeouts: \{ head: 15 \}$/m);
});
