// README.md: what it says of commands, signals, exit codes and proofs is so. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { EXIT } from '../../../bin/commands/exit-codes.ts';
import { codeSpans, localLinks, readPage, ROOT, type Row, tablesOf } from './pages.ts';

const PAGE = readPage('README.md');
const sourceOf = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');

function rowsUnder(column: string): readonly Row[] {
  const table = tablesOf(PAGE).find(({ header }) => header[0] === column);
  assert.ok(table, `a table with the column ${column}`);
  return table.rows;
}

test('all commands stand in the table, in the order of the command line', () => {
  const commands = [...sourceOf('bin/commands/cli.ts').matchAll(/\.command\('([\w-]+)'\)/g)].map((match) => match[1]);
  assert.deepEqual(
    rowsUnder('command').map(({ cells }) => codeSpans(cells[0]!)[0]),
    commands,
  );
});

test('signals are those that have a handler', () => {
  const handled = [...sourceOf('bin/commands/run.ts').matchAll(/process\.on\('SIG([A-Z0-9]+)'/g)].map((one) => one[1]!);
  const listed = rowsUnder('signal').flatMap(({ cells }) => cells[0]!.split(', '));
  assert.deepEqual(listed.toSorted(), handled.toSorted());
});

test('exit codes are all that there are', () => {
  assert.deepEqual(
    rowsUnder('exit code').map(({ cells }) => Number(cells[0])),
    Object.values(EXIT),
  );
});

test('every claim that something is measured links a test', () => {
  const rows = rowsUnder('what holds');
  assert.ok(rows.length >= 10);
  const lines = new Map(localLinks(PAGE).map(({ line, target }) => [line, target]));
  for (const { line } of rows) assert.match(lines.get(line) ?? '', /^test\/.+\.test\.ts$/, `README.md:${line}`);
});

test('the comparison has a cell for each of the four', () => {
  const table = tablesOf(PAGE).find(({ header }) => header[1] === 'Fairlead');
  assert.ok(table !== undefined && table.rows.length > 15);
  for (const { cells, line } of table.rows) {
    assert.ok(cells.length === 5 && cells.every((cell) => cell !== ''), `README.md:${line}`);
  }
});
