// Problems of a configuration as people read them. Thread: main.

import { formatProblem, type Problem } from '../../config/problem.ts';

/** One line for each problem, then how many there are. */
export function printProblems(problems: readonly Problem[]): void {
  for (const problem of problems) console.error(formatProblem(problem));
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  if (problems.length > 0) console.error(`${count(errors, 'error')}, ${count(warnings, 'warning')}`);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
