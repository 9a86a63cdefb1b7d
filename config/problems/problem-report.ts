// Problem reports as JSON for editors, CI and the admin API. Thread: main.
// The format is documented in docs/config-errors.md; fields are only ever added.

import type { Problem } from './problem.ts';
import { renderProblem } from './problem-text.ts';

/** One problem. Lines and columns are 1-based; columns count UTF-16 units. */
export interface ProblemJson {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** End of the marked text on the same line, exclusive. */
  readonly endColumn: number;
  /** `upstreams.api.endpoints[1].weight`; '' for the file as a whole. */
  readonly path: string;
  /** Replacement for the marked text; null if unknown. */
  readonly suggestion: string | null;
  /** The source line, truncated and with secrets masked; null for the file as a whole. */
  readonly excerpt: string | null;
  /** Output of `fairlead check` without colour: message, source line and caret line. */
  readonly rendered: string;
}

/** Output of `fairlead check --format json`. */
export interface CheckReport {
  readonly file: string;
  /** Whether Fairlead would start with this file: false if there is an error. */
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
