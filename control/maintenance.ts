// Routes and upstreams in maintenance. Adds their policies to each Snapshot, so that the others cost nothing; publishes
// the Snapshot again when an operator changes one. Thread: main.

import type { AdminMaintenance, MaintenanceChange, MaintenanceRequest } from '../admin/admin-context.ts';
import type { CompileTables } from '../config/compile/compile.ts';
import type { SavedMaintenance } from '../config/files/saved-state.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { MaintenanceSwitch } from '../core/snapshot/maintenance.ts';
import type { PolicySnapshot } from '../core/snapshot/policy.ts';
import type { RouteSnapshot } from '../core/snapshot/route.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import { maintenance, type MaintenanceData, upstreamMaintenance } from '../proxy/policies/maintenance.ts';
import type { SnapshotConsumer, SnapshotGate } from './snapshot-owner.ts';

interface MaintenanceParts {
  readonly tables: Pick<CompileTables, 'policies'>;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Logger;
  /** Publishes the Snapshot again. @throws why it can't be published */
  readonly publish: () => Promise<void>;
  readonly onChange: (change: MaintenanceChange) => void;
}

type Indexes = Readonly<Record<'route' | 'upstream', number>>;

export class Maintenance implements AdminMaintenance, SnapshotGate, SnapshotConsumer {
  readonly #parts: MaintenanceParts;
  /** Blocks of the two policies in the workers' lanes. */
  readonly #indexes: Indexes;
  /** By kind and name. */
  readonly #switches = new Map<string, MaintenanceSwitch>();
  readonly #listeners = new Set<() => void>();

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
    const [route, upstream] = parts.tables.policies.assign([maintenance.name, upstreamMaintenance.name], 1);
    this.#indexes = { route: route!.slot, upstream: upstream!.slot };
  }

  prepare(next: Snapshot): Promise<Snapshot> {
    return Promise.resolve(withMaintenance(next, this.list(), this.#indexes));
  }

  /** Forgets what the configuration no longer has. */
  apply({ routes, upstreams }: Snapshot): void {
    const known = new Set([
      ...routes.map(({ name }) => `route ${name}`),
      ...upstreams.map(({ name }) => `upstream ${name}`),
    ]);
    for (const [key, { of, name }] of this.#switches) {
      if (known.has(key)) continue;
      this.#switches.delete(key);
      this.#note({ of, name, isOn: false, cause: 'the configuration no longer has it' });
    }
  }

  stop(): void {
    this.#listeners.clear();
  }

  /** Routes and upstreams in maintenance, in the order in which they were set. */
  list(): readonly MaintenanceSwitch[] {
    return [...this.#switches.values()];
  }

  /**
   * Sets or ends maintenance; returns when all workers act so. The route or upstream must exist.
   * @param by for log and events, as in `admin API`
   * @throws why the Snapshot can't be published; nothing has changed then
   */
  async set({ of, name, isOn, retryAfterS }: MaintenanceRequest, by: string): Promise<void> {
    const key = `${of} ${name}`;
    const before = this.#switches.get(key);
    if (isOn ? before?.retryAfterS === retryAfterS : before === undefined) return;
    const at = before?.at ?? this.#parts.clock.wallMs();
    if (isOn) this.#switches.set(key, { of, name, retryAfterS, at, by });
    else this.#switches.delete(key);
    try {
      await this.#parts.publish();
    } catch (error) {
      if (before === undefined) this.#switches.delete(key);
      else this.#switches.set(key, before);
      throw error;
    }
    this.#note({ of, name, isOn, cause: `switched ${isOn ? 'on' : 'off'} by ${by}` });
  }

  /** State to save for a restart. */
  save(): SavedMaintenance[] {
    return [...this.#switches.values()];
  }

  /** Takes saved state over, before the first Snapshot is prepared. */
  restore(saved: readonly SavedMaintenance[]): void {
    for (const one of saved) this.#switches.set(`${one.of} ${one.name}`, one);
    if (saved.length === 0) return;
    const names = saved.map(({ of, name }) => `${of} ${name}`);
    this.#parts.log.info({ names }, `maintenance kept over a restart: ${names.join(', ')}`);
  }

  /** Calls `listener` after each change; the returned function ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #note(change: Omit<MaintenanceChange, 'at'>): void {
    const { of, name, isOn, cause } = change;
    const state = isOn ? 'is in maintenance' : 'is no longer in maintenance';
    this.#parts.log.info({ [of]: name, maintenance: isOn, cause }, `${of} ${name} ${state}: ${cause}`);
    this.#parts.onChange({ at: this.#parts.clock.wallMs(), ...change });
    for (const listener of this.#listeners) listener();
  }
}

/** The Snapshot with the policies of maintenance on the routes and upstreams that are in it. */
function withMaintenance(snapshot: Snapshot, switches: readonly MaintenanceSwitch[], indexes: Indexes): Snapshot {
  if (switches.length === 0) return snapshot;
  const named = (of: MaintenanceSwitch['of']) =>
    new Map(switches.filter((one) => one.of === of).map((one) => [one.name, Object.freeze(dataOf(one))]));
  const [ofRoutes, ofUpstreams] = [named('route'), named('upstream')];
  const upstreamAt = new Map(snapshot.upstreams.map((upstream) => [upstream.index, upstream]));
  const upstreamData = (route: RouteSnapshot): MaintenanceData | undefined => {
    if (route.action.kind !== 'upstream' || choosesUpstream(route)) return undefined;
    const upstream = upstreamAt.get(route.action.upstream)!;
    return withBypass(ofUpstreams.get(upstream.name), upstream, upstreamMaintenance.name);
  };
  return Object.freeze({
    ...snapshot,
    routes: snapshot.routes.map((route) => {
      const data = withBypass(ofRoutes.get(route.name), route, maintenance.name) ?? upstreamData(route);
      return withPolicy(route, maintenance, indexes.route, data);
    }),
    upstreams: snapshot.upstreams.map((upstream) =>
      withPolicy(
        upstream,
        upstreamMaintenance,
        indexes.upstream,
        withBypass(ofUpstreams.get(upstream.name), upstream, upstreamMaintenance.name),
      ),
    ),
  });
}

function dataOf({ of, name, retryAfterS }: MaintenanceSwitch): MaintenanceData {
  return { maintenance: { of, name, retryAfterS }, bypass: null };
}

/** Adds the testers that a place is configured with. */
function withBypass(
  data: MaintenanceData | undefined,
  { policies }: Pick<RouteSnapshot, 'policies'>,
  policy: string,
): MaintenanceData | undefined {
  const configured = policies.find(({ name }) => name === policy)?.data as MaintenanceData | undefined;
  return data === undefined || configured === undefined ? data : Object.freeze({ ...data, bypass: configured.bypass });
}

/** Whether the upstream in the action may be another one than that of a request. */
function choosesUpstream({ policies }: RouteSnapshot): boolean {
  return policies.some(({ needs }) => needs.includes('choose-upstream'));
}

function withPolicy<Place extends RouteSnapshot | UpstreamSnapshot>(
  place: Place,
  { name, stage, needs }: typeof maintenance | typeof upstreamMaintenance,
  index: number,
  data: MaintenanceData | undefined,
): Place {
  if (data === undefined) return place;
  const policy: PolicySnapshot = { name, index, stage, needs, data };
  const others = place.policies.filter((one) => one.name !== name);
  return Object.freeze<Place>({ ...place, policies: [policy, ...others] });
}
