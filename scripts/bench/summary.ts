// Turns measurements into table cells: medians over the rounds, ratios. No I/O. Thread: main.

import type { Sample } from './measure.ts';

/** Longest message in a table, in characters. */
const LINE_LIMIT = 200;

/** Result of one round, or the reason for its failure. */
export type Outcome = { readonly sample: Sample } | { readonly failure: string };

/** A proxy in a case. */
export type Cell =
  | { readonly kind: 'measured'; readonly median: Sample; readonly lowestCpuUs: number; readonly highestCpuUs: number }
  | { readonly kind: 'failed'; readonly why: string }
  /** Not installed, or not a case for it. */
  | { readonly kind: 'absent'; readonly why: string };

/** Cells by the names of case and proxy. */
export class Results {
  readonly #cells = new Map<string, Cell>();

  set(caseName: string, proxyName: string, cell: Cell): void {
    this.#cells.set(`${caseName} ${proxyName}`, cell);
  }

  /** A cell that was not requested is absent. */
  get(caseName: string, proxyName: string): Cell {
    return this.#cells.get(`${caseName} ${proxyName}`) ?? { kind: 'absent', why: 'not chosen' };
  }

  /** Ratio of two cells' CPU time per request; undefined when one has none. */
  quotient(over: CellName, under: CellName): number | undefined {
    const [a, b] = [this.get(...over), this.get(...under)];
    return a.kind === 'measured' && b.kind === 'measured' ? a.median.cpuUs / b.median.cpuUs : undefined;
  }

  get failedCount(): number {
    return [...this.#cells.values()].filter((cell) => cell.kind === 'failed').length;
  }
}

/** Names of the case and of the proxy. */
export type CellName = readonly [caseName: string, proxyName: string];

/** Combines all rounds of a proxy in a case. One failed round fails the cell, since its figures would mislead. */
export function summarise(outcomes: readonly Outcome[]): Cell {
  const failures = outcomes.flatMap((outcome) => ('failure' in outcome ? [outcome.failure] : []));
  if (failures.length > 0) {
    return { kind: 'failed', why: `${failures.length} of ${outcomes.length} rounds: ${failures[0]}` };
  }
  const samples = outcomes.flatMap((outcome) => ('sample' in outcome ? [outcome.sample] : []));
  const costs = samples.map((sample) => sample.cpuUs);
  const lowestCpuUs = Math.min(...costs);
  return { kind: 'measured', median: medianSample(samples), lowestCpuUs, highestCpuUs: Math.max(...costs) };
}

/** The median of each figure by itself. */
function medianSample(samples: readonly Sample[]): Sample {
  const of = (figure: (sample: Sample) => number): number => median(samples.map(figure));
  return {
    cpuUs: of((sample) => sample.cpuUs),
    requestsPerSecond: of((sample) => sample.requestsPerSecond),
    p50Ms: of((sample) => sample.p50Ms),
    p99Ms: of((sample) => sample.p99Ms),
    residentMib: of((sample) => sample.residentMib),
    note: samples.find((sample) => sample.note !== null)?.note ?? null,
  };
}

/** Median: the middle value, or the mean of the two middle values. @throws Error without values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('no value to take the median of');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A message for a table: its first line and its last one, where programs print why they ended. */
export function inOneLine(message: string): string {
  const lines = message.trim().split('\n');
  const ends = lines.length > 1 ? [lines[0]!, lines.at(-1)!] : lines;
  return ends.map((line) => (line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT)}...` : line)).join(' ... ');
}
