// Output of a test run: one line for each part, the failures, the skips, the closing summary. Thread: main.

import type { FileCost } from './run-tests-folder.ts';
import type { NamedTest, Totals } from './run-tests-tally.ts';

/** One part: name, result, duration, and a note. */
export function partLine(name: string, hasPassed: boolean, durationMs: number, note: string): string {
  const seconds = `${(durationMs / 1000).toFixed(1)} s`;
  return `== ${name.padEnd(12)} ${hasPassed ? 'ok    ' : 'FAILED'} ${seconds.padStart(8)}  ${note}`.trimEnd();
}

const SLOW_FILE_MS = 5_000;

/** A slow file, printed when it ends, so that a long part shows progress; nothing for another. */
export function describeSlow({ file, durationMs }: FileCost): string[] {
  return durationMs < SLOW_FILE_MS ? [] : [`   ${(durationMs / 1000).toFixed(1).padStart(6)} s  ${file}`];
}

/** The files with the most CPU time, with their durations; empty if `count` is 0. */
export function describeSlowest(costs: readonly FileCost[], count: number): string[] {
  if (count === 0) return [];
  const sorted = costs.toSorted((a, b) => (b.cpuMs ?? 0) - (a.cpuMs ?? 0));
  const seconds = (ms: number | null): string => (ms === null ? 'killed' : (ms / 1000).toFixed(1)).padStart(8);
  const rows = sorted.slice(0, count).map((one) => `${seconds(one.cpuMs)}${seconds(one.durationMs)}  ${one.file}`);
  return ['   CPU s  wall s  file', ...rows];
}

/** CPU time of some files in seconds. */
export function totalCpu(costs: readonly FileCost[]): string {
  return `${(costs.reduce((sum, { cpuMs }) => sum + (cpuMs ?? 0), 0) / 1000).toFixed(0)} s of CPU`;
}

/** Every failure with its error, then the output of the files with failures. */
export function describeFailures(failures: readonly NamedTest[], output: ReadonlyMap<string, string>): string[] {
  const lines = failures.flatMap((one) => [`  FAILED ${one.where}  ${one.name}`, indent(one.text, '    ')]);
  for (const [file, text] of output) lines.push(`  output of ${file}:`, indent(text, '    | '));
  return lines;
}

/** Skipped tests by name, with the reason; empty if there are none. */
export function describeNamed(kind: string, tests: readonly NamedTest[]): string[] {
  if (tests.length === 0) return [];
  return [`${kind} (${tests.length}):`, ...tests.map((one) => `  ${one.where}  ${one.name}: ${one.text}`)];
}

/** The closing lines, in the form of node's TAP summary. */
export function describeTotals(totals: Totals, durationMs: number): string[] {
  const figures = Object.entries(totals).map(([name, count]) => `# ${name} ${count}`);
  return [...figures, `# duration_ms ${durationMs.toFixed(0)}`];
}

function indent(text: string, margin: string): string {
  return text.replaceAll(/^/gm, margin);
}
