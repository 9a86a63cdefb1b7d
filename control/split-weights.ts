// Weights of splits that an operator has set at run time. Puts them into each Snapshot in place of the configured ones;
// publishes the Snapshot again when one changes. Thread: main.

import type { AdminSplits, SplitView, SplitWeightChange, SplitWeightRequest } from '../admin/admin-context.ts';
import type { SavedSplitWeight } from '../config/files/saved-state.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { RouteSnapshot } from '../core/snapshot/route.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import { split, type SplitData } from '../proxy/policies/split.ts';
import type { SnapshotConsumer, SnapshotGate } from './snapshot-owner.ts';

export interface SplitWeightsParts {
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Logger;
  /** The Snapshot that runs, with the configured weights. */
  readonly configured: () => Snapshot;
  /** Publishes the Snapshot again. @throws why it can't be published */
  readonly publish: () => Promise<void>;
  readonly onChange: (change: SplitWeightChange) => void;
}

export class SplitWeights implements AdminSplits, SnapshotGate, SnapshotConsumer {
  readonly #parts: SplitWeightsParts;
  /** By route, then by upstream. */
  readonly #set = new Map<string, Map<string, SavedSplitWeight>>();
  readonly #listeners = new Set<() => void>();

  constructor(parts: SplitWeightsParts) {
    this.#parts = parts;
  }

  prepare(next: Snapshot): Promise<Snapshot> {
    if (this.#set.size === 0) return Promise.resolve(next);
    return Promise.resolve(Object.freeze({ ...next, routes: next.routes.map((route) => this.#weighted(route)) }));
  }

  /** Forgets weights whose configured ones have changed: a change in the file is intentional. */
  apply(): void {
    const configured = new Map(splitsOf(this.#parts.configured()).map(({ route, data }) => [route, data]));
    for (const one of this.save()) {
      const { route, upstream } = one;
      const weight = weightIn(configured.get(route), upstream);
      if (weight === one.configured) continue;
      this.#forget(one);
      const to = weight ?? 0;
      this.#note({ route, upstream, from: one.weight, to, cause: 'the configuration has another weight now' });
    }
  }

  stop(): void {
    this.#listeners.clear();
  }

  list(): readonly SplitView[] {
    return splitsOf(this.#parts.configured()).map(({ route, data }) => {
      const weights = this.#weightsOf(route, data);
      const upstreams = data.upstreams.map((name, at) => ({
        name,
        weight: weights[at]!,
        configuredWeight: data.weights[at]!,
      }));
      return { route, upstreams };
    });
  }

  /**
   * Sets a weight, or takes the configured one back; returns when all workers act so. The route must have a split with
   * the upstream.
   * @param by for log and events, as in `admin API`
   * @throws RangeError where no upstream would have a share; why the Snapshot can't be published. Nothing has changed then
   */
  async set({ route, upstream, weight }: SplitWeightRequest, by: string): Promise<void> {
    const view = this.list().find((one) => one.route === route)!;
    const { weight: from, configuredWeight } = view.upstreams.find(({ name }) => name === upstream)!;
    const to = weight ?? configuredWeight;
    const sum = view.upstreams.reduce((total, one) => total + (one.name === upstream ? to : one.weight), 0);
    if (sum === 0) throw new RangeError('every weight would be 0: at least one upstream needs a share');
    const before = this.#set.get(route)?.get(upstream);
    if (from === to && (weight === null) === (before === undefined)) return;
    const changed = { route, upstream, weight: to, configured: configuredWeight };
    if (weight === null) this.#forget(changed);
    else this.#remember(changed);
    try {
      await this.#parts.publish();
    } catch (error) {
      if (before === undefined) this.#forget(changed);
      else this.#remember(before);
      throw error;
    }
    this.#note({ route, upstream, from, to, cause: `set to ${to} by ${by}` });
  }

  /** State to save for a restart. */
  save(): SavedSplitWeight[] {
    return [...this.#set.values()].flatMap((ofRoute) => [...ofRoute.values()]);
  }

  /** Takes saved state over, before the first Snapshot is prepared. */
  restore(saved: readonly SavedSplitWeight[]): void {
    for (const one of saved) this.#remember(one);
    if (saved.length === 0) return;
    this.#parts.log.info({ weights: saved.length }, `${saved.length} weight(s) of splits kept over a restart`);
  }

  /** Calls `listener` after each change; the returned function ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #remember(one: SavedSplitWeight): void {
    const ofRoute = this.#set.get(one.route) ?? new Map<string, SavedSplitWeight>();
    this.#set.set(one.route, ofRoute.set(one.upstream, one));
  }

  #forget({ route, upstream }: Pick<SavedSplitWeight, 'route' | 'upstream'>): void {
    const ofRoute = this.#set.get(route);
    ofRoute?.delete(upstream);
    if (ofRoute?.size === 0) this.#set.delete(route);
  }

  /** Weights in effect: those set whose configured ones are still the same. */
  #weightsOf(route: string, { upstreams, weights }: SplitData['split']): readonly number[] {
    const set = this.#set.get(route);
    if (set === undefined) return weights;
    const effective = upstreams.map((upstream, at) => {
      const one = set.get(upstream);
      return one !== undefined && one.configured === weights[at] ? one.weight : weights[at]!;
    });
    return effective.every((weight) => weight === 0) ? weights : effective;
  }

  #weighted(route: RouteSnapshot): RouteSnapshot {
    const data = this.#set.has(route.name) ? splitDataOf(route) : undefined;
    if (data === undefined) return route;
    const weighted: SplitData = { route: route.name, split: { ...data, weights: this.#weightsOf(route.name, data) } };
    const policies = route.policies.map((one) => (one.name === split.name ? { ...one, data: weighted } : one));
    return Object.freeze({ ...route, policies });
  }

  #note(change: Omit<SplitWeightChange, 'at'>): void {
    const { route, upstream, from, to, cause } = change;
    const text = `upstream ${upstream} has weight ${to} instead of ${from} in the split of route ${route}: ${cause}`;
    this.#parts.log.info(change, text);
    this.#parts.onChange({ at: this.#parts.clock.wallMs(), ...change });
    for (const listener of this.#listeners) listener();
  }
}

interface RouteSplit {
  readonly route: string;
  readonly data: SplitData['split'];
}

/** Splits are looked up once a Snapshot: there may be thousands of routes, and each scrape needs them. */
const known = new WeakMap<Snapshot, readonly RouteSplit[]>();

function splitsOf(snapshot: Snapshot): readonly RouteSplit[] {
  let splits = known.get(snapshot);
  if (splits !== undefined) return splits;
  splits = snapshot.routes.flatMap((route) => {
    const data = splitDataOf(route);
    return data === undefined ? [] : [{ route: route.name, data }];
  });
  known.set(snapshot, splits);
  return splits;
}

function splitDataOf({ policies }: RouteSnapshot): SplitData['split'] | undefined {
  const data = policies.find(({ name }) => name === split.name)?.data as SplitData | undefined;
  return data?.split;
}

function weightIn(data: SplitData['split'] | undefined, upstream: string): number | undefined {
  const at = data?.upstreams.indexOf(upstream) ?? -1;
  return at < 0 ? undefined : data!.weights[at];
}
