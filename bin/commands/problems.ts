// Problems of a configuration on the terminal: with colour where somebody looks, and without for files, pipes and
// NO_COLOR. Thread: main.

import { styleText } from 'node:util';
import { renderProblem, tallyOf, type Paint } from '../../config/problem-text.ts';
import type { Problem } from '../../config/problem.ts';

/** Each problem with its source line, then how many there are. */
export function printProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const paint = paintFor(process.stderr);
  for (const problem of problems) console.error(renderProblem(problem, paint));
  console.error(tallyOf(problems));
}

type Style = Parameters<typeof styleText>[0];

/** `styleText` knows NO_COLOR, FORCE_COLOR and whether a terminal is there. */
function paintFor(stream: NodeJS.WriteStream): Paint {
  const style = (format: Style) => (text: string) => styleText(format, text, { stream });
  return {
    error: style(['bold', 'red']),
    warning: style(['bold', 'yellow']),
    strong: style('bold'),
    faint: style('dim'),
  };
}
