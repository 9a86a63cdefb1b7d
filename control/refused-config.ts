// A configuration that is refused at a reload, as the log and the admin API tell it. Thread: main.

import type { ReloadOutcome } from '../admin/admin-context.ts';
import { problemJson } from '../config/problems/problem-report.ts';
import { formatProblem, type Problem } from '../config/problems/problem.ts';

/** Problems in one line of the log; `fairlead check` tells all. */
const MOST_LOGGED = 20;

/** Fields of the line of the log. */
export function refusedFields(problems: readonly Problem[]): { problems: string[]; problemCount: number } {
  return { problems: problems.slice(0, MOST_LOGGED).map(formatProblem), problemCount: problems.length };
}

/** What the admin API answers with. */
export function refusedOutcome(message: string, problems: readonly Problem[]): ReloadOutcome {
  return { ok: false, problems: [message, ...problems.map(formatProblem)], findings: problems.map(problemJson) };
}
