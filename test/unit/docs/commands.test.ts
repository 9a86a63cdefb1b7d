// docs/commands.md and the man page: generated from the present command line, complete, and valid for man(7). Thread: main.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { shownCommands } from '../../../bin/commands/completion/completion-table.ts';
import { EXIT } from '../../../bin/commands/exit-codes.ts';
import { buildProgram } from '../../../bin/commands/program.ts';
import { TAKEN_SIGNALS } from '../../../control/holder/holder-messages.ts';
import { renderCommandsPage } from '../../../scripts/command-docs/commands-page.ts';
import { renderManPage } from '../../../scripts/command-docs/man-page.ts';
import { readPage, ROOT, tablesOf } from './pages.ts';

const PROGRAM = buildProgram('1.2.3');

test('docs/commands.md is generated from the present command line', () => {
  const page = readFileSync(path.join(ROOT, 'docs/commands.md'), 'utf8');
  assert.ok(page === renderCommandsPage(PROGRAM), 'stale: run node scripts/generate-command-pages.ts');
});

describe('the man page', () => {
  const page = renderManPage(PROGRAM, '1.2.3');

  test('has every command, every option, every signal and every exit code', () => {
    const plain = page.replaceAll(String.raw`\-`, '-');
    for (const command of shownCommands(PROGRAM)) {
      const all = [command, ...shownCommands(command)];
      assert.ok(plain.includes(`fairlead ${command.name()}`), command.name());
      for (const { long } of all.flatMap(({ options }) => options)) assert.ok(plain.includes(long!), long!);
    }
    for (const signal of TAKEN_SIGNALS) assert.ok(plain.includes(`.B ${signal}\n`), signal);
    for (const code of Object.values(EXIT)) assert.ok(plain.includes(`.B ${code}\n`), String(code));
  });

  test('is accepted by groff without a warning', (t) => {
    const checked = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z'], { input: page, encoding: 'utf8' });
    if (checked.error !== undefined) return t.skip('groff is not installed');
    assert.deepEqual([checked.status, checked.stderr], [0, '']);
    return undefined;
  });
});

test('the tables of signals and exit codes in docs/operations.md are complete', () => {
  const tables = tablesOf(readPage('docs/operations.md'));
  const rowsUnder = (column: string) => tables.find(({ header }) => header[0] === column)!.rows;
  const signals = rowsUnder('signal').flatMap(({ cells }) => cells[0]!.split(', '));
  assert.deepEqual(signals.toSorted(), TAKEN_SIGNALS.map((signal) => signal.slice('SIG'.length)).toSorted());
  assert.deepEqual(
    rowsUnder('exit code').map(({ cells }) => Number(cells[0])),
    Object.values(EXIT),
  );
});
