// `fairlead --help`: every command stands under a heading that says what it is for. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownCommands } from '../../../../bin/commands/completion/completion-table.ts';
import { buildProgram } from '../../../../bin/commands/program.ts';

const PROGRAM = buildProgram('1.2.3');

test('every command is in a group', () => {
  for (const command of shownCommands(PROGRAM)) assert.notEqual(command.helpGroup(), '', command.name());
});

test('no help shows an empty list as a default', () => {
  for (const command of PROGRAM.commands) assert.doesNotMatch(command.helpInformation(), /\[\]/, command.name());
});
