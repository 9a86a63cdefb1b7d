// Invalid configurations get exactly the messages of the golden files. Thread: main.
// After changing messages: UPDATE_GOLDEN=1 node --test test/unit/config/broken-configs.test.ts, then read the diff.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { PROBLEM_CODES } from '../../../config/problems/problem.ts';
import { goldenFile, load, messagesFor, readCases, writeCases } from './golden-cases.ts';

const FILES = [
  'yaml.cases',
  'shape.cases',
  'meaning.cases',
  'groups.cases',
  'plugins.cases',
  'peers.cases',
  'warnings.cases',
  'access.cases',
  'tcp.cases',
  'discovery.cases',
];

if (process.env['UPDATE_GOLDEN'] === '1') {
  for (const file of FILES) {
    const cases = readCases(file).map(({ title, text }) => ({ title, text, expected: messagesFor(text) }));
    writeFileSync(goldenFile(file), writeCases(cases));
  }
}

for (const file of FILES) {
  describe(file, () => {
    for (const { title, text, expected } of readCases(file)) {
      test(title, () => assert.deepEqual(messagesFor(text), expected));
    }
  });
}

test('there are at least 140 invalid configurations, covering most problem codes', () => {
  const cases = FILES.flatMap(readCases).filter((one) => one.expected.length > 0);
  assert.ok(cases.length >= 140, `${cases.length} cases`);
  const covered = new Set(cases.flatMap((one) => one.expected.map((line) => /\[(FL\d+)\]$/.exec(line)?.[1])));
  const uncovered = Object.keys(PROBLEM_CODES).filter((code) => !covered.has(code));
  // These need files or sizes or a resolver beyond a golden case; load.test.ts, secrets.test.ts and strict-dns.test.ts cover them.
  assert.deepEqual(uncovered, [
    'FL1001',
    'FL1002',
    'FL1003',
    'FL1006',
    'FL1103',
    'FL1104',
    'FL5001',
    'FL9006',
    'FL9015',
  ]);
});

test('a marked range never exceeds its line', () => {
  for (const { text } of FILES.flatMap(readCases)) {
    const result = load(text);
    const lines = text.split('\n');
    for (const { span } of result.ok ? result.warnings : result.problems) {
      const line = lines[span.line - 1] ?? '';
      const isEmpty = line === '' && span.length === 1;
      assert.ok(isEmpty || span.column - 1 + span.length <= Math.max(1, line.length), JSON.stringify({ text, span }));
    }
  }
});
