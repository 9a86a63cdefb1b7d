// Numbered events: state changes of endpoints, reloads, changes of maintenance and splits, the newest thousand. Thread: main.

import type { HealthEvent } from '../../health/record/health-events.ts';
import type { AdminHealth } from '../admin-context.ts';
import { changeOf } from './endpoint-facts.ts';
import type { EventReply, MaintenanceEvent, ReloadEvent, SplitEvent } from './reply-schemas.ts';

/** Same capacity as health's ring of events. */
export const MAX_EVENTS = 1000;

/** Records from construction to `stop`. */
export class EventFeed {
  /** Distinguishes the numbers of this process from those of an earlier one. */
  readonly #epoch: string;
  readonly #ring: EventReply[] = [];
  readonly #listeners = new Set<(event: EventReply) => void>();
  readonly #unsubscribe: () => void;
  #count = 0;

  /** @param startedAt start of the process in wall-clock ms */
  constructor(events: AdminHealth['events'], startedAt: number) {
    this.#epoch = startedAt.toString(36);
    for (const event of events.list()) this.#addChange(event);
    this.#unsubscribe = events.subscribe((event) => this.#addChange(event));
  }

  /** Kept events, oldest first. */
  list(): readonly EventReply[] {
    return this.#ring;
  }

  /** Events after the given one; all kept events when it is unknown or expired. */
  since(lastEventId: string): readonly EventReply[] {
    return this.#ring.slice(this.#ring.findIndex(({ id }) => id === lastEventId) + 1);
  }

  addReload(reload: ReloadEvent): void {
    this.#add({ id: this.#nextId(), kind: 'reload', ...reload });
  }

  addMaintenance(change: MaintenanceEvent): void {
    this.#add({ id: this.#nextId(), kind: 'maintenance', ...change });
  }

  addSplit(change: SplitEvent): void {
    this.#add({ id: this.#nextId(), kind: 'split', ...change });
  }

  /** Calls `listener` for every future event; the returned function unsubscribes. Listeners must not throw. */
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
