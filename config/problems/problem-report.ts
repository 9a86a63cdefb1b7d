// What a check found, as JSON for editors, build servers and the admin API. Thread: main.
// The shape is described in docs/config-errors.md; fields are added to it, never changed.

import type { Problem } from './problem.ts';
import { renderProblem } from './problem-text.ts';

/** One problem. Lines and columns count from 1, columns in UTF-16 units. */
export interface ProblemJson {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** On the same line, one beyond what is marked. */
  readonly endColumn: number;
  /** `upstreams.api.endpoints[1].weight`; '' is the file as a whole. */
  readonly path: string;
  /** What to write instead of what is marked; null where nobody can know. */
  readonly suggestion: string | null;
  /** The source line, cut where it is long and without secrets; null where the file as a whole is meant. */
  readonly excerpt: string | null;
  /** As `fairlead check` shows it, without colour: the sentence, the line and the mark under it. */
  readonly rendered: string;
}

/** The whole answer of `fairlead check --format json`. */
export interface CheckReport {
  readonly file: string;
  /** Whether Fairlead would start with this file: false where there is an error. */
  readonly ok: boolean;
  readonly errors: number;
  readonly warnings: number;
  readonly problems: readonly ProblemJson[];
}

export function problemJson(problem: Problem): ProblemJson {
  const { code, severity, message, file, span, path, suggestion, excerpt } = problem;
  const place = { line: span.line, column: span.column, endColumn: span.column + span.length };
  const rendered = renderProblem(problem);
  return { code, severity, message, file, ...place, path, suggestion, excerpt: excerpt?.text ?? null, rendered };
}

export function reportOf(file: string, problems: readonly Problem[]): CheckReport {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  return { file, ok: errors === 0, errors, warnings, problems: problems.map(problemJson) };
}
