// A Runtime: a worker's live objects built from one Snapshot, replaced whole (docs/design.md 1.6). Thread: worker.

import { convertsGrpcWeb } from '../policies/grpc-web.ts';
import { buildHashKey, type HashKeyReader } from '../../balancers/hash-key.ts';
import { balancerNamed } from '../../balancers/registry.ts';
import { UpstreamPicker } from '../../balancers/upstream-picker.ts';
import type { OutcomeObserver } from '../../core/balancer.ts';
import { compileCidrs } from '../../core/cidr.ts';
import type { EndpointChange } from '../../core/messages.ts';
import type { Region } from '../../core/memory/region.ts';
import type { Random } from '../../core/random.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import type { RouteSnapshot, TcpRouteSnapshot } from '../../core/snapshot/route.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { ConfiguredAnswers } from './configured-answers.ts';
import { forMirrors, overridden } from './route-overrides.ts';
import { Router } from '../routing/router.ts';
import { TcpRouter } from '../routing/tcp-router.ts';
import { RuntimePolicies, type RuntimePoliciesParts } from '../policies/runtime-policies.ts';

interface ListenerRuntime {
  readonly snapshot: ListenerSnapshot;
  readonly isTrusted: (address: string) => boolean;
}

/**
 * An upstream as exchanges use it. Its endpoints change in place, without another Runtime: waiting exchanges are placed
 * among those that exist now.
 */
export interface UpstreamRuntime {
  readonly snapshot: UpstreamSnapshot;
  /** Shared by all routes to the upstream. */
  readonly picker: UpstreamPicker;
  readonly hashKey: HashKeyReader | null;
  /** Receives the outcome of each attempt, where the balancer weighs endpoints by them. */
  readonly observer: OutcomeObserver | null;
}

/** The worker that it is built for. */
export interface RuntimeMemory {
  readonly region: Region;
  readonly worker: number;
  readonly random: Random;
}

export class Runtime {
  readonly router: Router;
  readonly tcpRouter: TcpRouter;
  readonly upstreams: ReadonlyMap<number, UpstreamRuntime>;
  readonly policies: RuntimePolicies;
  readonly answers = new ConfiguredAnswers();
  /** Whether a route converts gRPC-Web calls. */
  readonly convertsGrpcWeb: boolean;
  #snapshot: Snapshot;
  readonly #listeners = new Map<number, ListenerRuntime>();
  /** The upstream of each route that has one, with the settings that the route replaces. */
  readonly #targets = new Map<RouteSnapshot | TcpRouteSnapshot, UpstreamRuntime>();
  /** Upstreams with settings of a route or for mirrored requests, by the index of the upstream. */
  readonly #overridden = new Map<number, UpstreamRuntime[]>();
  /** By name. */
  readonly #mirrorTargets = new Map<string, UpstreamRuntime>();

