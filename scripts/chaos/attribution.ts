// Which fault a request met: what tells what there is to improve. Pure. Thread: main.

import type { LedgerEntry } from './ledger.ts';
import type { Outcome } from './outcome.ts';
import { type Fault, type FaultKind, faultsAt } from './plan.ts';

/** A kind of fault, what the endpoint did with the request, or 'none'. */
export type Blame = FaultKind | LedgerEntry['mode'] | 'none';

/** A fault is still met by connections and averages from its time for so long after its end. */
const AFTERMATH_MS = 1000;

/**
 * The fault that a failed or slow request met: of an endpoint that has it in its ledger; else, where none was faulted
 * or none has it, one in force in its time, first those that let an endpoint write nothing.
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
 * Whether a request was on its way, or at work, when a process was killed: whether it was done is known to nobody, and
 * so one that may not be repeated is lost behind any proxy.
 */
export function wasUnderWay({ sentMs, endMs }: Outcome, faults: readonly Fault[]): boolean {
  return faults.some(({ kind, startMs }) => kind === 'kill' && sentMs <= startMs && startMs <= endMs);
}

/** The faults of a moment in words: "kill of 1, late of 3". */
export function describeFaults(faults: readonly Fault[], atMs: number): string {
  const words = faultsAt(faults, atMs).map(({ kind, endpoint }) => `${kind} of ${endpoint + 1}`);
  return words.length === 0 ? 'no fault' : words.join(', ');
}
