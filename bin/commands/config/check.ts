// `fairlead check`: the same code path as start and reload, but nothing starts; with --explain, the meaning of a problem
// code and its remedy. Thread: main.

import { workersOf } from '../../../config/compile/compile.ts';
import { loadConfig } from '../../../config/load.ts';
import { nodeWarnings } from '../../../config/node-advisories.ts';
import { nearestName } from '../../../config/problems/nearest-name.ts';
import { explainProblem, problemCode } from '../../../config/problems/problem-guide.ts';
import { PROBLEM_CODES } from '../../../config/problems/problem.ts';
import { reportOf } from '../../../config/problems/problem-report.ts';
import type { Config } from '../../../config/schema/schema.ts';
import { unservedWords } from '../../../control/supervisor/listener-share.ts';
import { EXIT } from '../exit-codes.ts';
import { exitCodeOf, printProblems } from './problems.ts';

export interface CheckOptions {
  readonly file: string;
  /** Whether warnings fail too. */
  readonly isStrict: boolean;
  /** Whether names are resolved. */
  readonly resolvesNames?: boolean;
  readonly format: 'text' | 'json';
}

/** Prints all problems (text to stderr, JSON to stdout) and sets the exit code. */
export async function check({ file, isStrict, format, resolvesNames = false }: CheckOptions): Promise<void> {
  const loaded = loadConfig(file, process.env);
  const unresolved =
    loaded.ok && resolvesNames ? await (await import('./strict-dns.ts')).unresolvedNames(loaded.config) : [];
  const problems = [...(loaded.ok ? loaded.warnings : loaded.problems), ...unresolved];
  if (format === 'json') console.log(JSON.stringify(reportOf(file, problems), null, 2));
  else printProblems(problems);
  // Not a problem of the file: neither the report nor the exit code has it.
  for (const text of loaded.ok ? nodeWarnings(loaded.config.settings) : []) console.error(`fairlead: ${text}`);
  for (const text of loaded.ok && format === 'text' ? unservedListeners(loaded.config.settings) : []) {
    console.error(`fairlead: ${text}`);
  }
  if (!loaded.ok) process.exitCode = exitCodeOf(loaded);
  else if (unresolved.length > 0) process.exitCode = EXIT.invalid;
  else if (isStrict && problems.length > 0) process.exitCode = EXIT.warnings;
  else if (format === 'text') console.log(`${file}: ok`);
}

/** Listeners that only some workers would serve, where nothing passes their sockets. */
function unservedListeners(settings: Config): string[] {
  const workers = workersOf(settings);
  return settings.listeners.flatMap((listener) => unservedWords(listener, workers, null) ?? []);
}

/** Explains a code such as FL2001. */
export function explainCode(text: string): void {
  const code = problemCode(text);
  if (code !== null) {
    console.log(explainProblem(code));
    return;
  }
  const near = nearestName(text, Object.keys(PROBLEM_CODES));
  const hint =
    near === undefined ? 'codes look like FL2001, and docs/config-errors.md lists them' : `did you mean ${near}?`;
  console.error(`fairlead: there is no code ${JSON.stringify(text)}; ${hint}`);
  process.exitCode = EXIT.usage;
}
