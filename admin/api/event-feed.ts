// What has happened, numbered: changes of endpoints and reloads, the newest thousand. Thread: main.

import type { HealthEvent } from '../../health/record/health-events.ts';
import type { AdminHealth } from '../admin-context.ts';
import { changeOf } from './endpoint-facts.ts';
import type { EventReply, ReloadEvent } from './reply-schemas.ts';

/** As many as health keeps. */
export const MAX_EVENTS = 1000;

/** From its construction to `stop`. */
export class EventFeed {
  /** Tells the numbers of this process from those of an earlier one. */
  readonly #epoch: string;
  readonly #ring: EventReply[] = [];
  readonly #listeners = new Set<(event: EventReply) => void>();
  readonly #unsubscribe: () => void;
  #count = 0;

  /** @param startedAt wall-clock ms at which the process began */
  constructor(events: AdminHealth['events'], startedAt: number) {
    this.#epoch = startedAt.toString(36);
    for (const event of events.list()) this.#addChange(event);
    this.#unsubscribe = events.subscribe((event) => this.#addChange(event));
  }

  /** What is kept, oldest first. */
  list(): readonly EventReply[] {
    return this.#ring;
  }

  /** What came after an event. Of one that isn't known (any more), all that is kept. */
  since(lastEventId: string): readonly EventReply[] {
    return this.#ring.slice(this.#ring.findIndex(({ id }) => id === lastEventId) + 1);
  }

  addReload(reload: ReloadEvent): void {
    this.#add({ id: this.#nextId(), kind: 'reload', ...reload });
  }

  /** Calls `listener` at every event from now on; the returned function ends that. Listeners must not throw. */
  subscribe(listener: (event: EventReply) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop(): void {
    this.#unsubscribe();
  }

  #addChange(event: HealthEvent): void {
    this.#add({ id: this.#nextId(), kind: 'change', ...changeOf(event) });
  }

  #nextId(): string {
    this.#count++;
    return `${this.#epoch}-${this.#count}`;
  }

  #add(event: EventReply): void {
    this.#ring.push(event);
    if (this.#ring.length > MAX_EVENTS) this.#ring.shift();
    for (const listener of this.#listeners) listener(event);
  }
}
