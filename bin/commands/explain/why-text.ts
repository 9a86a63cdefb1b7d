// Renders the explanation of an endpoint's state for people. Pure. Thread: main.

import type { WhyAnswer } from '../../../admin/api/endpoint-schemas.ts';
import { durationWords, percentWords } from '../../../health/record/health-words.ts';

type Reason = WhyAnswer['reasons'][number];

/** Number of heartbeats and changes shown, newest first; `--json` has more. */
const SHOWN = 5;

const TAKES: Readonly<Record<string, string>> = {
  up: 'takes requests',
  suspect: 'takes few requests, only such as may be repeated',
  halfOpen: 'takes one request at a time, which decides',
  ejected: 'takes no requests',
  down: 'takes no requests',
  drain: 'takes requests of clients that stick to it, no others',
  unresolved: 'takes no requests',
  maintenance: 'takes no requests',
};

const STATE: Readonly<Record<string, string>> = {
  halfOpen: 'half-open',
  drain: 'draining',
  unresolved: 'without an address',
  maintenance: 'in maintenance',
};

/** Several lines, without the last line break. */
export function whyText(why: WhyAnswer): string {
  return [
    headline(why),
    ...originLines(why),
    ...upstreamLines(why),
    ...reasonLines(why),
    weightLine(why),
    ...limitLines(why),
    ...heartbeatLines(why),
    ...changeLines(why),
    countLine(why),
  ]
    .map(plainText)
    .join('\n');
}

/** Terminal injection: names and causes contain data from endpoints, which must not control the terminal. */
export function plainText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

function headline({ upstream, endpoint, availability, since, now }: WhyAnswer): string {
  const state = STATE[availability] ?? availability;
  const takes = TAKES[availability] ?? '';
  return `${upstream}/${endpoint} is ${state} since ${clockOf(since)} (${ageOf(since, now)}): it ${takes}`;
}

/** None where there is nothing to name, and for a Fairlead of an earlier version. */
function originLines({ origin, zone, metadata }: WhyAnswer): string[] {
  const labels = Object.entries(metadata ?? {}).map(([name, value]) => `${name}=${value}`);
  if ((origin ?? 'configured') === 'configured' && (zone ?? '') === '' && labels.length === 0) return [];
  const words = [`origin ${origin}`, ...(zone === '' ? [] : [`zone ${zone}`]), ...labels];
  return [`  ${words.join(', ')}`];
}

/** None for an upstream of the file, and for a Fairlead of an earlier version. */
function upstreamLines({ upstream, ...why }: WhyAnswer): string[] {
  const { upstreamOrigin = null } = why as Partial<WhyAnswer>;
  return upstreamOrigin === null ? [] : [`  upstream ${upstream} from ${upstreamOrigin}`];
}

function reasonLines({ reasons, cause, now }: WhyAnswer): string[] {
  if (reasons.length === 0) return [`  nothing keeps requests from it; the last change: ${cause}`];
  return reasons.map((reason) => `  ${reasonWords(reason)}${spanWords(reason, now)}`);
}

function reasonWords({ axis, value, detector, cause }: Reason): string {
  return `${axis} ${value}, found by ${detector}: ${cause}`;
}

function spanWords({ since, until }: Reason, now: string): string {
  const begun = since === null ? '' : `; since ${clockOf(since)} (${ageOf(since, now)})`;
  if (until === null) return begun;
  const leftMs = Date.parse(until) - Date.parse(now);
  const left = leftMs > 0 ? `in ${durationWords(leftMs)}` : 'over, it waits for good heartbeats';
  return `${begun}, at least until ${clockOf(until)} (${left})`;
}

function weightLine({ weight, weightShare, warming, backup, agent }: WhyAnswer): string {
  const share = `${percentWords(weightShare)} of it in use`;
  const warm = warming === null ? '' : `; slow start ends ${clockOf(warming.until)}`;
  const said = agent === null ? '' : `; its agent said "${agent.said}" at ${clockOf(agent.at)}`;
  return `weight ${weight}, ${share}${warm}${said}${backup ? '; a backup' : ''}`;
}

function limitLines({ limit: { inFlight, adaptive } }: WhyAnswer): string[] {
  if (inFlight === 0) return [];
  const words = `at most ${inFlight} requests in flight`;
  if (adaptive === null) return [words];
  if (adaptive.baselineMs === 0) return [`${words}, until its answers say how many it can take`];
  const { baselineMs, p50Ms } = adaptive;
  return [`${words}, found from its answers: ${durationWords(p50Ms)} now, ${durationWords(baselineMs)} at rest`];
}

function heartbeatLines({ heartbeats, nextCheck, now }: WhyAnswer): string[] {
  if (heartbeats.length === 0) return ['heartbeats: none yet, or none configured'];
  const next =
    nextCheck === null
      ? ''
      : `, the next one in ${durationWords(Math.max(0, Date.parse(nextCheck) - Date.parse(now)))}`;
  const lines = heartbeats
    .slice(-SHOWN)
    .toReversed()
    .map(({ at, kind, cause, durationMs, isContradicted }) => {
      const counted = isContradicted ? ' (live traffic contradicts it: not counted)' : '';
      return `  ${clockOf(at)}  ${kind}  ${cause}, after ${durationWords(durationMs)}${counted}`;
    });
  return [`heartbeats, newest first${next}:`, ...lines];
}

function changeLines({ events }: WhyAnswer): string[] {
  if (events.length === 0) return ['changes: none'];
  const lines = events
    .slice(-SHOWN)
    .toReversed()
    .map(({ at, axis, from, to, detector, cause }) => {
      return `  ${clockOf(at)}  ${axis} ${from} > ${to}, found by ${detector}: ${cause}`;
    });
  return ['changes, newest first:', ...lines];
}

function countLine({ consecutiveFailures, ejectionsInRow, downtimeSeconds, health }: WhyAnswer): string {
  const { ejections, ejectionsRefused, suspicions, slowStarts, checks, checksFailed, checksContradicted } = health;
  const counts: readonly (readonly [count: number, words: string])[] = [
    [consecutiveFailures, 'failures of live traffic in a row now'],
    [ejections, `ejections (${ejectionsInRow} in a row)`],
    [ejectionsRefused, 'ejections refused by the limit'],
    [suspicions, 'suspicions'],
    [slowStarts, 'slow starts'],
    [checks, `heartbeats (${checksFailed} failed)`],
    [checksContradicted, 'heartbeats contradicted by live traffic'],
    [downtimeSeconds, `seconds out of service`],
  ];
  const happened = counts.filter(([count]) => count > 0).map(([count, words]) => `${count} ${words}`);
  return `counts: ${happened.length === 0 ? 'nothing yet' : happened.join(', ')}`;
}

/** `12:00:41Z`: the day is in the JSON. */
function clockOf(iso: string): string {
  return `${iso.slice(11, 19)}Z`;
}

function ageOf(iso: string, now: string): string {
  return `${durationWords(Math.max(0, Date.parse(now) - Date.parse(iso)))} ago`;
}
