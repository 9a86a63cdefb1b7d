// Membership of upstreams: unites configured endpoints with those of discovery sources. Completes each Snapshot, and
// changes endpoints of the one that runs in batches, without a reload. Thread: main.

import type { EndpointDeparture, MembershipChange } from '../admin/admin-context.ts';
import { CapacityError, type SlotTable } from '../config/compile/slots.ts';
import { listFiles, parseEndpointList } from '../config/files/endpoint-list.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { EndpointChange } from '../core/messages.ts';
import type { Random } from '../core/random.ts';
import type { EndpointSnapshot } from '../core/snapshot/endpoint.ts';
import type { Snapshot } from '../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import { Discovery, type SourcedEndpoint } from '../discovery/discovery.ts';
import { areSettingsEqual, type DiscoveredEndpoint, idOf } from '../discovery/source.ts';
import type { SourceEvent, SourceView } from '../discovery/source-runner.ts';
import { AddedEndpoints } from './added-endpoints.ts';
import { MembershipJournal } from './membership-journal.ts';
import type { SnapshotConsumer, SnapshotGate, SnapshotOwner } from './snapshot-owner.ts';

/** Changes within this time make one batch: at most ten batches a second reach the workers. */
const BATCH_MS = 100;
/** Changes that can't be applied now are tried again after this time: slots of removed endpoints become free. */
const AGAIN_MS = 1_000;

export interface MembershipParts {
  readonly slots: SlotTable;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  /** A source has failed or recovered, or endpoints were added or removed. */
  readonly onSource: (event: SourceEvent) => void;
  readonly onMembers: (event: MembershipChange) => void;
  /** The owner of the Snapshot, which knows this part and is made after it. */
  readonly owner: () => Pick<SnapshotOwner, 'current' | 'isInstalling' | 'amend'>;
}

type Changed = EndpointChange['upstreams'][number];

