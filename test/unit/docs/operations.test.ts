// docs/operations.md: its tables say what the code says, and the metrics that it names exist. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN_ROUTES } from '../../../admin/api/admin-routes.ts';
import { EXIT } from '../../../bin/commands/exit-codes.ts';
import { isKnownKey, knownKeys } from '../../../config/schema/known-keys.ts';
import { AVAILABILITY } from '../../../core/availability.ts';
import type { RetryVerdict } from '../../../core/exchange-record.ts';
import { TERMINATIONS } from '../../../core/termination.ts';
import { REPLY_CAUSES } from '../../../proxy/exchange/local-reply.ts';
import { codeSpans, readPage, tablesOf } from './pages.ts';

const PAGE = readPage('docs/operations.md');

/** Rows of the table with these first columns, code marks taken off, only these columns. */
function rowsUnder(...header: string[]): string[][] {
  const table = tablesOf(PAGE).find((one) => header.every((name, index) => one.header[index] === name));
  assert.ok(table, `a table with the columns ${header.join(', ')}`);
  return table.rows.map(({ cells }) => cells.slice(0, header.length).map((cell) => cell.replaceAll('`', '')));
}

test('termination codes are those of core/termination.ts, in its order', () => {
  const listed = Object.entries(TERMINATIONS).map(([name, { letters, means }]) => [letters, name, means]);
  assert.deepEqual(rowsUnder('letters', 'name', 'means'), listed);
});

test('answers of our own are those of proxy/exchange/local-reply.ts, each with its status and letters', () => {
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

test('verdicts on retries are all that there are', () => {
  // The compiler holds this list complete.
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

test('metrics that it names stand in docs/metrics.md, which another test compares with the registry', () => {
  const known = new Set(
    tablesOf(readPage('docs/metrics.md')).flatMap(({ rows }) => codeSpans(rows.map(({ cells }) => cells[0]).join(' '))),
  );
  const named = PAGE.prose.flatMap(codeSpans).filter((span) => span.startsWith('fairlead_'));
  assert.ok(named.length > 20);
  for (const metric of named) assert.ok(known.has(metric), metric);
});

test('what looks like a key of the configuration is one', () => {
  const roots = new Set(knownKeys().map(({ path: key }) => key.split(/[.[]/)[0]!));
  for (const [index, line] of PAGE.prose.entries()) {
    for (const span of codeSpans(line)) {
      if (!/^[\w.*[\]]+$/.test(span) || !/[.[]/.test(span) || !roots.has(span.split(/[.[]/)[0]!)) continue;
      assert.ok(isKnownKey(span), `line ${index + 1}: ${span}`);
    }
  }
});
