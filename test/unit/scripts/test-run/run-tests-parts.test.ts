// The options of the test run: which parts, in which order, and what is refused. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allParts, readOptions } from '../../../../scripts/test-run/run-tests-parts.ts';

function partsFor(...args: string[]): string[] {
  return readOptions(args, 2).parts.map((part) => part.name);
}

const STATIC = ['types', 'build-types', 'page-types', 'lint', 'format', 'layers', 'sizes', 'words', 'prose', 'unused'];
const TESTS = [
  'unit',
  'contract',
  'property',
  'conformance',
  'fuzz',
  'integration',
  'peers',
  'chaos',
  'migration',
  'regress',
];

test('without options everything runs, static checks first', () => {
  assert.deepEqual(partsFor(), [...STATIC, ...TESTS]);
});

test('--only takes names and groups, and keeps the order of the table', () => {
  assert.deepEqual(partsFor('--only', 'property,unit,types'), ['types', 'unit', 'property']);
  assert.deepEqual(partsFor('--only', 'static'), STATIC);
  assert.deepEqual(partsFor('--only', 'tests,lint'), ['lint', ...TESTS]);
});

test('--grep alone runs no static checks', () => {
  assert.deepEqual(partsFor('--grep', 'retry'), TESTS);
  assert.equal(readOptions(['--grep', 'retry'], 2).grep, 'retry');
});

test('an unknown part and an unknown option are refused by name', () => {
  assert.throws(() => readOptions(['--only', 'unti'], 2), /unknown part "unti": use static, tests, types, .*regress/);
  assert.throws(() => readOptions(['--fast'], 2), /--fast/);
  assert.throws(() => readOptions(['--slowest', 'all'], 2), /--slowest needs a number of files/);
});

test('chaos runs alone, integration files three at a time on two cores', () => {
  const parts = new Map(allParts(2).map((part) => [part.name, part]));
  const chaos = parts.get('chaos');
  const integration = parts.get('integration');
  assert.deepEqual(chaos?.kind === 'test' && [chaos.track, chaos.concurrency], ['alone', 1]);
  assert.deepEqual(integration?.kind === 'test' && [integration.track, integration.concurrency], ['busy', 3]);
});
