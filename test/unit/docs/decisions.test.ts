// docs/decisions: the form of the pages, the index, and the numbers that pages share with the code. Thread: main.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { MAX_UNSENT_RETRIES } from '../../../proxy/placement/retry-verdict.ts';
import { OLDEST_NODE } from '../../../scripts/check-node.mjs';
import { localLinks, readPage, ROOT } from './pages.ts';

const PAGES = readdirSync(path.join(ROOT, 'docs/decisions')).filter((name) => /^\d{4}-/.test(name));
const textOf = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');

describe('a decision', () => {
  for (const name of PAGES) {
    test(`${name} has its number, context, decision, consequences and numbers`, () => {
      const lines = readPage(`docs/decisions/${name}`).prose;
      assert.match(lines[0] ?? '', new RegExp(`^# ${name.slice(0, 4)}: \\S`));
      for (const part of ['Context', 'Decision', 'Consequences', 'Numbers']) {
        assert.ok(lines.includes(`## ${part}`), `${name} has no section "${part}"`);
      }
    });
  }

  test('has a unique number', () => {
    const numbers = PAGES.map((name) => name.slice(0, 4));
    assert.equal(new Set(numbers).size, numbers.length, numbers.join(' '));
  });
});

test('the index lists every decision once, in order', () => {
  const listed = localLinks(readPage('docs/decisions/README.md')).map(({ target }) => target);
  assert.deepEqual(listed, PAGES.toSorted());
});

test('0005: three places agree on the oldest supported Node', () => {
  const [major, minor] = OLDEST_NODE;
  const { engines } = JSON.parse(textOf('package.json')) as { engines: { node: string } };
  assert.equal(engines.node, `>=${major}.${minor}`);
  const entry = textOf('bin/fairlead.ts');
  assert.ok(entry.includes(`major > ${major} || (major === ${major} && minor >= ${minor})`));
  assert.ok(entry.includes(`Node >= ${major}.${minor},`));
});

test('0006: the code permits three retries', () => {
  assert.equal(MAX_UNSENT_RETRIES, 3);
});
