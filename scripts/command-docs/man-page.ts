// Renders man/fairlead.1 (man(7)) from the command line's definition. Thread: main.

import type { Command } from 'commander';
import { EXIT } from '../../bin/commands/exit-codes.ts';
import { TAKEN_SIGNALS } from '../../control/holder/holder-messages.ts';
import { commandFacts, type CommandFacts, type ParameterFacts, sharedOptions } from './command-facts.ts';

const EXIT_WORDS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'Normal end.',
  invalid: 'Invalid configuration; of healthcheck: not healthy.',
  usage: 'Wrong usage, an unreadable file, or a version of Node.js that is too old.',
  warnings: 'Warnings, with --strict.',
  failed: 'A failure at run time, such as a port in use.',
};

const SIGNAL_WORDS: Readonly<Record<(typeof TAKEN_SIGNALS)[number], string>> = {
  SIGHUP: 'Reload the configuration; drain where the terminal was closed.',
  SIGUSR1: 'Reopen the log files.',
  SIGUSR2: 'Start a process that takes over (run --holder).',
  SIGTERM: 'Drain and end; a second signal ends at once.',
  SIGINT: 'As SIGTERM.',
  SIGQUIT: 'As SIGTERM.',
};

/** @param version shown in the footer */
export function renderManPage(program: Command, version: string): string {
  return [
    `.TH FAIRLEAD 1 "" "fairlead ${escape(version)}" "User Commands"`,
    '.SH NAME',
    'fairlead \\- Layer\\-7 reverse proxy and load balancer',
    '.SH SYNOPSIS',
    '.B fairlead',
    '.I command',
    '[options]',
    '.SH COMMANDS',
    ...commandFacts(program).flatMap(commandLines),
    '.SH OPTIONS OF A RUNNING FAIRLEAD',
    'Commands that show or change a running Fairlead call its admin API.',
    ...sharedOptions(program).flatMap(parameterLines),
    '.SH SIGNALS',
    ...TAKEN_SIGNALS.flatMap((signal) => ['.TP', `.B ${signal}`, escape(SIGNAL_WORDS[signal])]),
    '.SH EXIT STATUS',
    ...Object.entries(EXIT).flatMap(([name, code]) => [
      '.TP',
      `.B ${code}`,
      escape(EXIT_WORDS[name as keyof typeof EXIT]),
    ]),
    '.SH ENVIRONMENT',
    '.TP',
    '.B NO_COLOR, FORCE_COLOR',
    'Colours of messages, logs and tables: none, or always.',
    '.SH SEE ALSO',
    'The pages in docs/ of the package, above all docs/README.md and docs/config\\-reference.md.',
    '',
  ].join('\n');
}

function commandLines({ usage, means, parameters }: CommandFacts): string[] {
  return [
    '.SS',
    escape(usage),
    escape(`${means.slice(0, 1).toUpperCase()}${means.slice(1)}.`),
    ...parameters.flatMap(parameterLines),
  ];
}

function parameterLines({ flags, means }: ParameterFacts): string[] {
  return ['.TP', `.B ${escape(flags)}`, escape(means)];
}

/** Hyphens and backslashes as themselves; a line must not begin like a request (groff_man_style(7)). */
function escape(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
