// The newest events, latest first. Runs in the browser.

/** @import { FeedEvent } from './types.d.ts' */

import { make } from './dom.js';
import { clock } from './format.js';
import { badgeOf } from './state-badge.js';

/** Events on the page; the API keeps a thousand. */
export const MAX_SHOWN = 100;

export class EventsList {
  #list;
  #choose;
  /** @type {Set<string>} ids of the events on the page */
  #known = new Set();

  /** @param {HTMLElement} list @param {(key: string) => void} choose */
  constructor(list, choose) {
    this.#list = list;
    this.#choose = choose;
  }

  /** Adds events in order; known ones are skipped. @param {readonly FeedEvent[]} events */
  add(events) {
    for (const event of events) {
      if (this.#known.has(event.id)) continue;
      this.#known.add(event.id);
      const item = this.#itemOf(event);
      item.dataset['id'] = event.id;
      this.#list.prepend(item);
    }
    while (this.#list.childElementCount > MAX_SHOWN) {
      const oldest = /** @type {HTMLElement} */ (this.#list.lastElementChild);
      this.#known.delete(oldest.dataset['id'] ?? '');
      oldest.remove();
    }
  }

  /** @param {FeedEvent} event */
  #itemOf(event) {
    if (event.kind === 'change') return this.#changeOf(event);
    if (event.kind === 'reload') return reloadOf(event);
    if (event.kind === 'source') return sourceOf(event);
    if (event.kind === 'membership') return membershipOf(event);
    return event.kind === 'maintenance' ? maintenanceOf(event) : splitOf(event);
  }

  /** @param {Extract<FeedEvent, { kind: 'change' }>} event */
  #changeOf({ at, upstream, endpoint, axis, from, to, cause, availability }) {
    const key = `${upstream}/${endpoint}`;
    const button = make('button', { type: 'button', class: 'link' }, key);
    button.addEventListener('click', () => this.#choose(key));
    const what = make('span', { class: 'minor' }, `${axis}: ${from} → ${to}`);
    const line = make(
      'div',
      { class: 'line' },
      make('time', { datetime: at }, clock(at)),
      badgeOf(availability),
      button,
    );
    return make('li', {}, line, make('div', { class: 'why' }, what, ` ${cause}`));
  }
}

/** @param {Extract<FeedEvent, { kind: 'reload' }>} event */
function reloadOf({ at, ok, generation, changes, problems }) {
  const badge = make(
    'span',
    { class: 'state', 'data-tone': ok ? 'good' : 'bad' },
    ok ? '↻ reload' : '✕ reload refused',
  );
  const line = make(
    'div',
    { class: 'line' },
    make('time', { datetime: at }, clock(at)),
    badge,
    `generation ${generation}`,
  );
  const said = ok ? changes : problems;
  const more = said.length > 3 ? [`and ${said.length - 3} more`] : [];
  const lines = [...said.slice(0, 3), ...more].map((text) => make('div', { class: 'why' }, text));
  return make('li', {}, line, ...lines);
}

/** @param {Extract<FeedEvent, { kind: 'maintenance' }>} event */
function maintenanceOf({ at, of, name, on, cause }) {
  const badge = make(
    'span',
    { class: 'state', 'data-tone': on ? 'set' : 'good' },
    on ? '‖ maintenance' : '● in service',
  );
  const line = make('div', { class: 'line' }, make('time', { datetime: at }, clock(at)), badge, `${of} ${name}`);
  return make('li', {}, line, make('div', { class: 'why' }, cause));
}

/** @param {Extract<FeedEvent, { kind: 'split' }>} event */
function splitOf({ at, route, upstream, from, to, cause }) {
  const badge = make('span', { class: 'state', 'data-tone': 'set' }, '⇄ split');
  const what = make('span', { class: 'minor' }, `weight of ${upstream}: ${from} → ${to}`);
  const line = make('div', { class: 'line' }, make('time', { datetime: at }, clock(at)), badge, `route ${route}`);
  return make('li', {}, line, make('div', { class: 'why' }, what, ` ${cause}`));
}

/** @param {Extract<FeedEvent, { kind: 'source' }>} event */
function sourceOf({ at, upstream, source, subject, change, cause }) {
  const badge = make('span', { class: 'state', 'data-tone': change === 'recovered' ? 'good' : 'bad' }, `⇣ ${change}`);
  const line = make(
    'div',
    { class: 'line' },
    make('time', { datetime: at }, clock(at)),
    badge,
    `${upstream}: ${source}`,
  );
  return make('li', {}, line, make('div', { class: 'why' }, make('span', { class: 'minor' }, subject), ` ${cause}`));
}

/** @param {Extract<FeedEvent, { kind: 'membership' }>} event */
function membershipOf({ at, upstream, origin, added, removed, addedCount, removedCount, cause }) {
  const badge = make('span', { class: 'state', 'data-tone': 'set' }, `+${addedCount} −${removedCount}`);
  const line = make('div', { class: 'line' }, make('time', { datetime: at }, clock(at)), badge, upstream);
  const ids = [...added.map((id) => `+ ${id}`), ...removed.map((id) => `− ${id}`)].slice(0, 6).join(' ');
  const what = make('span', { class: 'minor' }, origin);
  return make('li', {}, line, make('div', { class: 'why' }, what, ` ${ids} ${cause}`));
}
