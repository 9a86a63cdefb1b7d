// What may stand where on the command line, taken from commander's program, for the scripts of shells. Pure.
// Thread: main.

import type { Argument, Command, Option } from 'commander';

/** What may stand in a place: fixed words, a file, the name of an endpoint of the Fairlead that runs, or anything. */
export type CompletedValues =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'endpoint' | 'anything' };

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
  /** Names and meanings of the commands below it. */
  readonly commands: readonly (readonly [name: string, means: string])[];
  readonly options: readonly CompletedOption[];
  readonly values: readonly CompletedValues[];
}

/** Begins the names of commands that are for scripts, not for people. */
const HIDDEN = '__';

/** The commands below a command that people use. */
export function shownCommands(command: Command): readonly Command[] {
  return command.commands.filter((one) => !one.name().startsWith(HIDDEN));
}

/** A command and all below it, those above first. */
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

/** By the choices that there are, or by how the place is called. */
function valuesOf(flags: string, choices: readonly string[] | undefined): CompletedValues {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (flags.includes('<file>')) return { kind: 'file' };
  return flags.includes('<endpoint>') ? { kind: 'endpoint' } : { kind: 'anything' };
}
