// Folds repeated events: changes of the same kind of one endpoint become one entry with their number. Pure. Runs in the
// browser.

import type { FeedEvent } from '../types.ts';
import { eventText } from './event-texts.ts';

export type EventKind = '' | 'problem' | FeedEvent['kind'];

export interface EventFilter {
  readonly kind: EventKind;
  readonly text: string;
}

export interface FoldedEvent {
  /** The newest one. */
  readonly event: FeedEvent;
  readonly count: number;
  /** Time of the oldest one. */
  readonly firstAt: string;
}

/** Events that fit, newest first. */
export function filterEvents(events: readonly FeedEvent[], { kind, text }: EventFilter): FeedEvent[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return events.filter((event) => {
    const { tone, subject, text: sentence, lines, label } = eventText(event);
    if (kind === 'problem' ? tone !== 'bad' : kind !== '' && event.kind !== kind) return false;
    const haystack = [subject, label, sentence, ...lines].join(' ').toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
}

/** Events of one subject that are further apart stay separate entries. */
const FOLD_MS = 10 * 60_000;

/** Folds events, newest first: an event joins the entry of its subject, even if other subjects had events between. */
export function foldEvents(events: readonly FeedEvent[]): FoldedEvent[] {
  const folded: { event: FeedEvent; count: number; firstAt: string }[] = [];
  const latest = new Map<string, (typeof folded)[number]>();
  for (const event of events) {
    const subject = subjectOf(event);
    const known = latest.get(subject);
    if (known !== undefined && Date.parse(known.firstAt) - Date.parse(event.at) <= FOLD_MS) {
      known.count++;
      known.firstAt = event.at;
      continue;
    }
    const entry = { event, count: 1, firstAt: event.at };
    folded.push(entry);
    latest.set(subject, entry);
  }
  return folded;
}

/** Ups and downs of one axis of an endpoint are one subject; other events are never folded. */
function subjectOf(event: FeedEvent): string {
  return event.kind === 'change' ? `${event.upstream}/${event.endpoint}/${event.axis}` : event.id;
}
