// Parser of agent reports: words of HAProxy's agent protocol in a heartbeat response (docs/algorithms.md 2.2) for weight,
// limit, requested state and service. Pure. Thread: main.

import type { Admin } from '../../core/availability.ts';

/** Words that are counted; `unknown` is any other text. */
export const AGENT_WORDS = [
  'weight',
  'maxconn',
  'ready',
  'drain',
  'maint',
  'up',
  'down',
  'fail',
  'stopped',
  'unknown',
] as const;
export type AgentWord = (typeof AGENT_WORDS)[number];

/** The parsed report; null for values that it doesn't mention, which stay unchanged. */
export interface AgentReport {
  /** The whole text, printable. */
  readonly said: string;
  /** In the order of the report. */
  readonly words: readonly AgentWord[];
  /** A share of the configured weight (1 is all of it), or a weight in its place. */
  readonly weight: { readonly kind: 'share' | 'absolute'; readonly value: number } | null;
  /** Requested in-flight limit; at least 1. */
  readonly maxConnections: number | null;
  readonly admin: Admin | null;
  /** Whether it serves, with the reported reason. */
  readonly service: { readonly isUp: boolean; readonly word: AgentWord; readonly reason: string } | null;
  /** Unknown words, for the log. */
  readonly unknown: readonly string[];
}

/** Characters of a field that are parsed: a report needs far less. */
const MAX_CHARACTERS = 512;
const MAX_SHOWN_CHARACTERS = 100;

const ADMIN_WORDS: Readonly<Record<string, Admin>> = { ready: 'ready', drain: 'drain', maint: 'maintenance' };
const DOWN_WORDS: ReadonlySet<string> = new Set(['down', 'fail', 'stopped']);

/** `75%`, `weight:75%`, `weight:20`. Four digits suffice. */
const WEIGHT = /^(?:weight:)?(\d{1,4})%$|^weight:(\d{1,4})$/;
/** `maxconn:30`. For no requests at all there is `drain`. */
const MAXCONN = /^maxconn:0*([1-9]\d{0,5})$/;

/**
 * Parses a report: words separated by blanks or commas, case-insensitive; the later of two contradicting words applies.
 * Text after `#` is the reason of `down`, `fail` or `stopped`.
 */
export function readAgentWords(text: string): AgentReport {
  const [said = '', ...comment] = text.slice(0, MAX_CHARACTERS).split('#');
  const reason = printable(comment.join('#'));
  const report = { said: printable(text), words: [] as AgentWord[], unknown: [] as string[] };
  let weight: AgentReport['weight'] = null;
  let maxConnections: AgentReport['maxConnections'] = null;
  let admin: AgentReport['admin'] = null;
  let service: AgentReport['service'] = null;
  for (const given of said.toLowerCase().split(/[\s,]+/)) {
    if (given === '') continue;
    const word = kindOf(given);
    report.words.push(word);
    if (word === 'weight') weight = weightOf(given);
    else if (word === 'maxconn') maxConnections = Number(MAXCONN.exec(given)![1]);
    else if (word === 'unknown') report.unknown.push(printable(given));
    else if (word in ADMIN_WORDS) admin = ADMIN_WORDS[word]!;
    else service = { isUp: word === 'up', word, reason: word === 'up' ? '' : reason };
  }
  return { ...report, weight, maxConnections, admin, service };
}

function kindOf(given: string): AgentWord {
  if (WEIGHT.test(given)) return 'weight';
  if (MAXCONN.test(given)) return 'maxconn';
  const isKnown = given === 'up' || DOWN_WORDS.has(given) || Object.hasOwn(ADMIN_WORDS, given);
  return isKnown ? (given as AgentWord) : 'unknown';
}

function weightOf(given: string): AgentReport['weight'] {
  const [, percent, absolute] = WEIGHT.exec(given)!;
  if (percent !== undefined) return { kind: 'share', value: Number(percent) / 100 };
  return { kind: 'absolute', value: Number(absolute) };
}

/** Log injection: text of an endpoint goes into logs and terminals, so only printable ASCII is kept. */
function printable(text: string): string {
  return text
    .replace(/[^\x21-\x7e]+/g, ' ')
    .trim()
    .slice(0, MAX_SHOWN_CHARACTERS);
}
