// Attributes failed and slow requests to faults. Pure. Thread: main.

import type { LedgerEntry } from './ledger.ts';
import type { Outcome } from './outcome.ts';
import { type Fault, type FaultKind, faultsAt } from './plan.ts';

/** A kind of fault, the action of the endpoint, or 'none'. */
export type Blame = FaultKind | LedgerEntry['mode'] | 'none';

/** Connections and averages from the time of a fault are affected for this long after its end, in ms. */
const AFTERMATH_MS = 1000;

/**
 * The fault behind a failed or slow request: a fault of an endpoint whose ledger has the request; otherwise one that was
 * active at that time, preferring kinds that keep an endpoint from writing its ledger.
 * @param entries of this request
 */
export function blameOf(outcome: Outcome, entries: readonly LedgerEntry[], faults: readonly Fault[]): Blame {
  for (const { mode } of entries) if (mode !== 'well') return mode;
  const during = faultsDuring(faults, outcome.sentMs, outcome.endMs);
  const ofItsEndpoints = during.filter(({ endpoint }) => entries.some((entry) => entry.endpoint === endpoint));
  const silent = during.filter(({ kind }) => kind === 'kill' || kind === 'stop' || kind === 'restart');
  const justOver = faultsDuring(faults, outcome.sentMs - AFTERMATH_MS, outcome.sentMs);
  return (ofItsEndpoints[0] ?? silent[0] ?? during[0] ?? justOver.at(-1))?.kind ?? 'none';
}

function faultsDuring(faults: readonly Fault[], fromMs: number, toMs: number): readonly Fault[] {
  return faults.filter(({ startMs, endMs }) => startMs <= toMs && fromMs < endMs);
}

/**
 * Whether a request was in flight or being processed when a process was killed. Its outcome is unknowable, so a request
 * that must not be repeated is lost behind any proxy.
 */
export function wasUnderWay({ sentMs, endMs }: Outcome, faults: readonly Fault[]): boolean {
  return faults.some(({ kind, startMs }) => kind === 'kill' && sentMs <= startMs && startMs <= endMs);
}

/** The active faults as text: "kill of 1, late of 3". */
export function describeFaults(faults: readonly Fault[], atMs: number): string {
  const words = faultsAt(faults, atMs).map(({ kind, endpoint }) => `${kind} of ${endpoint + 1}`);
  return words.length === 0 ? 'no fault' : words.join(', ');
}
