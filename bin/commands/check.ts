// `fairlead check`: the same code path as start and reload, but nothing starts. Thread: main.

import { loadConfig } from '../../config/load.ts';
import { EXIT } from './exit-codes.ts';
import { printProblems } from './problems.ts';

export function check(options: { file: string; isStrict: boolean }): void {
  const loaded = loadConfig(options.file, process.env);
  const problems = loaded.ok ? loaded.warnings : loaded.problems;
  printProblems(problems);
  if (!loaded.ok) process.exitCode = loaded.isReadable ? EXIT.invalid : EXIT.usage;
  else if (options.isStrict && problems.length > 0) process.exitCode = EXIT.warnings;
  else console.log(`${options.file}: ok`);
}
