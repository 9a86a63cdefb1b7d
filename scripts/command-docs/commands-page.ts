// Renders docs/commands.md: every command with its arguments and options. Thread: main.

import type { Command } from 'commander';
import { commandFacts, type CommandFacts, type ParameterFacts, sharedOptions } from './command-facts.ts';

const INTRODUCTION = `# Commands

Generated from the command line's definition by \`node scripts/generate-command-pages.ts\`; do not edit. \`fairlead --help\`,
\`fairlead COMMAND --help\` and the man page have the same text.
[Getting started](getting-started.md#install) puts \`fairlead\` on the path.
`;

/** Renders the page. */
export function renderCommandsPage(program: Command): string {
  const facts = commandFacts(program);
  return [
    INTRODUCTION,
    ...tableOf(
      'command',
      facts.map(({ name, means }) => ({ flags: name, means })),
    ),
    '',
    ...facts.flatMap(sectionOf),
    '## Options of a running Fairlead',
    '',
    'Commands that show or change a running Fairlead call its admin API.',
    '',
    ...tableOf('option', sharedOptions(program)),
    '',
  ].join('\n');
}

function sectionOf({ name, means, usage, parameters }: CommandFacts): string[] {
  const rows = parameters.map((one) =>
    one.flags === '--admin ...'
      ? { ...one, means: `the [options of a running Fairlead](#options-of-a-running-fairlead)` }
      : one,
  );
  const table = rows.length === 0 ? [] : [...tableOf('argument or option', rows), ''];
  return [`## fairlead ${name}`, '', sentence(means), '', '```text', usage, '```', '', ...table];
}

function tableOf(title: string, rows: readonly ParameterFacts[]): string[] {
  return [
    `| ${title} | meaning |`,
    '|---|---|',
    ...rows.map(({ flags, means }) => `| \`${flags}\` | ${cell(means)} |`),
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll(/<(\w+)>/g, '`<$1>`');
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
