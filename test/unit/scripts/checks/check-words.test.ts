// The word check: openings of comments, words in comments, texts and pages, and lines that are allowed. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkWords } from '../../../../scripts/checks/check-words-rules.ts';
import { parseSourceFile } from '../../../../scripts/checks/source-files.ts';

/** `line rule` of each finding in one source text. */
function found(text: string): string[] {
  const { findings } = checkWords([parseSourceFile('a.ts', text)], []);
  return findings.map(({ line, rule }) => `${line} ${rule}`);
}

test('a comment that begins with a pronoun is found, as a line, a docstring and a block', () => {
  assert.deepEqual(found('// What is open of one kind.\n'), ['1 opening']);
  assert.deepEqual(found('const a = 1;\n/** Who decides. */\nconst b = 2;\n'), ['2 opening']);
  assert.deepEqual(found('/**\n * The way of every request.\n */\nconst a = 1;\n'), ['2 opening']);
});

test('the second line of a run of line comments may begin with any word', () => {
  assert.deepEqual(found('// Requests in flight, and\n// what they hold.\n'), []);
  assert.deepEqual(found('// Requests in flight.\n\n// What they hold.\n'), ['3 opening']);
});

test('a listed word is found in comments and in texts', () => {
  assert.deepEqual(found("// The worker is told.\nconst text = 'logs are opened anew';\n"), ['1 word', '2 word']);
});

test('plain sentences pass', () => {
  assert.deepEqual(found('/** Returns the endpoints in use. @throws RangeError where none is */\nconst a = 1;\n'), []);
});

test('a line is allowed with a reason, on it or above it', () => {
  const file = parseSourceFile(
    'a.ts',
    "// check-words: quotes a peer's message\nconst a = 'anew';\nconst b = 'anew'; // check-words: the same\n",
  );
  const { findings, exceptions } = checkWords([file], []);
  assert.deepEqual(findings, []);
  assert.deepEqual(exceptions, ["a.ts:2 quotes a peer's message", 'a.ts:3 the same']);
});

test('pages are checked for words, not for openings', () => {
  const page = { path: 'a.md', lines: ['What counts', '', 'Main is told.'] };
  assert.deepEqual(
    checkWords([], [page]).findings.map(({ line, rule }) => `${line} ${rule}`),
    ['3 word'],
  );
});
