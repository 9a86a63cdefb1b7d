// README.md: its claims link to tests, and its keys agree with the code. Thread: main.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isKnownKey } from '../../../config/schema/known-keys.ts';
import { codeSpans, localLinks, readPage, ROOT, type Row, tablesOf } from './pages.ts';

const PAGE = readPage('README.md');
const sourceOf = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');

function rowsUnder(column: string): readonly Row[] {
  const table = tablesOf(PAGE).find(({ header }) => header[0] === column);
  assert.ok(table, `a table with the column ${column}`);
  return table.rows;
}

/** Keys that the schema accepted before the code applied them, each with the field of the Snapshot that carries it. */
const FIELD_OF_KEY: Readonly<Record<string, string>> = {
  'upstreams.*.slowStart': 'slowStartMs',
  'upstreams.*.limits.concurrency': 'isAdaptive',
  'upstreams.*.health.passive.outliers': 'outliers',
  'upstreams.*.health.heartbeat.body': 'bodyPattern',
  'upstreams.*.health.heartbeat.headers': 'expectedFields',
  'upstreams.*.health.heartbeat.agent': 'acceptsAgentFeedback',
};

test('keys listed as having no effect are those whose field no code reads', () => {
  const mark = PAGE.prose.findIndex((line) => line.startsWith('<!-- test/unit/docs/readme.test.ts: a key leaves'));
  const after = PAGE.prose.slice(mark + 1);
  const listed = mark < 0 ? [] : codeSpans(after.slice(0, after.indexOf('')).join(' '));
  const unread = Object.entries(FIELD_OF_KEY).filter(([, field]) => !isRead(field));
  const advice = 'README.md and haproxy-compat.md list the keys without effect: update them';
  assert.deepEqual(listed.toSorted(), unread.map(([key]) => key).toSorted(), advice);
  for (const key of listed) assert.ok(isKnownKey(key), key);
});

/** Whether code that applies the configuration mentions a field of the Snapshot. */
function isRead(field: string): boolean {
  return ['balancers', 'health', 'proxy', 'admin'].some((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .some((name) => new RegExp(`\\.${field}\\b|[{,] ${field}\\b`).test(sourceOf(path.join(folder, name)))),
  );
}

test('every measured claim links to a test', () => {
  const rows = rowsUnder('claim');
  assert.ok(rows.length >= 10);
  const lines = new Map(localLinks(PAGE).map(({ line, target }) => [line, target]));
  for (const { line } of rows) assert.match(lines.get(line) ?? '', /^test\/.+\.test\.ts$/, `README.md:${line}`);
});

test('the comparison has a cell for Fairlead and each of its five peers', () => {
  const table = tablesOf(PAGE).find(({ header }) => header[1] === 'Fairlead');
  assert.ok(table !== undefined && table.rows.length > 15);
  const linked = new Set(localLinks(PAGE).map(({ line }) => line));
  for (const { cells, line } of table.rows) {
    const claims = cells[1] !== 'no' && cells[0] !== 'configuration';
    assert.ok(!claims || linked.has(line), `README.md:${line} claims something without a test or a page`);
    assert.ok(cells.length === 7 && cells.every((cell) => cell !== ''), `README.md:${line}`);
  }
});
