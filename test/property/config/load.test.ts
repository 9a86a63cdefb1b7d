// Any damage to a valid file gives a valid configuration or located messages, never a throw. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { caretLine, columnsOf } from '../../../config/problems/excerpt.ts';
import { renderProblem } from '../../../config/problems/problem-text.ts';
import { formatProblem, type Problem } from '../../../config/problems/problem.ts';
import { compile, newTables } from '../../../config/compile/compile.ts';
import { DESIGN_EXAMPLE } from '../../unit/config/design-example.ts';
import { shortOrLong } from '../../support/test-length.ts';
import { ENVIRONMENT, load } from '../../unit/config/golden-cases.ts';

const FORMAT = /^fairlead\.yaml:\d+:\d+: \S.* \[FL\d{4}\]$/s;

/** Checks that an excerpt contains its mark, in one line without control characters. */
function assertShown(problem: Problem): void {
  const { excerpt } = problem;
  if (excerpt === null) return;
  const { text, markBegin, markLength } = excerpt;
  assert.ok(columnsOf(text) <= 106 && markBegin <= text.length && markLength >= 1, JSON.stringify(problem));
  assert.match(caretLine(excerpt), /^[\t ]*\^+$/);
  assert.ok(!/(?!\t)\p{Cc}/u.test(text), JSON.stringify(text));
  assert.ok(!renderProblem(problem).includes(ENVIRONMENT.STICKY_SECRET));
}

/** Checks the guarantees for one text. */
function assertLoadsOrTells(text: string): void {
  const result = load(text);
  const problems = result.ok ? result.warnings : result.problems;
  assert.ok(result.ok || problems.some((problem) => problem.severity === 'error'), 'refused without an error');
  if (result.ok) compile(result.config, newTables({ endpoints: 16, upstreams: 16, listeners: 16 }), 1);
  const lines = text.split('\n');
  for (const problem of problems) {
    assert.match(formatProblem(problem), FORMAT);
    assertShown(problem);
    assert.ok(!problem.message.includes(ENVIRONMENT.STICKY_SECRET), problem.message);
    assert.doesNotMatch(problem.message, /\[object|undefined|NaN|Invalid input|\bat .*:\d+:\d+/);
    assert.ok(problem.span.line <= lines.length, `line ${problem.span.line} of ${lines.length}`);
    assert.ok(problem.span.column <= (lines[problem.span.line - 1] ?? '').length + 1);
  }
}

/** Characters of each file that are removed, one after the other. */
const REMOVED_MOST = shortOrLong(60, 2_000);

/** Valid files besides the design example. */
function validFiles(): readonly (readonly [name: string, text: string])[] {
  const root = path.resolve(import.meta.dirname, '../../..');
  const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');
  const readme = /```yaml\n([^`]*^listeners:[\s\S]*?)```/m.exec(read('README.md'))?.[1] ?? '';
  const examples = readdirSync(path.join(root, 'examples')).filter((name) => name.endsWith('.yaml'));
  assert.ok(readme !== '' && examples.includes('everything.yaml'));
  return [["the README's example", readme], ...examples.map((name) => [name, read(`examples/${name}`)] as const)];
}

/** Removes comments, which only slow the test down. */
function withoutComments(text: string): string {
  return text.replaceAll(/(?:^| +)# .*$\n?/gm, '\n').replaceAll(/\n+/g, '\n');
}

describe('a valid file with any one character removed', () => {
  for (const [name, text] of validFiles()) {
    test(name, () => {
      const bare = withoutComments(text);
      const step = Math.ceil(bare.length / REMOVED_MOST);
      for (let at = 0; at < bare.length; at += step) assertLoadsOrTells(bare.slice(0, at) + bare.slice(at + 1));
    });
  }
});

describe('the design example', () => {
  test('with any one character removed', () => {
    for (let at = 0; at < DESIGN_EXAMPLE.length; at += Math.ceil(DESIGN_EXAMPLE.length / REMOVED_MOST)) {
      assertLoadsOrTells(DESIGN_EXAMPLE.slice(0, at) + DESIGN_EXAMPLE.slice(at + 1));
    }
  });

  test('with any one line removed, and truncated after any line', () => {
    const lines = DESIGN_EXAMPLE.split('\n');
    for (let at = 0; at < lines.length; at++) {
      assertLoadsOrTells(lines.toSpliced(at, 1).join('\n'));
      assertLoadsOrTells(lines.slice(0, at).join('\n'));
    }
  });

  test('with YAML punctuation inserted anywhere', () => {
    const sign = fc.constantFrom(
      ...'{}[]:,-?&*!|>\'"%@`#$~\t\n <='.split(''),
      '<<: ',
      '${',
      '${X}',
      '*a',
      '&a ',
      '!!str ',
      '---\n',
      '\u0000',
      '\u{1f600}',
    );
    const damage = fc.array(fc.tuple(fc.nat(DESIGN_EXAMPLE.length), sign), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, (places) => {
        let text = DESIGN_EXAMPLE;
        for (const [at, inserted] of places) text = text.slice(0, at) + inserted + text.slice(at);
        assertLoadsOrTells(text);
      }),
      { seed: 20_260_803, numRuns: shortOrLong(80, 400) },
    );
  });

  test('with any value replaced by another', () => {
    const words = DESIGN_EXAMPLE.replaceAll(/#.*$/gm, '').match(/[\w./:-]+/g) ?? [];
    const values = fc.constantFrom(
      ...words,
      'null',
      '[]',
      '{}',
      '-1',
      '1e999',
      '.nan',
      'true',
      '""',
      '0x10',
      '2026-01-01',
    );
    fc.assert(
      fc.property(fc.nat(words.length - 1), values, (index, value) => {
        let seen = -1;
        assertLoadsOrTells(DESIGN_EXAMPLE.replaceAll(/[\w./:-]+/g, (word) => (++seen === index ? value : word)));
      }),
      { seed: 20_260_804, numRuns: shortOrLong(80, 400) },
    );
  });
});

test('any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), assertLoadsOrTells), {
    seed: 20_260_805,
    numRuns: shortOrLong(150, 300),
  });
});

/** Values as flow YAML with keys of the schema: well-formed YAML without meaning. */
test('any well-formed YAML with schema keys', () => {
  const keys = [
    'listeners',
    'routes',
    'upstreams',
    'name',
    'bind',
    'match',
    'path',
    'endpoints',
    'health',
    'sticky',
    'hedge',
    'backups',
    'retry',
    'on',
    'tls',
    'balance',
    'strategy',
    'exact',
    'url',
  ];
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.constantFrom('web', ':80', 'http://a', '2s', 5, true, null, 1.5),
      tie('list'),
      tie('mapping'),
    ),
    list: fc.array(tie('value'), { maxLength: 3 }),
    mapping: fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 5 }),
  }));
  fc.assert(
    fc.property(value, (nonsense) => assertLoadsOrTells(JSON.stringify(nonsense))),
    { seed: 20_260_806, numRuns: shortOrLong(250, 500) },
  );
});
