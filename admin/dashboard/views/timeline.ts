// Timeline: events newest first, folded and filtered. Runs in the browser.

import type { FeedEvent } from '../types.ts';
import { type EventKind, filterEvents, type FoldedEvent, foldEvents } from '../data/event-folding.ts';
import { eventText } from '../data/event-texts.ts';
import { clock, count, day, plural } from '../data/format.ts';
import { byId, make, makeButton, setChildren, setText } from '../parts/dom.ts';
import { toneBadge } from '../parts/state-badge.ts';

/** Events that the page keeps, as many as the API does. */
const MOST_EVENTS = 1_000;
/** Entries on the page, and those that `Show more` adds. */
const PAGE = 100;

export class Timeline {
  readonly #list = byId('events', HTMLElement);
  readonly #shown = byId('events-shown', HTMLElement);
  readonly #more = byId('events-more', HTMLButtonElement);
  readonly #kind = byId('event-kind', HTMLSelectElement);
  readonly #find = byId('event-find', HTMLInputElement);
  readonly #fold = byId('event-fold', HTMLInputElement);
  readonly #choose: (key: string) => void;
  readonly #known = new Set<string>();
  /** Newest first. */
  #events: FeedEvent[] = [];
  #limit = PAGE;
  /** Entries on the page, by what they show: those that stay the same keep their elements, and the focus in them. */
  #items: ReadonlyMap<string, HTMLElement> = new Map();
  /** Whether the page shows the events and filters of now. */
  #isDrawn = false;

  constructor(choose: (key: string) => void) {
    this.#choose = choose;
    for (const control of [this.#kind, this.#find, this.#fold]) control.addEventListener('input', () => this.#draw());
    this.#more.addEventListener('click', () => {
      this.#limit += PAGE;
      this.#draw();
    });
  }

  /** Newest first. */
  get events(): readonly FeedEvent[] {
    return this.#events;
  }

  /** Adds events in order; known ones are skipped. */
  add(events: readonly FeedEvent[]): void {
    const added = events.filter(({ id }) => !this.#known.has(id));
    if (added.length > 0) this.#isDrawn = false;
    for (const { id } of added) this.#known.add(id);
    this.#events = [...added.toReversed(), ...this.#events];
    for (const { id } of this.#events.splice(MOST_EVENTS)) this.#known.delete(id);
  }

  /** Draws events that were added since the last time. */
  update(): void {
    if (!this.#isDrawn) this.#draw();
  }

  #draw(): void {
    this.#isDrawn = true;
    const fitting = filterEvents(this.#events, { kind: this.#kind.value as EventKind, text: this.#find.value });
    const folded = this.#fold.checked
      ? foldEvents(fitting)
      : fitting.map((event) => ({ event, count: 1, firstAt: event.at }));
    const page = folded.slice(0, this.#limit);
    const items = page.map((entry): [string, HTMLElement] => {
      const key = `${entry.event.id} ${entry.count} ${entry.firstAt}`;
      return [key, this.#items.get(key) ?? this.#itemOf(entry)];
    });
    this.#items = new Map(items);
    setChildren(this.#list, [...this.#items.values()]);
    this.#more.hidden = folded.length <= this.#limit;
    setText(this.#shown, `${count(fitting.length)} of ${plural(this.#events.length, 'event')}`);
  }

  #itemOf({ event, count: number, firstAt }: FoldedEvent): HTMLElement {
    const { sign, label, tone, subject, text, lines } = eventText(event);
    const time = make('time', { datetime: event.at, title: day(event.at) }, clock(event.at));
    const name =
      event.kind === 'change'
        ? makeButton(subject, () => this.#choose(subject), { class: 'link' })
        : make('strong', {}, subject);
    const times = number === 1 ? [] : [make('span', { class: 'mark' }, `${number} times since ${clock(firstAt)}`)];
    const head = make('div', { class: 'line' }, time, toneBadge(sign, label, tone), name, ...times);
    const rest = lines.map((line) => make('div', { class: 'minor' }, line));
    return make('li', { 'data-id': event.id, 'data-tone': tone }, head, make('div', {}, text), ...rest);
  }
}
