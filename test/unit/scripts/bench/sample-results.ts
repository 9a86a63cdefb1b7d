// Results of a benchmark for tests, made of the CPU per request alone. Thread: main.

import type { Sample } from '../../../../scripts/bench/measure.ts';
import { Results, summarise } from '../../../../scripts/bench/summary.ts';

export function sampleOf(cpuUs: number, rest: Partial<Sample> = {}): Sample {
  return { cpuUs, requestsPerSecond: 40_000, p50Ms: 1.5, p99Ms: 4, residentMib: 100, note: null, ...rest };
}

/** Measured cells: CPU microseconds by case and proxy. */
export function resultsOf(cpuUs: Readonly<Record<string, Readonly<Record<string, number>>>>): Results {
  const results = new Results();
  for (const [caseName, cells] of Object.entries(cpuUs)) {
    for (const [proxyName, value] of Object.entries(cells)) {
      results.set(caseName, proxyName, summarise([{ sample: sampleOf(value) }]));
    }
  }
  return results;
}
