// A Runtime: a worker's live objects built from one Snapshot, replaced whole (docs/design.md 1.6). Thread: worker.

import { buildHashKey, type HashKeyReader } from '../../balancers/hash-key.ts';
import { balancerNamed } from '../../balancers/registry.ts';
import { UpstreamPicker } from '../../balancers/upstream-picker.ts';
import type { OutcomeObserver } from '../../core/balancer.ts';
import { compileCidrs } from '../../core/cidr.ts';
import type { Region } from '../../core/memory/region.ts';
import type { Random } from '../../core/random.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import type { RouteSnapshot } from '../../core/snapshot/route.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { Router } from '../routing/router.ts';
import { removedResponseFieldsOf } from '../policies/edited-response-head.ts';
import { removedFieldsOf } from '../policies/forwarding-fields.ts';
import { StickyCookies } from '../policies/sticky-cookies.ts';

interface ListenerRuntime {
  readonly snapshot: ListenerSnapshot;
  readonly isTrusted: (address: string) => boolean;
}

/** An upstream as exchanges use it. */
export interface UpstreamRuntime {
  readonly snapshot: UpstreamSnapshot;
  readonly picker: UpstreamPicker;
  readonly hashKey: HashKeyReader | null;
  /** Receives the outcome of each attempt, where the balancer weighs endpoints by them. */
  readonly observer: OutcomeObserver | null;
  readonly sticky: StickyCookies | null;
  readonly endpointBySlot: ReadonlyMap<number, EndpointSnapshot>;
}

export class Runtime {
  readonly snapshot: Snapshot;
  readonly router: Router;
  readonly upstreams: ReadonlyMap<number, UpstreamRuntime>;
  readonly #removedFields = new Map<RouteSnapshot, ReadonlySet<string>>();
  /** The same and the client's cookies. */
  readonly #removedWithCookies = new Map<RouteSnapshot, ReadonlySet<string>>();
  readonly #removedResponseFields = new Map<RouteSnapshot, ReadonlySet<string>>();
  readonly #listeners = new Map<number, ListenerRuntime>();

  constructor(snapshot: Snapshot, memory: { region: Region; worker: number; random: Random }) {
    this.snapshot = snapshot;
    this.router = new Router(snapshot.routes);
    this.upstreams = new Map(snapshot.upstreams.map((upstream) => [upstream.index, build(upstream, memory)]));
    for (const route of snapshot.routes) {
      const removed = removedFieldsOf(route);
      this.#removedFields.set(route, removed);
      this.#removedWithCookies.set(route, new Set([...removed, 'cookie']));
      this.#removedResponseFields.set(route, removedResponseFieldsOf(route));
    }
    for (const listener of snapshot.listeners) {
      this.#listeners.set(listener.index, { snapshot: listener, isTrusted: compileCidrs(listener.trustedProxies) });
    }
  }

  /** Lower-case names of the client's fields that endpoints don't get, always the same set for the same route. */
  removedFields(route: RouteSnapshot, isWithCookies = false): ReadonlySet<string> {
    return (isWithCookies ? this.#removedWithCookies : this.#removedFields).get(route)!;
  }

  /** Lower-case names of the fields that a route keeps from its clients. */
  removedResponseFields(route: RouteSnapshot): ReadonlySet<string> {
    return this.#removedResponseFields.get(route)!;
  }

  /** The listener that a connection came over; undefined when a reload has taken it away. */
  listener(index: number): ListenerSnapshot | undefined {
    return this.#listeners.get(index)?.snapshot;
  }

  /** Whether an address is one of the listener's trusted proxies. */
  isTrusted(listenerIndex: number, address: string): boolean {
    return this.#listeners.get(listenerIndex)?.isTrusted(address) ?? false;
  }
}

function build(
  snapshot: UpstreamSnapshot,
  memory: { region: Region; worker: number; random: Random },
): UpstreamRuntime {
  const { balance } = snapshot;
  const balancer = balancerNamed(balance.kind);
  const hashed = balancer.hashKey?.(balance);
  return {
    snapshot,
    picker: new UpstreamPicker(snapshot, memory),
    hashKey: hashed === undefined ? null : buildHashKey(hashed.key, hashed.seed, memory.random),
    observer: balancer.observe?.(balance, memory.region) ?? null,
    sticky: snapshot.sticky === null ? null : new StickyCookies(snapshot.sticky, snapshot.endpoints),
    endpointBySlot: new Map(snapshot.endpoints.map((endpoint) => [endpoint.slot, endpoint])),
  };
}
