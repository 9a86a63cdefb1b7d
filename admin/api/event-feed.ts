// Numbered events: state changes of endpoints, reloads, changes of maintenance and splits, the newest thousand; and as many of
// discovery, whose changes of endpoints may be a hundred a second. Thread: main.

import type { HealthEvent } from '../../health/record/health-events.ts';
import type { AdminHealth } from '../admin-context.ts';
import { changeOf } from './endpoint-facts.ts';
import type {
  EventReply,
  MaintenanceEvent,
  MembershipEvent,
  ProviderEventReply,
  ReloadEvent,
  SourceEventReply,
  SplitEvent,
} from './reply-schemas.ts';

/** Same capacity as health's ring of events. */
export const MAX_EVENTS = 1000;

/** Records from construction to `stop`. */
export class EventFeed {
  /** Distinguishes the numbers of this process from those of an earlier one. */
  readonly #epoch: string;
  readonly #states: EventReply[] = [];
  readonly #discoveries: EventReply[] = [];
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
    if (this.#discoveries.length === 0) return this.#states;
    return [...this.#states, ...this.#discoveries].toSorted((a, b) => numberOf(a) - numberOf(b));
  }

  /** Events after the given one; all kept events when it is unknown or expired. */
  since(lastEventId: string): readonly EventReply[] {
    const all = this.list();
    return all.slice(all.findIndex(({ id }) => id === lastEventId) + 1);
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

  addSource(change: SourceEventReply): void {
    this.#add({ id: this.#nextId(), kind: 'source', ...change }, this.#discoveries);
  }

  addProvider(change: ProviderEventReply): void {
    this.#add({ id: this.#nextId(), kind: 'provider', ...change }, this.#discoveries);
  }

  addMembership(change: MembershipEvent): void {
    this.#add({ id: this.#nextId(), kind: 'membership', ...change }, this.#discoveries);
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

  #add(event: EventReply, ring = this.#states): void {
    ring.push(event);
    if (ring.length > MAX_EVENTS) ring.shift();
    for (const listener of this.#listeners) listener(event);
  }
}

function numberOf({ id }: EventReply): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}
