// Roster of endpoints by slot and upstreams by index, kept over reloads by the identity of their slot
// (slot and generation), so that a reload forgets no verdict. Thread: main.

import type { EndpointSnapshot } from '../core/snapshot/endpoint.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import { EndpointHealth, UpstreamHealth, type Moment } from './state/endpoint-health.ts';
import type { StateEdge } from './state/endpoint-state.ts';

/** Changes of a Snapshot. */
export interface RosterChange {
  readonly added: readonly EndpointHealth[];
  readonly kept: readonly EndpointHealth[];
  readonly removed: readonly EndpointHealth[];
}

export class HealthRoster {
  readonly #onEdge: (health: EndpointHealth, edge: StateEdge) => void;
  #upstreams = new Map<number, UpstreamHealth>();
  readonly #bySlot = new Map<number, EndpointHealth>();

  constructor(onEdge: (health: EndpointHealth, edge: StateEdge) => void) {
    this.#onEdge = onEdge;
  }

  get upstreams(): Iterable<UpstreamHealth> {
    return this.#upstreams.values();
  }

  get endpoints(): Iterable<EndpointHealth> {
    return this.#bySlot.values();
  }

  bySlot(slot: number): EndpointHealth | undefined {
    return this.#bySlot.get(slot);
  }

  /** The endpoint as the operator names it: with or without its upstream in front. */
  byName(upstream: string, endpoint: string): EndpointHealth | undefined {
    for (const { snapshot, endpoints } of this.#upstreams.values()) {
      if (snapshot.name !== upstream) continue;
      for (const health of endpoints.values()) {
        if (health.endpoint.name === endpoint || health.endpoint.id === endpoint) return health;
      }
    }
    return undefined;
  }

  apply(snapshot: Snapshot, now: Moment): RosterChange {
    const removed = this.#removeMissing(snapshot);
    const before = this.#upstreams;
    this.#upstreams = new Map();
    const added: EndpointHealth[] = [];
    const kept: EndpointHealth[] = [];
    for (const upstreamSnapshot of snapshot.upstreams) {
      const upstream = takeUpstream(before, upstreamSnapshot);
      this.#upstreams.set(upstreamSnapshot.index, upstream);
      for (const endpoint of upstreamSnapshot.endpoints) {
        const known = this.#bySlot.get(endpoint.slot);
        if (known === undefined) added.push(this.#add(upstream, endpoint, now));
        else {
          known.update(endpoint);
          kept.push(known);
        }
      }
    }
    return { added, kept, removed };
  }

  /** Takes other endpoints of one upstream over. */
  amend(snapshot: UpstreamSnapshot, now: Moment): RosterChange & { readonly health: UpstreamHealth } {
    const upstream = takeUpstream(this.#upstreams, snapshot);
    this.#upstreams.set(snapshot.index, upstream);
    const present = new Map(snapshot.endpoints.map((endpoint) => [endpoint.slot, endpoint.generation]));
    const removed = [...upstream.endpoints.values()].filter(
      ({ slot, endpoint }) => present.get(slot) !== endpoint.generation,
    );
    for (const health of removed) this.#remove(health);
    const added: EndpointHealth[] = [];
    const kept: EndpointHealth[] = [];
    for (const endpoint of snapshot.endpoints) {
      const known = this.#bySlot.get(endpoint.slot);
      if (known === undefined) added.push(this.#add(upstream, endpoint, now));
      else if (known.endpoint !== endpoint) {
        known.update(endpoint);
        kept.push(known);
      }
    }
    return { added, kept, removed, health: upstream };
  }

  #add(upstream: UpstreamHealth, endpoint: EndpointSnapshot, now: Moment): EndpointHealth {
    const health = new EndpointHealth(upstream, endpoint, now, this.#onEdge);
    upstream.endpoints.set(endpoint.slot, health);
    this.#bySlot.set(endpoint.slot, health);
    return health;
  }

  #removeMissing(snapshot: Snapshot): EndpointHealth[] {
    const present = new Set<string>();
    for (const upstream of snapshot.upstreams) {
      for (const endpoint of upstream.endpoints) present.add(identityOf(upstream, endpoint));
    }
    const removed = [...this.#bySlot.values()].filter(
      ({ upstream, endpoint }) => !present.has(identityOf(upstream.snapshot, endpoint)),
    );
    for (const health of removed) this.#remove(health);
    return removed;
  }

  #remove({ slot, upstream }: EndpointHealth): void {
    this.#bySlot.delete(slot);
    upstream.endpoints.delete(slot);
  }
}

/** The upstream's record stays with its index and name. */
function takeUpstream(before: ReadonlyMap<number, UpstreamHealth>, snapshot: UpstreamSnapshot): UpstreamHealth {
  const known = before.get(snapshot.index);
  if (known === undefined || known.snapshot.name !== snapshot.name) return new UpstreamHealth(snapshot);
  known.snapshot = snapshot;
  return known;
}

function identityOf(upstream: UpstreamSnapshot, endpoint: EndpointSnapshot): string {
  return JSON.stringify([upstream.index, upstream.name, endpoint.slot, endpoint.generation]);
}
