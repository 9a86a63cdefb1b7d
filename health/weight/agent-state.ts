// What an endpoint has said of itself, and the share of its weight that follows from it (docs/algorithms.md 2.2). Pure.
// Thread: main.

import { AGENT_WORDS, type AgentReport, type AgentWord } from './agent-words.ts';

/** Kept of one endpoint. Words hold until the endpoint itself takes them back; weight and limit alone go stale. */
export interface AgentState {
  /** Wall-clock ms of the newest report; 0 is never. */
  heardAt: number;
  /** Its words. */
  said: string;
  /** While it says that it doesn't serve. */
  down: { readonly word: AgentWord; readonly reason: string } | null;
  /** The share of its weight that it asked for last; null where it asks for none, or its word is stale. */
  askedShare: number | null;
  /** Most requests in flight that it asked for last; null where it asks for none, or its word is stale. */
  maxConnections: number | null;
  /** How often each word was heard. */
  readonly heard: Record<AgentWord, number>;
  /** An episode, said once: words that are none. */
  isMisspoken: boolean;
}

/** Part of the way from the old share to the one that is asked for that one report goes. */
const SMOOTHING = 0.3;
/** No report changes the share by more than this part of it. */
const MAX_STEP = 0.25;
/** Less is asked for with `drain`: at no share at all nothing would show that the endpoint is better. */
const MIN_SHARE = 0.05;
const MAX_SHARE = 2;
/** From here the share jumps to what is asked for: the smoothing alone never arrives. */
const CLOSE_ENOUGH = 0.01;

export function newAgentState(): AgentState {
  const heard = Object.fromEntries(AGENT_WORDS.map((word) => [word, 0])) as Record<AgentWord, number>;
  return { heardAt: 0, said: '', down: null, askedShare: null, maxConnections: null, heard, isMisspoken: false };
}

/** The share that a report asks for, 0.05 to 2; null where it doesn't speak of it. @param weight the configured one */
export function askedShareOf({ weight: asked }: AgentReport, weight: number): number | null {
  if (asked === null) return null;
  return clamp(asked.kind === 'share' ? asked.value : asked.value / weight, MIN_SHARE, MAX_SHARE);
}

/** The share after one report that asks for `asked`: a third of the way, but no more than a quarter up or down. */
export function nextShare(share: number, asked: number): number {
  const smoothed = share + SMOOTHING * (asked - share);
  const next = clamp(smoothed, share * (1 - MAX_STEP), share * (1 + MAX_STEP));
  return Math.abs(asked - next) < CLOSE_ENOUGH ? asked : next;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
