// docs/operations.md: its tables agree with the code; the metrics, keys and log texts in it exist. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ADMIN_ROUTES } from '../../../admin/api/admin-routes.ts';
import { EXIT } from '../../../bin/commands/exit-codes.ts';
import { isKnownKey, knownKeys } from '../../../config/schema/known-keys.ts';
import { AVAILABILITY } from '../../../core/availability.ts';
import type { RetryVerdict } from '../../../core/exchange-record.ts';
import { TERMINATIONS } from '../../../core/termination.ts';
import { REPLY_CAUSES } from '../../../proxy/exchange/local-reply.ts';
import { listSourcePaths } from '../../../scripts/checks/source-files.ts';
import { codeSpans, readPage, ROOT, tablesOf } from './pages.ts';

const PAGE = readPage('docs/operations.md');

/** The rows of the table with these first columns, reduced to these columns, without backticks. */
function rowsUnder(...header: string[]): string[][] {
  const table = tablesOf(PAGE).find((one) => header.every((name, index) => one.header[index] === name));
  assert.ok(table, `a table with the columns ${header.join(', ')}`);
  return table.rows.map(({ cells }) => cells.slice(0, header.length).map((cell) => cell.replaceAll('`', '')));
}

test('termination codes are those of core/termination.ts, in its order', () => {
  const listed = Object.entries(TERMINATIONS).map(([name, { letters, means }]) => [letters, name, means]);
  assert.deepEqual(rowsUnder('letters', 'name', 'means'), listed);
});

test('local replies are those of proxy/exchange/local-reply.ts, each with its status and letters', () => {
  const listed = Object.values(REPLY_CAUSES).map(({ status, code, termination }) => {
    return [String(status), code, TERMINATIONS[termination].letters];
  });
  const inOrder = (rows: string[][]): string[] => rows.map((row) => row.join(' ')).toSorted();
  assert.deepEqual(inOrder(rowsUnder('status', 'code', 'letters')), inOrder(listed));
});

test('availabilities and their numbers are those of core/availability.ts', () => {
  const listed = Object.entries(AVAILABILITY).map(([name, number]) => [name, String(number)]);
  assert.deepEqual(rowsUnder('availability', 'number'), listed);
});

test('the table of retry verdicts is complete', () => {
  // The type makes this list complete.
  const verdicts: Record<RetryVerdict, true> = {
    none: true,
    'never-sent': true,
    'unanswered-safe': true,
    status: true,
    'refused-not-retryable': true,
    'refused-attempts': true,
    'refused-budget': true,
    'refused-body': true,
    'refused-no-other-endpoint': true,
    'refused-no-time': true,
    'refused-response-begun': true,
  };
  assert.deepEqual(rowsUnder('retry').flat(), Object.keys(verdicts));
});

test('exit codes are those of bin/commands/exit-codes.ts', () => {
  const listed = Object.entries(EXIT).map(([name, code]) => [String(code), name]);
  assert.deepEqual(rowsUnder('exit code', 'name'), listed);
});

test('the admin API is that of admin/api/admin-routes.ts', () => {
  const listed = ADMIN_ROUTES.map(({ method, path: where, means }) => [`${method} ${where}`, means]);
  assert.deepEqual(rowsUnder('request', 'what it does'), listed);
});

test('metrics are those of docs/metrics.md, which another test compares with the registry', () => {
  const known = new Set(
    tablesOf(readPage('docs/metrics.md')).flatMap(({ rows }) => codeSpans(rows.map(({ cells }) => cells[0]).join(' '))),
  );
  const named = PAGE.prose.flatMap(codeSpans).filter((span) => span.startsWith('fairlead_'));
  assert.ok(named.length > 20);
  for (const metric of named) assert.ok(known.has(metric), metric);
});

test('every code span that looks like a configuration key is one', () => {
  const roots = new Set(knownKeys().map(({ path: key }) => key.split(/[.[]/)[0]!));
  for (const [index, line] of PAGE.prose.entries()) {
    for (const span of codeSpans(line)) {
      if (!/^[\w.*[\]]+$/.test(span) || !/[.[]/.test(span) || !roots.has(span.split(/[.[]/)[0]!)) continue;
      assert.ok(isKnownKey(span), `line ${index + 1}: ${span}`);
    }
  }
});

/** Log texts that operators search for. */
const LOG_TEXTS = [
  'the configuration is refused',
  "the configuration can't be applied",
  'is losing lines',
  'confirms what live traffic saw',
  "but live traffic succeeds: it doesn't count",
  "our own trouble, it doesn't count",
  'is not ejected',
  'out of file descriptors',
  'idle ones are closed for new ones',
];

test('log texts in it are in the code', () => {
  const page = readFileSync(path.join(ROOT, 'docs/operations.md'), 'utf8');
  const code = listSourcePaths(ROOT)
    .filter((name) => !name.startsWith('test/'))
    .map((name) => readFileSync(path.join(ROOT, name), 'utf8'));
  for (const text of LOG_TEXTS) {
    assert.ok(page.includes(text), `docs/operations.md has no "${text}"`);
    assert.ok(
      code.some((source) => source.includes(text)),
      `no source has "${text}"`,
    );
  }
});
