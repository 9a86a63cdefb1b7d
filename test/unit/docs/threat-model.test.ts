// docs/threat-model.md: every claim about a defence names tests that exist, and the table of limits has the defaults of the
// configuration. Thread: main.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { codeSpans, readPage, ROOT, tablesOf } from './pages.ts';

const PAGE = readPage('docs/threat-model.md');
const TEXT = readFileSync(path.join(ROOT, 'docs/threat-model.md'), 'utf8');

function testsIn(text: string): readonly string[] {
  return codeSpans(text).filter((span) => span.startsWith('test/'));
}

describe('a claim of the threat model', () => {
  const surface = TEXT.slice(TEXT.indexOf('## Attack surface'), TEXT.indexOf('## What each limit stops'));
  const claims = surface.split(/^- /m).slice(1);
  assert.ok(claims.length > 15);
  for (const claim of claims) {
    test(claim.split('\n')[0]!.slice(0, 80), () => {
      const named = testsIn(claim);
      assert.ok(named.length > 0, 'no test is named');
      for (const name of named) assert.ok(existsSync(path.join(ROOT, name)), name);
    });
  }
});

/** Defaults by key, as the generated reference has them. */
function defaults(): ReadonlyMap<string, string> {
  const rows = tablesOf(readPage('docs/config-reference.md')).flatMap((table) => table.rows);
  return new Map(rows.map(({ cells }) => [cells[0] ?? '', cells[2] ?? '']));
}

describe('a limit of the threat model', () => {
  const known = defaults();
  const { rows } = tablesOf(PAGE).find(({ header }) => header[0] === 'limit')!;
  for (const { cells } of rows) {
    const [key = '', value = '', , tests = ''] = cells;
    test(`${key} has the default of the configuration, and a test`, () => {
      assert.equal(value, known.get(key));
      assert.deepEqual(
        testsIn(tests).map((name) => existsSync(path.join(ROOT, name))),
        [true],
      );
    });
  }
});
