// Results as Markdown tables, padded so that they are readable in a terminal too. No I/O. Thread: main.

import type { Judgement } from './aims.ts';
import type { BenchCase } from './cases.ts';
import type { Cell, Results } from './summary.ts';

export const REFERENCE = 'haproxy';

/** A proxy as the tables need it. */
export interface Column {
  readonly name: string;
  readonly title: string;
}

/** A table: text columns are left-aligned, figures right-aligned. */
export function table(rows: readonly (readonly string[])[], textColumns = 1): string {
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const padded = (text: string, column: number): string =>
    column < textColumns ? text.padEnd(widths[column]!) : text.padStart(widths[column]!);
  const line = (row: readonly string[]): string => `| ${row.map(padded).join(' | ')} |`;
  const ends = (column: number): string => (column < textColumns ? '-' : ':');
  const rule = `|${widths.map((width, column) => `${'-'.repeat(width + 1)}${ends(column)}`).join('|')}|`;
  return [line(rows[0]!), rule, ...rows.slice(1).map(line)].join('\n');
}

/** CPU per request and ratio to HAProxy, a row for each case, a column for each proxy. */
export function overview(results: Results, cases: readonly BenchCase[], proxies: readonly Column[]): string {
  const rows = cases.map(({ name }) => [name, ...proxies.map((proxy) => overviewCell(results, name, proxy.name))]);
  return table([['case', ...proxies.map((proxy) => proxy.title)], ...rows]);
}

function overviewCell(results: Results, caseName: string, proxyName: string): string {
  const cell = results.get(caseName, proxyName);
  if (cell.kind === 'failed') return 'FAILED';
  if (cell.kind === 'absent') return '-';
  return `${figure(cell.median.cpuUs)} (${ratioText(results, caseName, proxyName)})`;
}

/** One case in full: a row for each proxy that took part, then remarks. */
export function caseTable(results: Results, benchCase: BenchCase, proxies: readonly Column[]): string {
  const head = ['proxy', 'CPU us/request', 'of rounds', 'ratio', 'requests/s', 'p50 ms', 'p99 ms', 'RSS MiB'];
  const rows: string[][] = [];
  const remarks: string[] = [];
  for (const { name, title } of proxies) {
    const cell = results.get(benchCase.name, name);
    if (cell.kind !== 'absent') rows.push([title, ...caseFigures(cell, ratioText(results, benchCase.name, name))]);
    const remark = remarkOn(cell);
    if (remark !== null) remarks.push(`- ${title}: ${remark}`);
  }
  return [table([head, ...rows]), ...(remarks.length > 0 ? ['', ...remarks] : [])].join('\n');
}

function caseFigures(cell: Exclude<Cell, { kind: 'absent' }>, ratio: string): readonly string[] {
  if (cell.kind === 'failed') return ['FAILED', '', '', '', '', '', ''];
  const { cpuUs, requestsPerSecond, p50Ms, p99Ms, residentMib } = cell.median;
  const range = `${figure(cell.lowestCpuUs)}-${figure(cell.highestCpuUs)}`;
  return [
    figure(cpuUs),
    range,
    ratio,
    requestsPerSecond.toFixed(0),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    residentMib.toFixed(0),
  ];
}

function remarkOn(cell: Cell): string | null {
  if (cell.kind === 'measured') return cell.median.note;
  return cell.kind === 'failed' ? `FAILED in ${cell.why}` : cell.why;
}

/** Goals, measured values, and whether each goal was reached. */
export function aimsTable(judgements: readonly Judgement[]): string {
  const rows = judgements.map(({ aim, quotient, verdict }) => {
    const word = aim.isSpeed ? 'at least' : 'at most';
    return [aim.title, `${word} ${aim.limit.toFixed(2)}`, aim.goal.toFixed(2), quotient?.toFixed(2) ?? '-', verdict];
  });
  return table([['case', 'limit', 'goal', 'measured', 'verdict'], ...rows]);
}

/** HAProxy's CPU per request divided by this proxy's: larger is faster. */
function ratioText(results: Results, caseName: string, proxyName: string): string {
  return results.quotient([caseName, REFERENCE], [caseName, proxyName])?.toFixed(2) ?? '-';
}

/** Three digits or more. */
function figure(value: number): string {
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}