  constructor(snapshot: Snapshot, memory: RuntimeMemory, policies: RuntimePoliciesParts) {
    this.#snapshot = snapshot;
    this.policies = new RuntimePolicies(snapshot, policies);
    this.convertsGrpcWeb = snapshot.routes.some(convertsGrpcWeb);
    this.router = new Router(snapshot.routes, snapshot.listeners);
    this.upstreams = new Map(snapshot.upstreams.map((upstream) => [upstream.index, build(upstream, memory)]));
    for (const route of snapshot.routes) {
      const target = route.action.kind === 'upstream' ? this.upstreams.get(route.action.upstream) : undefined;
      if (target !== undefined) this.#setTarget(route, target);
    }
    this.tcpRouter = new TcpRouter(snapshot.tcpRoutes);
    for (const route of snapshot.tcpRoutes) {
      this.#setTarget(route, this.upstreams.get(route.upstream)!);
    }
    for (const listener of snapshot.listeners) {
      this.#listeners.set(listener.index, { snapshot: listener, isTrusted: compileCidrs(listener.trustedProxies) });
    }
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Takes other endpoints of upstreams over. Upstreams that this Runtime doesn't have are ignored. */
  amend({ upstreams, membership }: EndpointChange): void {
    const changed = new Map<number, UpstreamSnapshot>();
    for (const { index, endpoints } of upstreams) {
      const target = this.upstreams.get(index);
      if (target === undefined) continue;
      const snapshot = { ...target.snapshot, endpoints };
      changed.set(index, snapshot);
      target.picker.replaceEndpoints(snapshot);
      this.policies.amend(snapshot);
      replaceEndpoints(target, endpoints);
      for (const overridden of this.#overridden.get(index) ?? []) replaceEndpoints(overridden, endpoints);
    }
    const kept = this.snapshot.upstreams.map((upstream) => changed.get(upstream.index) ?? upstream);
    this.#snapshot = { ...this.snapshot, membership, upstreams: kept };
  }

  /** The upstream of a route; null where it answers by itself. */
  targetOf(route: RouteSnapshot | TcpRouteSnapshot): UpstreamRuntime | null {
    return this.#targets.get(route) ?? null;
  }

  /** An upstream by its name; undefined where there is none. */
  upstreamNamed(name: string): UpstreamRuntime | undefined {
    for (const upstream of this.upstreams.values()) if (upstream.snapshot.name === name) return upstream;
    return undefined;
  }

  /** The same upstream for mirrored requests, which are sent once and wait for no endpoint. */
  mirrorTarget(name: string): UpstreamRuntime | undefined {
    const known = this.#mirrorTargets.get(name);
    const upstream = known === undefined ? this.upstreamNamed(name) : undefined;
    if (upstream === undefined) return known;
    const target = { ...upstream, snapshot: forMirrors(upstream.snapshot) };
    this.#mirrorTargets.set(name, target);
    this.#keepCurrent(target);
    return target;
  }

  /** The listener of a connection; undefined if a reload has removed it. */
  listener(index: number): ListenerSnapshot | undefined {
    return this.#listeners.get(index)?.snapshot;
  }

  /** Whether an address is one of the listener's trusted proxies. */
  isTrusted(listenerIndex: number, address: string): boolean {
    return this.#listeners.get(listenerIndex)?.isTrusted(address) ?? false;
  }

  #setTarget(route: RouteSnapshot | TcpRouteSnapshot, upstream: UpstreamRuntime): void {
    const target = withOverrides(upstream, route);
    this.#targets.set(route, target);
    if (target !== upstream) this.#keepCurrent(target);
  }

  /** Gives a variant of an upstream the endpoints of later changes. */
  #keepCurrent(target: UpstreamRuntime): void {
    const { index } = target.snapshot;
    const others = this.#overridden.get(index);
    if (others === undefined) this.#overridden.set(index, [target]);
    else others.push(target);
  }
}

/** An upstream as the requests of a route use it: with the settings that the route replaces. */
export function withOverrides(
  target: UpstreamRuntime,
  { overrides }: Pick<RouteSnapshot, 'overrides'>,
): UpstreamRuntime {
  return overrides === null ? target : { ...target, snapshot: overridden(target.snapshot, overrides) };
}

/** The one place that changes an UpstreamRuntime. */
function replaceEndpoints(target: UpstreamRuntime, endpoints: readonly EndpointSnapshot[]): void {
  Object.assign(target, { snapshot: { ...target.snapshot, endpoints } });
}

function build(snapshot: UpstreamSnapshot, memory: RuntimeMemory): UpstreamRuntime {
  const { balance } = snapshot;
  const balancer = balancerNamed(balance.kind);
  const hashed = balancer.hashKey?.(balance);
  return {
    snapshot,
    picker: new UpstreamPicker(snapshot, memory),
    hashKey: hashed === undefined ? null : buildHashKey(hashed.key, hashed.seed, memory.random),
    observer: balancer.observe?.(balance, memory.region) ?? null,
  };
}
