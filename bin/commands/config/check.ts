// `fairlead check`: the same code path as start and reload, but nothing starts. Thread: main.

import { loadConfig } from '../../../config/load.ts';
import { reportOf } from '../../../config/problems/problem-report.ts';
import { EXIT } from '../exit-codes.ts';
import { exitCodeOf, printProblems } from './problems.ts';

export interface CheckOptions {
  readonly file: string;
  /** Whether warnings fail too. */
  readonly isStrict: boolean;
  readonly format: 'text' | 'json';
}

/** Prints all problems (text to stderr, JSON to stdout) and sets the exit code. */
export function check({ file, isStrict, format }: CheckOptions): void {
  const loaded = loadConfig(file, process.env);
  const problems = loaded.ok ? loaded.warnings : loaded.problems;
  if (format === 'json') console.log(JSON.stringify(reportOf(file, problems), null, 2));
  else printProblems(problems);
  if (!loaded.ok) process.exitCode = exitCodeOf(loaded);
  else if (isStrict && problems.length > 0) process.exitCode = EXIT.warnings;
  else if (format === 'text') console.log(`${file}: ok`);
}
