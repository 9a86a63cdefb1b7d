// The tables that a chaos run prints. Pure. Thread: main.

import type { Figures } from './figures.ts';
import { percent } from './scenarios/scenario.ts';

/** One proxy in one case. */
export interface Row {
  readonly name: string;
  readonly figures: Figures;
}

const HEADINGS = [
  '',
  'succeeded',
  'GETs',
  'POSTs',
  'at kill',
  'doubled',
  'p50',
  'p99',
  'p99.9',
  'max',
  'p99.9 ok',
  'attempts',
  'lag',
];

/** Failed GETs and POSTs, those of the POSTs that were under way when a process was killed, doubled POSTs, latencies in ms of all requests, attempts per request, lateness of the client. */
export function figuresTable(rows: readonly Row[]): string {
  return columns([HEADINGS, ...rows.map(figuresRow)]);
}

function figuresRow({ name, figures }: Row): readonly string[] {
  const { ofAll, ofSuccesses } = figures;
  const latencies = [ofAll.p50, ofAll.p99, ofAll.p999, ofAll.max, ofSuccesses.p999];
  return [
    name,
    percent(figures.availability),
    String(figures.failedGets),
    String(figures.failedPosts),
    String(figures.failedPostsUnderWay),
    String(figures.doubledPosts),
    ...latencies.map((latencyMs) => latencyMs.toFixed(latencyMs < 100 ? 1 : 0)),
    figures.attemptsPerRequest.toFixed(3),
    figures.sendLagP99Ms.toFixed(1),
  ];
}

/** Which faults cost requests, and which made them slow. */
export function faultsTable(
  rows: readonly Row[],
  countsOf: (figures: Figures) => Readonly<Record<string, number>>,
): string {
  const keys = [...new Set(rows.flatMap(({ figures }) => Object.keys(countsOf(figures))))].sort();
  if (keys.length === 0) return '  none';
  return columns([
    ['', ...keys],
    ...rows.map(({ name, figures }) => [name, ...keys.map((key) => String(countsOf(figures)[key] ?? 0))]),
  ]);
}

/** The first column to the left, the others to the right. */
function columns(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
    )
    .map((line) => `  ${line}`)
    .join('\n');
}
