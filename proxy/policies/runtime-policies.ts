// The live policies of one Runtime: created when it is built, disposed when no exchange uses them any more. Composes the
// plan of each listener, route and upstream at its first use. Thread: both.

import type { Logger } from '../../core/log.ts';
import type { Policy } from '../../core/policy/policy.ts';
import type { PolicyBase, PolicyScope, PolicyServices } from '../../core/policy/policy-definition.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import type { RouteSnapshot } from '../../core/snapshot/route.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { composePlan, type LivePolicy, type PolicyPlan } from './policy-plan.ts';
import type { PolicyWatch } from './policy-watch.ts';
import { POLICIES } from './registry.ts';

export interface RuntimePoliciesParts {
  readonly worker: number;
  readonly log: Logger;
  readonly services: PolicyServices;
  readonly watch: PolicyWatch;
  /** Policies of the loaded plugins, by name. */
  readonly pluginPolicies: ReadonlyMap<string, PolicyBase<unknown>>;
}

/** A place where policies are configured. */
interface Place {
  readonly name: string;
  readonly policies: readonly PolicySnapshot[];
}

const BUILT_IN: ReadonlyMap<string, PolicyBase<unknown>> = new Map(
  POLICIES.map((policy) => [policy.name, policy as unknown as PolicyBase<unknown>]),
);

const NO_ROUTE = Symbol('no route');

export class RuntimePolicies {
  readonly #parts: RuntimePoliciesParts;
  readonly #listeners = new Map<number, readonly LivePolicy[]>();
  readonly #routes = new Map<RouteSnapshot, readonly LivePolicy[]>();
  readonly #upstreams = new Map<number, readonly LivePolicy[]>();
  /** Built-in route policies by their name and data: routes with equal options share one. */
  readonly #shared = new Map<string, LivePolicy>();
  /** The same by their data, which the configuration shares where it is large. */
  readonly #sharedByData = new Map<object, LivePolicy>();
  readonly #created = new Set<LivePolicy>();
  /** By route, then by listener and upstream. */
  readonly #plans = new Map<RouteSnapshot | typeof NO_ROUTE, Map<number, PolicyPlan>>();
  /** Plans by their policies: most routes have the same. */
  readonly #composed = new Map<string, PolicyPlan>();
  readonly #numbers = new Map<LivePolicy, number>();
  #isClosed = false;
  /** The result of the last `planOf`, and its inputs. */
  #lastRoute: RouteSnapshot | null = null;
  #lastListener = -1;
  #lastUpstream = -1;
  #lastPlan: PolicyPlan | null = null;

  constructor(snapshot: Snapshot, parts: RuntimePoliciesParts) {
    this.#parts = parts;
    for (const listener of snapshot.listeners) {
      this.#listeners.set(listener.index, this.#createAll('listener', listener, null));
    }
    for (const route of snapshot.routes) this.#routes.set(route, this.#createAll('route', route, null));
    for (const upstream of snapshot.upstreams) {
      this.#upstreams.set(upstream.index, this.#createAll('upstream', upstream, upstream));
    }
  }

  /**
   * The plan of an exchange, the same object each time.
   * @param route null where none matched
   * @param upstream index of its upstream; -1 where it has none
   */
  planOf(listener: number, route: RouteSnapshot | null, upstream: number): PolicyPlan {
    if (route === this.#lastRoute && listener === this.#lastListener && upstream === this.#lastUpstream) {
      return this.#lastPlan!;
    }
    const plan = this.#findPlan(listener, route, upstream);
    this.#lastRoute = route;
    this.#lastListener = listener;
    this.#lastUpstream = upstream;
    this.#lastPlan = plan;
    return plan;
  }

