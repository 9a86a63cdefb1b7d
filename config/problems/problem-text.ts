// Problems as text: the message, then the source line with carets under the marked text. Thread: main.

import { counted } from '../../core/counted.ts';
import { caretLine } from './excerpt.ts';
import { formatProblem, type Problem } from './problem.ts';

/** Colours the parts of a rendered problem. */
export interface Paint {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

const same = (text: string): string => text;
/** No colour: for files, pipes and NO_COLOR. */
export const PLAIN: Paint = { error: same, warning: same, strong: same, faint: same };

/**
 * ```text
 * fairlead.yaml:8:15: unknown key "conect"; did you mean "connect"? ... [FL2001]
 *     8 |   timeouts: { conect: 3s }
 *       |               ^^^^^^ write connect
 * ```
 * The first line is self-contained: logs, editors and `grep` use it alone.
 */
export function renderProblem(problem: Problem, paint: Paint = PLAIN): string {
  const color = problem.severity === 'error' ? paint.error : paint.warning;
  const headline = formatProblem(problem);
  const place = `${problem.file}:${problem.span.line}:${problem.span.column}:`;
  const first = paint.strong(place) + headline.slice(place.length);
  const { excerpt, suggestion } = problem;
  if (excerpt === null) return first;
  const number = String(problem.span.line).padStart(5);
  const advice = suggestion === null ? '' : ` write ${suggestion}`;
  const source = `${paint.faint(`${number} |`)} ${excerpt.text}`;
  return `${first}\n${source}\n${paint.faint(`${' '.repeat(number.length)} |`)} ${indented(caretLine(excerpt) + advice, color)}`;
}

/** Colours the text after the indentation. */
function indented(text: string, color: (text: string) => string): string {
  const mark = text.indexOf('^');
  return text.slice(0, mark) + color(text.slice(mark));
}

/** `2 errors, 1 warning`. */
export function tallyOf(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return `${counted(errors, 'error')}, ${counted(problems.length - errors, 'warning')}`;
}