export class Membership implements SnapshotGate, SnapshotConsumer {
  readonly #parts: MembershipParts;
  readonly #discovery: Discovery;
  /** Endpoints that operators have added. */
  readonly added = new AddedEndpoints();
  readonly #journal: MembershipJournal;
  /** Upstreams of the Snapshot that runs; empty before the first. */
  #upstreams: readonly UpstreamSnapshot[] = [];
  /** Names of upstreams whose endpoints have changed since the last batch. */
  readonly #changed = new Set<string>();
  /** Upstreams whose sets don't fit: logged once each. */
  readonly #tooLarge = new Set<string>();
  #timer: TimerHandle | null = null;
  #isStopped = false;
  /** Batches so far. */
  #count = 0;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    const onChange = (upstream: string): void => this.note(upstream);
    const reading = { files: listFiles(parts), parseList: parseEndpointList };
    this.#discovery = new Discovery({ ...parts, ...reading, onChange, onEvent: parts.onSource });
    this.#journal = new MembershipJournal({ ...parts, onEvent: parts.onMembers });
  }

  /** Starts new sources, and adds the endpoints that are known. @throws CapacityError */
  async prepare(next: Snapshot): Promise<Snapshot> {
    await this.#discovery.prepare(next.upstreams);
    const upstreams = next.upstreams.map((upstream) => {
      const endpoints = this.#endpointsOf(upstream, next.revision);
      return endpoints === null ? upstream : Object.freeze({ ...upstream, endpoints });
    });
    return Object.freeze({ ...next, membership: this.#count, upstreams });
  }

  discard(): Promise<void> {
    this.#discovery.discard();
    return Promise.resolve();
  }

  apply({ upstreams }: Snapshot): void {
    this.#discovery.apply(upstreams);
    this.#journal.reloaded(this.#upstreams, upstreams);
    this.#upstreams = upstreams;
    for (const upstream of this.added.retain(upstreams.map(({ name }) => name))) {
      const text = `endpoints added to upstream ${upstream} are forgotten: the configuration no longer has it`;
      this.#parts.log.info({ upstream }, text);
    }
    // A source may have changed its set since the Snapshot was prepared.
    for (const { name, discovery } of upstreams) if (discovery !== null) this.note(name);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#discovery.stop();
  }

  /**
   * Adds an endpoint to an upstream, or replaces the added one of its address. Resolves when it is sent to the workers.
   * @param who for the log, as in `admin API`
   * @throws CapacityError
   */
  async add(upstream: string, endpoint: DiscoveredEndpoint, who: string): Promise<void> {
    const id = idOf(endpoint);
    this.#parts.slots.refuseOverflow([`${upstream}/${id}`]);
    this.added.set(upstream, endpoint);
    await this.#applyNow(upstream, who);
  }

  /** Removes an endpoint that was added. */
  async remove(upstream: string, id: string, who: string): Promise<void> {
    if (!this.added.remove(upstream, id)) return;
    await this.#applyNow(upstream, who);
  }

  /** When and why an endpoint was removed; null where that isn't known. */
  departureOf(upstream: string, id: string): EndpointDeparture | null {
    return this.#journal.departureOf(upstream, id);
  }

  /** The sources of the Snapshot that runs. */
  sources(): readonly SourceView[] {
    return this.#discovery.views();
  }

  /** The endpoints of an upstream have changed: they are part of the next batch. */
  note(upstream: string): void {
    this.#changed.add(upstream);
    this.#plan(BATCH_MS);
  }

  #plan(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer ??= this.#parts.timers.after(delayMs, () => {
      this.#timer = null;
      this.#applyBatch();
    });
  }

  async #applyNow(upstream: string, who: string): Promise<void> {
    while (this.#parts.owner().isInstalling) {
      await new Promise<void>((resolve) => void this.#parts.timers.after(BATCH_MS, resolve));
    }
    // Changes of sources that wait for the next batch aren't the operator's.
    this.#applyBatch();
    this.#changed.add(upstream);
    this.#applyBatch(who);
  }

  /** @param who has changed endpoints, where an operator has */
  #applyBatch(who = ''): void {
    const { slots, owner } = this.#parts;
    const { current, isInstalling } = owner();
    if (isInstalling) return this.#plan(BATCH_MS);
    const upstreams = current.upstreams.filter(({ name }) => this.#changed.has(name));
    this.#changed.clear();
    const removed: string[] = [];
    const changed = upstreams.flatMap((upstream): Changed[] => {
      const endpoints = this.#fitting(upstream, current.revision);
      if (endpoints === null) return [];
      const present = new Set(endpoints.map(({ name }) => name));
      removed.push(...upstream.endpoints.map(({ name }) => name).filter((name) => !present.has(name)));
      return [{ index: upstream.index, endpoints }];
    });
    slots.release(removed);
    if (changed.length === 0) return;
    owner().amend({ membership: ++this.#count, upstreams: changed });
    this.#upstreams = owner().current.upstreams;
    const before = new Map(upstreams.map((upstream) => [upstream.index, upstream]));
    for (const { index, endpoints } of changed) {
      const { name, endpoints: old } = before.get(index)!;
      this.#journal.amended(name, old, endpoints, who);
    }
  }

  /** As `#endpointsOf`; null also where they don't fit, which is tried again later. */
  #fitting(upstream: UpstreamSnapshot, revision: number): readonly EndpointSnapshot[] | null {
    const { name } = upstream;
    try {
      const endpoints = this.#endpointsOf(upstream, revision);
      this.#tooLarge.delete(name);
      return endpoints;
    } catch (error) {
      if (!(error instanceof CapacityError)) throw error;
      if (!this.#tooLarge.has(name)) {
        const text = `endpoints of upstream ${name} stay as they are: ${error.message}`;
        this.#parts.log.error({ upstream: name }, text);
      }
      this.#tooLarge.add(name);
      this.#changed.add(name);
      this.#plan(AGAIN_MS);
      return null;
    }
  }

  /**
   * Endpoints of an upstream by now: configured ones, then those of its sources. Null where they haven't changed.
   * @throws CapacityError; nothing has changed then
   */
  #endpointsOf(upstream: UpstreamSnapshot, revision: number): readonly EndpointSnapshot[] | null {
    const before = new Map(upstream.endpoints.map((endpoint) => [endpoint.id, endpoint]));
    const configured = upstream.endpoints.filter(({ source }) => source === 'config');
    const taken = new Set(configured.map(({ id }) => id));
    const others: SourcedEndpoint[] = [];
    for (const one of [...this.added.of(upstream.name), ...this.#discovery.endpointsOf(upstream.name)]) {
      if (!taken.has(one.id)) others.push(one);
      taken.add(one.id);
    }
    const isSame = (one: SourcedEndpoint): boolean => isUnchanged(before.get(one.id), one);
    if (configured.length + others.length === upstream.endpoints.length && others.every(isSame)) return null;
    const names = others.map(({ id }) => `${upstream.name}/${id}`);
    const assigned = this.#parts.slots.assign(names, revision);
    const added = others.map((one, at): EndpointSnapshot => {
      const known = before.get(one.id);
      return known !== undefined && isUnchanged(known, one)
        ? known
        : Object.freeze({ ...partsOf(one), name: names[at]!, ...assigned[at]! });
    });
    return Object.freeze([...configured, ...added]);
  }
}

function partsOf({
  id,
  source,
  origin,
  endpoint,
}: SourcedEndpoint): Omit<EndpointSnapshot, 'name' | 'slot' | 'generation'> {
  const { protocol, host, port, socketPath, weight, backup, zone, metadata } = endpoint;
  return { id, protocol, host, port, socketPath, weight, backup, source, origin, zone, metadata };
}

function isUnchanged(before: EndpointSnapshot | undefined, { origin, endpoint }: SourcedEndpoint): boolean {
  return before !== undefined && before.origin === origin && areSettingsEqual(before, endpoint);
}