  #findPlan(listener: number, route: RouteSnapshot | null, upstream: number): PolicyPlan {
    if (this.#isClosed) throw new Error('the configuration that the request began with is gone');
    const key = route ?? NO_ROUTE;
    let plans = this.#plans.get(key);
    if (plans === undefined) this.#plans.set(key, (plans = new Map()));
    const place = listener * 0x1_0000 + upstream + 1;
    let plan = plans.get(place);
    if (plan === undefined) plans.set(place, (plan = this.#compose(listener, route, upstream)));
    return plan;
  }

  /** Passes other endpoints of an upstream to its policies. */
  amend(upstream: UpstreamSnapshot): void {
    for (const { policy } of this.#upstreams.get(upstream.index) ?? []) policy.onEndpoints?.(upstream);
  }

  /** Policies that were created and not disposed. */
  get liveCount(): number {
    return this.#created.size;
  }

  /** Drops everything but the live policies: exchanges that began here go on with their plans, and none begins. */
  close(): void {
    this.#isClosed = true;
    this.#lastListener = -1;
    this.#lastRoute = null;
    this.#lastPlan = null;
    this.#plans.clear();
    this.#composed.clear();
    this.#listeners.clear();
    this.#routes.clear();
    this.#upstreams.clear();
    this.#shared.clear();
    this.#sharedByData.clear();
    this.#numbers.clear();
  }

  /** Disposes every policy: no exchange uses them any more. */
  dispose(): void {
    for (const live of this.#created) this.#dispose(live);
    this.#created.clear();
    this.close();
  }

  #compose(listener: number, route: RouteSnapshot | null, upstream: number): PolicyPlan {
    const policies = [
      ...(this.#listeners.get(listener) ?? []),
      ...(route === null ? [] : (this.#routes.get(route) ?? [])),
      ...(this.#upstreams.get(upstream) ?? []),
    ];
    const key = policies.map((live) => this.#numbers.get(live)).join();
    let plan = this.#composed.get(key);
    if (plan === undefined) this.#composed.set(key, (plan = composePlan(policies)));
    return plan;
  }

  #createAll(scope: PolicyScope, place: Place, upstream: UpstreamSnapshot | null): LivePolicy[] {
    return place.policies.map((snapshot) => {
      const isShared = scope === 'route' && BUILT_IN.has(snapshot.name);
      const same = isShared ? this.#sharedByData.get(snapshot.data as object) : undefined;
      if (same?.name === snapshot.name) return same;
      const key = isShared ? `${snapshot.name} ${JSON.stringify(snapshot.data)}` : '';
      const known = isShared ? this.#shared.get(key) : undefined;
      if (known !== undefined) return known;
      const live = this.#create(scope, place.name, snapshot, upstream);
      this.#created.add(live);
      this.#numbers.set(live, this.#numbers.size);
      if (isShared) {
        this.#shared.set(key, live);
        this.#sharedByData.set(snapshot.data as object, live);
      }
      return live;
    });
  }

  #create(
    scope: PolicyScope,
    owner: string,
    { name, index, data }: PolicySnapshot,
    upstream: UpstreamSnapshot | null,
  ): LivePolicy {
    const { worker, log, services, pluginPolicies, watch } = this.#parts;
    const reported = (): void => watch.reported({ lane: index });
    const called = (ms: number, hasFailed: boolean): void => watch.called({ lane: index }, ms, hasFailed);
    const definition = BUILT_IN.get(name) ?? pluginPolicies.get(name);
    const { stage = 'admit', needs = [], budgetMs = 10, waitMs = 5000 } = definition ?? {};
    const live = { name, lane: index, scope, stage, needs, budgetMs, waitMs, isTimed: !BUILT_IN.has(name) };
    try {
      if (definition === undefined) throw new Error('its plugin could not be loaded in this worker');
      return {
        ...live,
        policy: definition.create(data, { scope, owner, worker, log, upstream, services, reported, called }),
      };
    } catch (error) {
      const text = `policy ${name} of ${scope} ${owner} cannot be created: ${(error as Error).message}; its requests get 500`;
      log.error({ policy: name, [scope]: owner, err: error }, text);
      return { ...live, stage: 'admit', policy: brokenPolicy(error) };
    }
  }

  #dispose(live: LivePolicy): void {
    try {
      live.policy.dispose?.();
    } catch (error) {
      this.#parts.watch.failed(live, 'dispose', error);
    }
  }
}

/** Answers every request 500: a route whose policy is missing must not serve as if it had none. */
function brokenPolicy(cause: unknown): Policy {
  return {
    onRequest() {
      throw new Error('it could not be created', { cause });
    },
  };
}
