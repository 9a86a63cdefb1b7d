// Guidance for every problem code, for `fairlead check --explain` and docs/config-errors.md. Thread: main.

import { FILE_GUIDE } from './guide-file.ts';
import { VALUE_GUIDE } from './guide-values.ts';
import { WARNING_GUIDE } from './guide-warnings.ts';
import { PROBLEM_CODES, type Guidance, type ProblemCode } from './problem.ts';

/** Complete by type: a code without guidance does not compile. */
export const PROBLEM_GUIDE: Readonly<Record<ProblemCode, Guidance>> = {
  ...FILE_GUIDE,
  ...VALUE_GUIDE,
  ...WARNING_GUIDE,
};

/** Parses a code in any letter case; null if there is no such code. */
export function problemCode(text: string): ProblemCode | null {
  const code = text.toUpperCase();
  return Object.hasOwn(PROBLEM_CODES, code) ? (code as ProblemCode) : null;
}

/** Formats guidance for the terminal. */
export function explainProblem(code: ProblemCode): string {
  const { meaning, fix, wrong, right, shell } = PROBLEM_GUIDE[code];
  const kind = code.startsWith('FL9') ? 'warning' : 'error';
  const parts = [`${code} (${kind}): ${PROBLEM_CODES[code]}`, meaning, fix];
  if (wrong !== undefined) parts.push(`Instead of\n\n${indent(wrong)}`);
  if (right !== undefined) parts.push(`write, for example,\n\n${indent(right)}`);
  if (shell !== undefined) parts.push(indent(shell));
  return parts.join('\n\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ');
}
