// Prints configuration problems: with colour on a terminal, without for files, pipes and NO_COLOR. Thread: main.

import { styleText } from 'node:util';
import { type LoadedConfig, loadConfig, type LoadResult } from '../../../config/load.ts';
import { renderProblem, tallyOf, type Paint } from '../../../config/problems/problem-text.ts';
import type { Problem } from '../../../config/problems/problem.ts';
import { EXIT } from '../exit-codes.ts';

/** Each problem with its source line, then their number. */
export function printProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const paint = paintFor(process.stderr);
  for (const problem of problems) console.error(renderProblem(problem, paint));
  console.error(tallyOf(problems));
}

/** Loads a file for a command that starts nothing. Returns null after printing problems and setting the exit code. */
export function loadOrTell(file: string): LoadedConfig | null {
  const loaded = loadConfig(file, process.env);
  if (loaded.ok) return loaded.config;
  printProblems(loaded.problems);
  process.exitCode = exitCodeOf(loaded);
  return null;
}

/** Exit code for an invalid file. */
export function exitCodeOf({ isReadable }: Pick<Extract<LoadResult, { ok: false }>, 'isReadable'>): number {
  return isReadable ? EXIT.invalid : EXIT.usage;
}

type Style = Parameters<typeof styleText>[0];

/** `styleText` respects NO_COLOR, FORCE_COLOR and the kind of stream. */
function paintFor(stream: NodeJS.WriteStream): Paint {
  const style = (format: Style) => (text: string) => styleText(format, text, { stream });
  return {
    error: style(['bold', 'red']),
    warning: style(['bold', 'yellow']),
    strong: style('bold'),
    faint: style('dim'),
  };
}
