// Journal of membership: which endpoints were added to upstreams and removed from them, by which origin, and why. Emits an
// event and a log line for each change, and remembers removed endpoints for a while. Thread: main.

import type { EndpointDeparture, MembershipChange } from '../admin/admin-context.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { EndpointSnapshot } from '../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import { sourceNamed } from '../discovery/sources.ts';

/** Removed endpoints that are remembered. */
const MOST_DEPARTURES = 1_000;
/** Addresses in one log line. */
const MOST_LOGGED = 5;

export interface JournalParts {
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Logger;
  readonly onEvent: (event: MembershipChange) => void;
}

type Members = UpstreamSnapshot['endpoints'];

export class MembershipJournal {
  readonly #parts: JournalParts;
  /** By name, oldest first. */
  readonly #departures = new Map<string, EndpointDeparture>();

  constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  /** Records a change of an upstream without a reload. @param who acted, where an operator did; '' for sources */
  amended(upstream: string, before: Members, after: Members, who = ''): void {
    const { added, removed } = differenceOf(before, after);
    const origins = new Set([...added, ...removed].map(({ origin }) => origin));
    for (const origin of origins) {
      const isOf = (endpoint: EndpointSnapshot): boolean => endpoint.origin === origin;
      const gone = removed.filter(isOf);
      const cause = who === '' ? (gone.length === 0 ? '' : absenceOf(gone[0]!)) : `by ${who}`;
      this.#note({ upstream, origin, cause, added: idsOf(added.filter(isOf)), removed: idsOf(gone) });
    }
  }

  /** Records a reload, which reports its changes itself: only removed endpoints are remembered. */
  reloaded(before: readonly UpstreamSnapshot[], after: readonly UpstreamSnapshot[]): void {
    const now = new Map(after.map((upstream) => [upstream.name, upstream]));
    for (const { name, endpoints } of before) {
      const upstream = now.get(name);
      if (upstream?.endpoints === endpoints) continue;
      for (const endpoint of differenceOf(endpoints, upstream?.endpoints ?? []).removed) {
        const cause =
          upstream === undefined ? `the configuration no longer has upstream ${name}` : unconfigured(endpoint);
        this.#remember(`${name}/${endpoint.id}`, endpoint.origin, cause);
      }
    }
  }

  /** When and why an endpoint was removed; null where that isn't known. */
  departureOf(upstream: string, id: string): EndpointDeparture | null {
    return this.#departures.get(`${upstream}/${id}`) ?? null;
  }

  #note({ upstream, origin, added, removed, cause }: Omit<MembershipChange, 'at'>): void {
    for (const id of added) this.#departures.delete(`${upstream}/${id}`);
    for (const id of removed) this.#remember(`${upstream}/${id}`, origin, cause);
    const { clock, log, onEvent } = this.#parts;
    onEvent({ at: clock.wallMs(), upstream, origin, added, removed, cause });
    const changes = [...listWords('added', added), ...listWords('removed', removed)].join(', ');
    const fields = { upstream, origin, added: added.length, removed: removed.length };
    log.info(fields, `endpoints of upstream ${upstream} (${origin}): ${changes}${cause === '' ? '' : `; ${cause}`}`);
  }

  #remember(name: string, origin: string, cause: string): void {
    this.#departures.delete(name);
    this.#departures.set(name, { at: this.#parts.clock.wallMs(), origin, cause });
    if (this.#departures.size > MOST_DEPARTURES) this.#departures.delete(this.#departures.keys().next().value!);
  }
}

/** An endpoint that another origin has now is neither added nor removed. */
function differenceOf(before: Members, after: Members): { readonly added: Members; readonly removed: Members } {
  const [old, present] = [new Set(before.map(({ id }) => id)), new Set(after.map(({ id }) => id))];
  return { added: after.filter(({ id }) => !old.has(id)), removed: before.filter(({ id }) => !present.has(id)) };
}

function idsOf(endpoints: Members): readonly string[] {
  return endpoints.map(({ id }) => id);
}

function absenceOf({ source }: EndpointSnapshot): string {
  return sourceNamed(source).absence ?? 'no longer in its set';
}

function unconfigured({ source }: EndpointSnapshot): string {
  return source === 'config' ? 'no longer in the configuration' : 'its source is no longer in the configuration';
}

/** `10.0.0.1:3000 and 2 more added`; empty for none. */
function listWords(verb: string, ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return [];
  const more = ids.length > MOST_LOGGED ? ` and ${ids.length - MOST_LOGGED} more` : '';
  return [`${ids.slice(0, MOST_LOGGED).join(' ')}${more} ${verb}`];
}
