// Renders the API's explanation of an endpoint as sections of text. Runs in the browser.

import type { Why } from '../types.ts';
import { AXIS_NAMES, axisText } from '../data/event-texts.ts';
import { age, clock, millis, span } from '../data/format.ts';
import { make } from '../parts/dom.ts';
import { toneBadge } from '../parts/state-badge.ts';

/** Newest first, so many. */
const MAX_LINES = 12;

/** @param nowMs of the server */
export function whySections(why: Why, nowMs: number): HTMLElement[] {
  return [reasonsOf(why, nowMs), axesOf(why), heartbeatsOf(why), changesOf(why)].filter((one) => one !== null);
}

function section(title: string, ...content: Element[]): HTMLElement {
  return make('section', {}, make('h3', {}, title), ...content);
}

const DETECTORS: Readonly<Record<Why['reasons'][number]['detector'], string>> = {
  operator: 'an operator',
  agent: 'the endpoint itself',
  heartbeat: 'a heartbeat',
  firstFailure: 'a first failure of live traffic',
  consecutiveFailures: 'consecutive failures of live traffic',
  outlierTest: 'the comparison with the other endpoints',
  trial: 'the trial request',
  timer: 'the end of a period',
  lastResort: 'the lack of any other endpoint',
  reload: 'a changed configuration',
  restart: 'the state before a restart',
  discovery: 'the lookup of its host name',
};

function reasonsOf({ reasons, nextCheck }: Why, nowMs: number): HTMLElement {
  if (reasons.length === 0) return section('Why', make('p', {}, 'It receives its full share of requests.'));
  const items = reasons.map(({ axis, value, effect, detector, cause, since, until }) => {
    const from = since === null ? '' : ` For ${age(since, nowMs)}`;
    const to = until === null ? '' : `${from === '' ? ' Until' : ', until'} ${clock(until)} at the earliest`;
    const text = axisText({ axis, from: '', to: value });
    const effects = effect === 'none' ? 'No requests' : 'Fewer requests';
    const times = `${from}${to}`;
    return make(
      'li',
      {},
      make('strong', {}, `${effects}. ${text}${times === '' ? '' : `${times}.`}`),
      make('div', {}, `${cause} (found by ${DETECTORS[detector]})`),
    );
  });
  const next = nextCheck === null ? [] : [make('p', { class: 'minor' }, `Next heartbeat at ${clock(nextCheck)}.`)];
  return section('Why', make('ul', { class: 'reasons' }, ...items), ...next);
}

/** Values of the axes as texts; others are shown as they are. */
const VALUES: Readonly<Record<string, string>> = {
  none: 'good',
  halfOpen: 'on trial',
  unknown: 'no result yet',
  up: 'succeed',
  down: 'fail',
  resolved: 'known',
  unresolved: 'unknown',
};

function axesOf({ wishes, check, outlier, resolution, limit, warming, downtimeSeconds, health }: Why): HTMLElement {
  const facts = {
    'Requested by operators': wishes.operator,
    'Requested by itself': wishes.agent,
    Heartbeats: VALUES[check] ?? check,
    'Live traffic': VALUES[outlier] ?? outlier,
    Address: VALUES[resolution] ?? resolution,
    ...(limit.inFlight > 0 ? { 'Limit in flight': String(limit.inFlight) } : {}),
    ...(warming === null ? {} : { 'Slow start': `${Math.round(warming.percent)} %, until ${clock(warming.until)}` }),
    ...(downtimeSeconds > 0 ? { Downtime: span(downtimeSeconds) } : {}),
    Ejections: String(health.ejections),
  };
  const pairs = Object.entries(facts).map(([name, value]) =>
    make('div', {}, make('dt', {}, name), make('dd', {}, value)),
  );
  return section('State', make('dl', { class: 'facts' }, ...pairs));
}

const RESULTS = {
  ok: { sign: '●', label: 'ok', tone: 'good' },
  fail: { sign: '✕', label: 'failed', tone: 'bad' },
  unknown: { sign: '?', label: 'unknown', tone: 'warn' },
} as const;

function heartbeatsOf({ heartbeats }: Why): HTMLElement | null {
  if (heartbeats.length === 0) return null;
  const lines = heartbeats
    .slice(-MAX_LINES)
    .toReversed()
    .map(({ at, kind, cause, durationMs }) => {
      const { sign, label, tone } = RESULTS[kind];
      const time = make('time', { datetime: at }, clock(at));
      return make('li', {}, time, toneBadge(sign, label, tone), ` ${millis(durationMs)} `, kind === 'ok' ? '' : cause);
    });
  return section('Last heartbeats', make('ol', { class: 'log' }, ...lines));
}

function changesOf({ events }: Why): HTMLElement | null {
  if (events.length === 0) return null;
  const lines = events
    .slice(-MAX_LINES)
    .toReversed()
    .map((event) => {
      const time = make('time', { datetime: event.at }, clock(event.at));
      const about = make('span', { class: 'minor' }, `${AXIS_NAMES[event.axis]}: `);
      return make('li', {}, time, about, `${axisText(event)} ${event.cause}`);
    });
  return section('Last changes', make('ol', { class: 'log' }, ...lines));
}
