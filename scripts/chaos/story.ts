// Details of a run for --verbose: faults, failed and slow requests, and the proxy's own logs about them.
// Thread: main.

import { blameOf, describeFaults } from './attribution.ts';
import { type Observations, SLOW_MS } from './figures.ts';
import { byRequest } from './ledger.ts';
import { latencyMs, type Outcome } from './outcome.ts';
import type { RunningProxy } from './proxies/proxy.ts';

const MOST_SLOW = 40;
const MOST_NOTES = 200;

/** Lines in order of time. */
export async function storyOf(seen: Observations, proxy: RunningProxy): Promise<readonly string[]> {
  const failed = seen.outcomes.filter(({ failure }) => failure !== null);
  const slow = seen.outcomes.filter((outcome) => outcome.failure === null && latencyMs(outcome) > SLOW_MS);
  const notes = (await proxy.notes?.()) ?? [];
  return [
    'faults:',
    ...seen.faults.map(
      ({ kind, endpoint, startMs, endMs }) => `${seconds(startMs)}-${seconds(endMs)} ${kind} of ${endpoint + 1}`,
    ),
    `failed (${failed.length}):`,
    ...(await describeAll(failed, seen, proxy)),
    `slower than ${SLOW_MS} ms (${slow.length}):`,
    ...(await describeAll(slow.slice(0, MOST_SLOW), seen, proxy)),
    `log and counters of the proxy (${notes.length} lines):`,
    ...notes.slice(-MOST_NOTES),
  ].map((line) => `    ${line}`);
}

async function describeAll(outcomes: readonly Outcome[], seen: Observations, proxy: RunningProxy): Promise<string[]> {
  const entries = byRequest(seen.ledger);
  const lines: string[] = [];
  for (const outcome of outcomes) {
    const { arrival, endMs, failure } = outcome;
    const ofIt = entries.get(arrival.id) ?? [];
    const seenAt = ofIt.map(({ endpoint, mode }) => `${endpoint + 1} (${mode})`).join(', ') || 'no endpoint';
    const ended = `${failure ?? 'succeeded'} after ${(endMs - arrival.atMs).toFixed(0)} ms`;
    const story = proxy.explain === undefined ? '' : `; ${await proxy.explain(arrival.id)}`;
    lines.push(
      `${seconds(arrival.atMs)} ${arrival.method} ${arrival.id} ${ended} [${blameOf(outcome, ofIt, seen.faults)}]: seen by ${seenAt}; ${describeFaults(seen.faults, arrival.atMs)}${story}`,
    );
  }
  return lines;
}

function seconds(timeMs: number): string {
  return `${(timeMs / 1000).toFixed(3)} s`;
}
