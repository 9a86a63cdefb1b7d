// Commands with their arguments and options, read from the command line's own definition. Thread: main.

import type { Argument, Command, Option } from 'commander';
import { shownCommands } from '../../bin/commands/completion/completion-table.ts';

export interface CommandFacts {
  /** `config print`. */
  readonly name: string;
  readonly means: string;
  /** `fairlead drain [options] <endpoint>`. */
  readonly usage: string;
  readonly parameters: readonly ParameterFacts[];
}

export interface ParameterFacts {
  /** `<endpoint>`, or `-c, --config <file>`. */
  readonly flags: string;
  /** With its choices, default and environment variable. */
  readonly means: string;
}

/** Options of the admin API, which many commands share: listed once. */
const SHARED = ['--admin', '--token', '--ca', '--cert', '--key'];

/** All commands in the order of `--help`, subcommands in place of their group. */
export function commandFacts(program: Command): readonly CommandFacts[] {
  return shownCommands(program).flatMap((command) => {
    const below = shownCommands(command);
    return below.length === 0
      ? [factsOf(command, command.name())]
      : below.map((one) => factsOf(one, `${command.name()} ${one.name()}`));
  });
}

/** The options that commands for a running Fairlead share. */
export function sharedOptions(program: Command): readonly ParameterFacts[] {
  const status = program.commands.find((command) => command.name() === 'status');
  return (status?.options ?? []).filter(isShared).map(optionFacts);
}

function factsOf(command: Command, name: string): CommandFacts {
  const takesShared = command.options.some((option) => option.long === '--token');
  const own = command.options.filter((option) => !takesShared || !isShared(option));
  const parameters = [...command.registeredArguments.map(argumentFacts), ...own.map(optionFacts)];
  const shared = takesShared ? [{ flags: '--admin ...', means: 'the options of a running Fairlead' }] : [];
  const words = command.registeredArguments.map(argumentName);
  const options = command.options.length > 0 ? ['[options]'] : [];
  const usage = ['fairlead', name, ...options, ...words].join(' ');
  return { name, means: command.description(), usage, parameters: [...parameters, ...shared] };
}

function isShared({ long }: Option): boolean {
  return SHARED.includes(long ?? '');
}

function argumentName(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

function argumentFacts(argument: Argument): ParameterFacts {
  return { flags: argumentName(argument), means: `${argument.description}${defaultWords(argument.defaultValue)}` };
}

function optionFacts({ flags, description, defaultValue, envVar }: Option): ParameterFacts {
  const variable = envVar === undefined ? '' : ` (environment: ${envVar})`;
  return { flags, means: `${description}${defaultWords(defaultValue)}${variable}` };
}

function defaultWords(value: unknown): string {
  return typeof value === 'string' ? ` (default: ${value})` : '';
}
