// Endpoints that operators have added at run time, by upstream. Thread: main.

import type { SavedAddedEndpoint } from '../config/files/saved-state.ts';
import type { SourcedEndpoint } from '../discovery/discovery.ts';
import { type DiscoveredEndpoint, idOf } from '../discovery/source.ts';

/** Source of such endpoints. */
const ADDED_SOURCE = 'api';

export class AddedEndpoints {
  /** By upstream, then by address. */
  readonly #added = new Map<string, Map<string, DiscoveredEndpoint>>();
  readonly #listeners = new Set<() => void>();

  of(upstream: string): readonly SourcedEndpoint[] {
    const added = this.#added.get(upstream) ?? [];
    return Array.from(added, ([id, endpoint]) => ({ id, source: ADDED_SOURCE, origin: ADDED_SOURCE, endpoint }));
  }

  /** Adds an endpoint, or replaces the one of its address. */
  set(upstream: string, endpoint: DiscoveredEndpoint): void {
    this.#put(upstream, endpoint);
    this.#notify();
  }

  /** Returns false where there is none of the address. */
  remove(upstream: string, id: string): boolean {
    const added = this.#added.get(upstream);
    if (added?.delete(id) !== true) return false;
    if (added.size === 0) this.#added.delete(upstream);
    this.#notify();
    return true;
  }

  /** Forgets the endpoints of all other upstreams. @returns the upstreams that had some */
  retain(upstreams: readonly string[]): readonly string[] {
    const known = new Set(upstreams);
    const gone = [...this.#added.keys()].filter((upstream) => !known.has(upstream));
    for (const upstream of gone) this.#added.delete(upstream);
    if (gone.length > 0) this.#notify();
    return gone;
  }

  /** State to save for a restart. */
  save(): SavedAddedEndpoint[] {
    return [...this.#added].flatMap(([upstream, added]) =>
      Array.from(added.values(), (endpoint) => ({ upstream, ...endpoint })),
    );
  }

  /** Takes saved state over, before the first Snapshot is prepared. */
  restore(saved: readonly SavedAddedEndpoint[]): void {
    for (const { upstream, ...endpoint } of saved) this.#put(upstream, endpoint);
  }

  /** Calls `listener` after each change; the returned function ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #put(upstream: string, endpoint: DiscoveredEndpoint): void {
    const added = this.#added.get(upstream) ?? new Map<string, DiscoveredEndpoint>();
    this.#added.set(upstream, added.set(idOf(endpoint), endpoint));
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
