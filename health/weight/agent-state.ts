// State of agent feedback: an endpoint's reports, and the share of its weight that follows from them (docs/algorithms.md 2.2). Pure.
// Thread: main.

import { AGENT_WORDS, type AgentReport, type AgentWord } from './agent-words.ts';

/** Reports of one endpoint. They apply until the endpoint cancels them; only weight and limit expire. */
export interface AgentState {
  /** Wall-clock ms of the newest report; 0 is never. */
  reportedAt: number;
  /** The text. */
  said: string;
  /** Set while it reports that it doesn't serve. */
  down: { readonly word: AgentWord; readonly reason: string } | null;
  /** The share of its weight that it requested last; null if none or expired. */
  askedShare: number | null;
  /** The in-flight limit that it requested last; null if none or expired. */
  maxConnections: number | null;
  /** Count of each word received. */
  readonly wordCounts: Record<AgentWord, number>;
  /** Whether an episode of unknown words is in progress, which is logged once. */
  isMisspoken: boolean;
}

/** Part of the difference between the old and the requested share that one report covers. */
const SMOOTHING = 0.3;
/** No report changes the share by more than this part of it. */
const MAX_STEP = 0.25;
/** Minimum share; less is requested with `drain`. At zero nothing would show that the endpoint has recovered. */
const MIN_SHARE = 0.05;
const MAX_SHARE = 2;
/** Difference at which the share jumps to the requested one: smoothing alone never reaches it. */
const CLOSE_ENOUGH = 0.01;

export function newAgentState(): AgentState {
  const wordCounts = Object.fromEntries(AGENT_WORDS.map((word) => [word, 0])) as Record<AgentWord, number>;
  return {
    reportedAt: 0,
    said: '',
    down: null,
    askedShare: null,
    maxConnections: null,
    wordCounts,
    isMisspoken: false,
  };
}

/** The share that a report requests, 0.05 to 2; null if it requests none. @param weight the configured one */
export function askedShareOf({ weight: asked }: AgentReport, weight: number): number | null {
  if (asked === null) return null;
  return clamp(asked.kind === 'share' ? asked.value : asked.value / weight, MIN_SHARE, MAX_SHARE);
}

/** The share after one report that requests `asked`: a third of the way, but no more than a quarter up or down. */
export function nextShare(share: number, asked: number): number {
  const smoothed = share + SMOOTHING * (asked - share);
  const next = clamp(smoothed, share * (1 - MAX_STEP), share * (1 + MAX_STEP));
  return Math.abs(asked - next) < CLOSE_ENOUGH ? asked : next;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
