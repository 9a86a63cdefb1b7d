// Differences of texts by lines: applied to the first text, they give the second. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffLines, diffParts } from '../../../../../admin/dashboard/data/line-diff.ts';
import { randomBelow, seededRandom } from '../../../../../core/random.ts';

const show = (before: string, after: string): string[] =>
  diffLines(before, after).map(({ sign, text }) => `${sign}${text}`);

test('equal lines stay, others are removed and added', () => {
  assert.deepEqual(show('', ''), []);
  assert.deepEqual(show('a\nb\n', 'a\nb\n'), [' a', ' b']);
  assert.deepEqual(show('', 'a\nb\n'), ['+a', '+b']);
  assert.deepEqual(show('a\nb\nc\n', 'a\nx\nc\n'), [' a', '-b', '+x', ' c']);
});

test('any two texts are rebuilt from their difference', () => {
  const random = seededRandom(3);
  const text = (): string =>
    Array.from({ length: randomBelow(random, 12) }, () => 'abcd'[randomBelow(random, 4)]).join('\n');
  for (let i = 0; i < 500; i++) {
    const [before, after] = [text(), text()];
    const lines = diffLines(before, after);
    const side = (left: string): string =>
      lines
        .filter(({ sign }) => sign === ' ' || sign === left)
        .map((one) => one.text)
        .join('\n');
    assert.deepEqual([side('-'), side('+')], [before, after]);
  }
});

test('texts without anything in common are replaced, however long', () => {
  const lines = (name: string): string => Array.from({ length: 3_000 }, (_, i) => `${name}${i}`).join('\n');
  const found = diffLines(lines('a'), lines('b'));
  assert.equal(found.length, 6_000);
  assert.deepEqual(
    [found[0], found.at(-1)],
    [
      { sign: '-', text: 'a0' },
      { sign: '+', text: 'b2999' },
    ],
  );
});

test('equal lines far from a change are left out', () => {
  const before = Array.from({ length: 20 }, (_, i) => `line ${i}`).join('\n');
  const parts = diffParts(diffLines(before, before.replace('line 10', 'changed')), 2);
  assert.deepEqual(
    parts.map((part) => ('skipped' in part ? part.skipped : part.lines.length)),
    [8, 6, 7],
  );
});
