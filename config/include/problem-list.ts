// Problems of the files of one configuration, each with the text that its excerpt comes from. Thread: main.

import { byPlace, type Finding, problemAt, type Problem, type Span } from '../problems/problem.ts';
import type { SourceText } from '../yaml/source-text.ts';

/** Limit of reported problems. */
const MOST_PROBLEMS = 1000;

interface Listed {
  readonly problem: Problem;
  readonly source: SourceText;
  readonly hasExcerpt: boolean;
}

export class ProblemList {
  readonly #listed: Listed[] = [];
  /** A wrong value of a group is found again in each of its routes: each problem is listed once. */
  readonly #seen = new Set<string>();
  #errorCount = 0;

  get hasErrors(): boolean {
    return this.#errorCount > 0;
  }

  get problems(): readonly Problem[] {
    return this.#listed.map(({ problem }) => problem);
  }

  add(source: SourceText, span: Span, finding: Finding, hasExcerpt = true): Problem {
    const problem = problemAt(source.file, span, finding);
    const { code, file, message } = problem;
    const key = `${code}\n${file}\n${span.line}\n${span.column}\n${span.length}\n${message}`;
    if (this.#seen.has(key)) return problem;
    this.#seen.add(key);
    if (isError(problem)) this.#errorCount += 1;
    this.#listed.push({ problem, source, hasExcerpt });
    return problem;
  }

  /**
   * The problems in the order of the files, then of their lines, with excerpts; if there are too many, warnings are dropped
   * first.
   */
  inOrder(files: readonly string[]): Problem[] {
    const isTooMany = this.#listed.length > MOST_PROBLEMS;
    const errorsFirst = isTooMany
      ? this.#listed.toSorted((a, b) => Number(isError(b.problem)) - Number(isError(a.problem)))
      : this.#listed;
    const position = new Map(files.map((file, index) => [file, index]));
    const at = ({ file }: Problem): number => position.get(file) ?? 0;
    return errorsFirst
      .slice(0, MOST_PROBLEMS)
      .toSorted((a, b) => at(a.problem) - at(b.problem) || byPlace(a.problem, b.problem))
      .map(({ problem, source, hasExcerpt }) =>
        hasExcerpt ? { ...problem, excerpt: source.excerptAt(problem.span) } : problem,
      );
  }
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}
