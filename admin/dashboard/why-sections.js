// Renders the API's explanation of an endpoint as sections of text. Runs in the browser.

/** @import { Why } from './types.d.ts' */

import { make } from './dom.js';
import { age, clock, millis, span } from './format.js';

/** Newest first, so many. */
const MAX_LINES = 12;

/** @param {Why} why @param {number} nowMs of the server */
export function whySections(why, nowMs) {
  return [reasonsOf(why, nowMs), axesOf(why), heartbeatsOf(why), changesOf(why)].filter((one) => one !== null);
}

/** @param {string} title @param {...Element} content */
function section(title, ...content) {
  return make('section', {}, make('h3', {}, title), ...content);
}

/** @param {Why} why @param {number} nowMs */
function reasonsOf({ reasons, nextCheck }, nowMs) {
  if (reasons.length === 0) return section('Why', make('p', {}, 'Nothing keeps requests away.'));
  const items = reasons.map(({ axis, value, effect, detector, cause, since, until }) => {
    const from = since === null ? '' : ` for ${age(since, nowMs)}`;
    const to = until === null ? '' : `, until ${clock(until)} at the earliest`;
    const what = `${effect === 'none' ? 'No requests' : 'Fewer requests'}: ${axis} is ${value}${from}${to}`;
    return make('li', {}, make('strong', {}, what), make('div', {}, `${cause} (found by ${detector})`));
  });
  const next = nextCheck === null ? [] : [make('p', { class: 'minor' }, `Next heartbeat at ${clock(nextCheck)}.`)];
  return section('Why', make('ul', { class: 'reasons' }, ...items), ...next);
}

/** @param {Why} why */
function axesOf({ wishes, check, outlier, resolution, limit, warming, downtimeSeconds, health }) {
  const facts = {
    Operator: wishes.operator,
    'Endpoint itself': wishes.agent,
    Heartbeats: check,
    'Live traffic': outlier,
    Address: resolution,
    ...(limit.inFlight > 0 ? { 'Limit in flight': String(limit.inFlight) } : {}),
    ...(warming === null ? {} : { 'Slow start': `${Math.round(warming.percent)} %, until ${clock(warming.until)}` }),
    ...(downtimeSeconds > 0 ? { 'Down so far': span(downtimeSeconds) } : {}),
    Ejections: String(health.ejections),
  };
  const pairs = Object.entries(facts).map(([name, value]) =>
    make('div', {}, make('dt', {}, name), make('dd', {}, value)),
  );
  return section('State', make('dl', { class: 'facts' }, ...pairs));
}

/** @param {Why} why */
function heartbeatsOf({ heartbeats }) {
  if (heartbeats.length === 0) return null;
  const signs = { ok: '● ok', fail: '✕ failed', unknown: '? unknown' };
  const items = heartbeats.slice(-MAX_LINES).toReversed();
  const lines = items.map(({ at, kind, cause, durationMs }) => {
    const tone = { ok: 'good', fail: 'bad', unknown: 'warn' }[kind];
    const badge = make('span', { class: 'state', 'data-tone': tone }, signs[kind]);
    return make(
      'li',
      {},
      make('time', { datetime: at }, clock(at)),
      badge,
      ` ${millis(durationMs)} `,
      kind === 'ok' ? '' : cause,
    );
  });
  return section('Last heartbeats', make('ol', { class: 'log' }, ...lines));
}

/** @param {Why} why */
function changesOf({ events }) {
  if (events.length === 0) return null;
  const lines = events
    .slice(-MAX_LINES)
    .toReversed()
    .map(({ at, axis, from, to, cause }) =>
      make('li', {}, make('time', { datetime: at }, clock(at)), ` ${axis}: ${from} → ${to}. `, cause),
    );
  return section('Last changes', make('ol', { class: 'log' }, ...lines));
}
