// The whole report and its place in a document. No I/O. Thread: main.

import { aimsFor, type Judgement, judge } from './aims.ts';
import type { BenchCase } from './cases.ts';
import type { Results } from './summary.ts';
import { aimsTable, caseTable, type Column, overview } from './tables.ts';

const beginOf = (script: string): string => `<!-- results: written by npm run ${script}, from here -->`;
const END = '<!-- results: to here -->';

export interface ReportParts {
  readonly results: Results;
  readonly cases: readonly BenchCase[];
  readonly proxies: readonly Column[];
  /** Lines of name and value: machine, versions, date, command. */
  readonly facts: readonly (readonly [string, string])[];
}

/** Judges the results by the goals. */
export function judgementsOf({ results, cases, proxies }: ReportParts): readonly Judgement[] {
  const aims = aimsFor(
    cases.map((one) => one.name),
    proxies.map((one) => one.name),
  );
  return aims.map((aim) => judge(aim, results));
}

export function renderReport(parts: ReportParts): string {
  const { results, cases, proxies, facts } = parts;
  const judgements = judgementsOf(parts);
  const sections = [
    facts.map(([name, value]) => `- ${name}: ${value}`).join('\n'),
    '### CPU microseconds a request (ratio to HAProxy, larger is faster)',
    overview(results, cases, proxies),
    ...(judgements.length > 0 ? ['### Aims', aimsTable(judgements)] : []),
    ...cases.flatMap((one) => [`### ${one.name}: ${one.title}`, caseTable(results, one, proxies)]),
  ];
  return `${sections.join('\n\n')}\n`;
}

/**
 * Puts a report between the markers of a document.
 * @param script the script of package.json that wrote it
 * @throws Error when the document does not contain both markers in order
 */
export function placeReport(document: string, report: string, script = 'bench'): string {
  const marker = beginOf(script);
  const begin = document.indexOf(marker);
  const end = document.indexOf(END, begin);
  if (begin === -1 || end === -1) {
    throw new Error(`the document needs a line "${marker}" and below it a line "${END}"`);
  }
  return `${document.slice(0, begin + marker.length)}\n\n${report}\n${document.slice(end)}`;
}
