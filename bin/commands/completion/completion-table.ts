// Grammar of the command line, read from commander's program, for the shells' completion scripts. Pure. Thread: main.

import type { Argument, Command, Option } from 'commander';

/** Values of an argument: fixed words, a file, the name of an endpoint or upstream of the running Fairlead, or anything. */
export type CompletedValues =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'endpoint' | 'upstream' | 'anything' };

export interface CompletedOption {
  /** `-c` and `--config`. */
  readonly names: readonly string[];
  readonly means: string;
  /** Null for an option that takes no value. */
  readonly values: CompletedValues | null;
}

export interface CompletedCommand {
  /** '' for `fairlead` itself, else its words: `check`, `config print`. */
  readonly path: string;
  readonly means: string;
  /** Names and descriptions of its subcommands. */
  readonly commands: readonly (readonly [name: string, means: string])[];
  readonly options: readonly CompletedOption[];
  readonly values: readonly CompletedValues[];
}

/** Prefix of hidden commands, which only scripts use. */
const HIDDEN = '__';

/** The visible subcommands of a command. */
export function shownCommands(command: Command): readonly Command[] {
  return command.commands.filter((one) => !one.name().startsWith(HIDDEN));
}

/** A command and all its subcommands, parents first. */
export function completionTable(command: Command, path = ''): readonly CompletedCommand[] {
  const below = shownCommands(command);
  const help = { names: ['-h', '--help'], means: 'display help for command', values: null };
  const own: CompletedCommand = {
    path,
    means: command.description(),
    commands: below.map((one) => [one.name(), one.description()]),
    options: [...command.options.map(completedOption), help],
    values: command.registeredArguments.map(argumentValues),
  };
  return [own, ...below.flatMap((one) => completionTable(one, `${path} ${one.name()}`.trim()))];
}

function completedOption({ short, long, description, required, optional, argChoices, flags }: Option): CompletedOption {
  const names = [short, long].filter((name) => name !== undefined);
  return { names, means: description, values: required || optional ? valuesOf(flags, argChoices) : null };
}

function argumentValues(argument: Argument): CompletedValues {
  return valuesOf(`<${argument.name()}>`, argument.argChoices);
}

/** Derived from the choices, or from the name of the argument. */
function valuesOf(flags: string, choices: readonly string[] | undefined): CompletedValues {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (flags.includes('<file>')) return { kind: 'file' };
  if (flags.includes('<upstream>')) return { kind: 'upstream' };
  return flags.includes('<endpoint>') ? { kind: 'endpoint' } : { kind: 'anything' };
}
