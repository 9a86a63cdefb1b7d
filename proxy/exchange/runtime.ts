// A Runtime: a worker's live objects built from one Snapshot, replaced whole (DESIGN section 1.6). Thread: worker.

import { buildHashKey, type HashKeyReader } from '../../balancers/hash-key.ts';
import { UpstreamPicker } from '../../balancers/upstream-picker.ts';
import { compileCidrs } from '../../core/cidr.ts';
import type { Region } from '../../core/memory/region.ts';
import type { Random } from '../../core/random.ts';
import type { EndpointSnapshot, RouteSnapshot, Snapshot, UpstreamSnapshot } from '../../core/snapshot.ts';
import { Router } from '../routing/router.ts';
import { removedFieldsOf } from './forwarding-fields.ts';
import type { Exchange } from './exchange.ts';
import { WaitQueue } from './wait-queue.ts';

/** An upstream as exchanges use it. */
export interface UpstreamRuntime {
  readonly snapshot: UpstreamSnapshot;
  readonly picker: UpstreamPicker;
  readonly hashKey: HashKeyReader | null;
  readonly queue: WaitQueue<Exchange>;
  readonly endpointBySlot: ReadonlyMap<number, EndpointSnapshot>;
}

export class Runtime {
  readonly snapshot: Snapshot;
  readonly router: Router;
  readonly upstreams: ReadonlyMap<number, UpstreamRuntime>;
  readonly #removedFields = new Map<RouteSnapshot, ReadonlySet<string>>();
  readonly #isTrusted: readonly ((address: string) => boolean)[];

  constructor(snapshot: Snapshot, memory: { region: Region; worker: number; random: Random }) {
    this.snapshot = snapshot;
    this.router = new Router(snapshot.routes);
    this.upstreams = new Map(snapshot.upstreams.map((upstream) => [upstream.index, build(upstream, memory)]));
    for (const route of snapshot.routes) this.#removedFields.set(route, removedFieldsOf(route));
    this.#isTrusted = snapshot.listeners.map((listener) => compileCidrs(listener.trustedProxies));
  }

  removedFields(route: RouteSnapshot): ReadonlySet<string> {
    return this.#removedFields.get(route)!;
  }

  /** Whether an address is one of the listener's trusted proxies. */
  isTrusted(listenerIndex: number, address: string): boolean {
    return this.#isTrusted[listenerIndex]?.(address) ?? false;
  }
}

function build(
  snapshot: UpstreamSnapshot,
  memory: { region: Region; worker: number; random: Random },
): UpstreamRuntime {
  const { balance } = snapshot;
  return {
    snapshot,
    picker: new UpstreamPicker(snapshot, memory),
    hashKey: balance.kind === 'consistent-hash' ? buildHashKey(balance.key, balance.seed, memory.random) : null,
    queue: new WaitQueue<Exchange>(memory.region, snapshot.index, snapshot.limits.maxQueue),
    endpointBySlot: new Map(snapshot.endpoints.map((endpoint) => [endpoint.slot, endpoint])),
  };
}
