// Figures of chaos runs as a table for terminals and documents. Pure. Thread: main.

import { table } from '../bench/tables.ts';
import { type Figures, isClientLate } from './figures.ts';
import { percent } from './scenarios/aim.ts';

/** One proxy in one case. */
export interface Row {
  readonly seed: number;
  readonly name: string;
  readonly figures: Figures;
}

const HEADINGS = [
  '',
  'seed',
  'succeeded',
  'GETs',
  'POSTs',
  'at kill',
  'doubled',
  'p50',
  'p99',
  'p99.9',
  'max',
  'attempts',
  'lag',
  'failed, by fault',
  'slow, by fault',
];

/**
 * Failed GETs and POSTs, POSTs in flight when a process was killed, doubled POSTs, latencies in ms of all requests,
 * attempts per request, lateness of the client (p99), and the faults behind failed and slow requests.
 */
export function figuresTable(rows: readonly Row[]): string {
  return table([HEADINGS, ...rows.map(figuresRow)]);
}

function figuresRow({ seed, name, figures }: Row): readonly string[] {
  const { ofAll, lag } = figures;
  return [
    name,
    String(seed),
    percent(figures.availability),
    String(figures.failedGets),
    String(figures.failedPosts),
    String(figures.failedPostsUnderWay),
    String(figures.doubledPosts),
    ...[ofAll.p50, ofAll.p99, ofAll.p999, ofAll.max].map((timeMs) => timeMs.toFixed(timeMs < 100 ? 1 : 0)),
    figures.attemptsPerRequest.toFixed(3),
    `${lag.p99.toFixed(1)}${isClientLate(figures) ? ' LATE' : ''}`,
    countsText(figures.failedBy),
    countsText(figures.slowBy),
  ];
}

/** Most frequent first, such as "POST kill 2, POST reset 1". */
function countsText(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).sort(([, one], [, other]) => other - one);
  return sorted.map(([name, count]) => `${name} ${count}`).join(', ') || '-';
}
