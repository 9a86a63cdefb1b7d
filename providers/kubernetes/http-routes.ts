// HTTPRoute objects (gateway.networking.k8s.io/v1): where they attach, their routes in the order of the specification, and
// their status. Thread: main.

import { type ApiObject, keyOf, listAt, numberAt, textAt } from '../../discovery/kubernetes/api-object.ts';
import { type ConfigPart, nameOf } from '../provider.ts';
import { type Backends, originOf } from './backends.ts';
import { type Cluster, compareAge } from './cluster.ts';
import { type Condition, condition } from './conditions.ts';
import { commonHosts, type Gateway, type GatewayListener } from './gateways.ts';
import { type IsolatedListener, isolatingPart, ListenerIsolation } from './listener-isolation.ts';
import { GATEWAY_GROUP, isGranted } from './reference-grants.ts';
import { mirrorSettings } from './request-mirror.ts';
import {
  backendSettings,
  filterSettings,
  ruleMatch,
  type RuleMatch,
  withFiltersOfOnlyBackend,
} from './route-filters.ts';

/** A route with what decides its place. */
export interface RankedRoute {
  readonly part: ConfigPart;
  readonly host: string;
  readonly match: RuleMatch;
  readonly object: ApiObject;
  readonly order: number;
}

/** An entry of `status.parents`. */
export interface ParentStatus {
  readonly parentRef: ApiObject;
  readonly conditions: readonly Condition[];
}

export interface RouteResult {
  readonly object: ApiObject;
  readonly routes: readonly RankedRoute[];
  readonly parents: readonly ParentStatus[];
  /** Listeners that it is attached to: `namespace/gateway` and the listener's name. */
  readonly attached: readonly (readonly [gateway: string, listener: string])[];
}

export interface HttpRoutes {
  readonly routes: readonly RouteResult[];
  /** Routes of listeners that keep their requests from the routes of others. */
  readonly isolating: readonly RankedRoute[];
}

export function httpRoutesOf(cluster: Cluster, gateways: readonly Gateway[], backends: Backends): HttpRoutes {
  const byKey = new Map(gateways.map((gateway) => [gateway.key, gateway]));
  const isolation = new ListenerIsolation(gateways);
  const routes = [...cluster.httpRoutes.values()]
    .toSorted(compareAge)
    .map((object) => new HttpRoute(object, { cluster, gateways: byKey, backends, isolation }).result());
  return { routes, isolating: isolation.isolated().map(isolatingRoute) };
}

/** It comes after all routes of its host. */
function isolatingRoute(isolated: IsolatedListener): RankedRoute {
  const { listener, gateway } = isolated;
  const match = { ...ruleMatch({}), pathLength: 0 };
  return { part: isolatingPart(isolated), host: listener.hostname, match, object: gateway.object, order: 0 };
}

interface RouteContext {
  readonly cluster: Cluster;
  readonly gateways: ReadonlyMap<string, Gateway>;
  readonly backends: Backends;
  readonly isolation: ListenerIsolation;
}

/** Hosts of a route on a listener. */
interface Attachment {
  readonly gateway: string;
  readonly listener: GatewayListener;
  readonly hosts: readonly string[];
}

interface RuleFault {
  readonly reason: string;
  readonly cause: string;
}

interface Action {
  readonly settings: ApiObject;
  readonly refs: Condition | null;
}

class HttpRoute {
  readonly #object: ApiObject;
  readonly #context: RouteContext;
  readonly #namespace: string;
  readonly #key: string;
  /** The first fault of a reference. */
  #refs: Condition | null = null;
  /** By the index of the rule: rules that can't be expressed, which answer 500. */
  readonly #faults = new Map<number, RuleFault>();
  #count = 0;

  constructor(object: ApiObject, context: RouteContext) {
    this.#object = object;
    this.#context = context;
    this.#key = keyOf(object);
    this.#namespace = textAt(object, 'metadata', 'namespace');
  }

  result(): RouteResult {
    const parents = listAt(this.#object, 'spec', 'parentRefs').flatMap((ref) => this.#parent(ref));
    const attachments = parents.flatMap((one) => one.attachments);
    const routes = attachments.flatMap((one) => this.#routes(one));
    const refs = this.#refs ?? condition('ResolvedRefs', true, 'ResolvedRefs');
    const statuses = parents.map(({ ref, accepted }): ParentStatus => {
      return { parentRef: ref, conditions: [...this.#acceptance(accepted), refs] };
    });
    const attached = attachments.map(({ gateway, listener }) => [gateway, listener.name] as const);
    return { object: this.#object, routes, parents: statuses, attached };
  }

  /** A route with valid rules beside invalid ones is accepted, and partially invalid. */
  #acceptance(accepted: Condition): readonly Condition[] {
    const [first] = this.#faults.values();
    if (accepted.status === 'False' || first === undefined) return [accepted];
    if (this.#faults.size === listAt(this.#object, 'spec', 'rules').length) {
      return [condition('Accepted', false, first.reason, first.cause)];
    }
    const causes = [...this.#faults].map(([index, { cause }]) => `Dropped Rule ${index}: ${cause}, requests get 500`);
    return [accepted, condition('PartiallyInvalid', true, 'UnsupportedValue', causes.join('; '))];
  }

  /** Where the route attaches by one of its references; empty for Gateways of other controllers. */
  #parent(written: unknown) {
    const group = textAt(written, 'group') || GATEWAY_GROUP;
    const kind = textAt(written, 'kind') || 'Gateway';
    const key = `${textAt(written, 'namespace') || this.#namespace}/${textAt(written, 'name')}`;
    const gateway = this.#context.gateways.get(key);
    if (gateway === undefined || group !== GATEWAY_GROUP || kind !== 'Gateway') return [];
    const section = textAt(written, 'sectionName');
    const port = numberAt(written, 'port');
    const named = gateway.listeners.filter(
      (one) => (section === '' || one.name === section) && (port === null || one.port === port),
    );
    const allowed = named.filter((one) => one.allows(this.#namespace));
    const hostnames = listAt(this.#object, 'spec', 'hostnames').map((host) => String(host).toLowerCase());
    const matched = allowed
      .map((listener): Attachment => ({ gateway: key, listener, hosts: commonHosts(listener.hostname, hostnames) }))
      .filter(({ hosts }) => hosts.length > 0);
    const accepted =
      named.length === 0
        ? condition('Accepted', false, 'NoMatchingParent', 'the Gateway has no such listener')
        : allowed.length === 0
          ? condition(
              'Accepted',
              false,
              'NotAllowedByListeners',
              `routes of namespace ${this.#namespace} may not attach`,
            )
          : matched.length === 0
            ? condition('Accepted', false, 'NoMatchingListenerHostname', 'no listener has a host of this route')
            : condition('Accepted', true, 'Accepted');
    return [{ ref: written as ApiObject, accepted, attachments: matched.filter(({ listener }) => listener.isUsable) }];
  }

  #routes({ listener, hosts: common }: Attachment): RankedRoute[] {
    const hosts = this.#context.isolation.hostsOn(listener, common);
    return listAt(this.#object, 'spec', 'rules').flatMap((rule, ruleAt) => {
      const written = listAt(rule, 'matches');
      const matches = (written.length === 0 ? [{}] : written).map(ruleMatch);
      return matches.flatMap((match, matchAt) => {
        const settings = this.#action(rule, ruleAt, match, listener.port);
        const order = ruleAt * 1_000 + matchAt;
        return hosts.map((host) => this.#route({ host, match, order, listener, settings }));
      });
    });
  }

  #route(parts: Pick<RankedRoute, 'host' | 'match' | 'order'> & { listener: GatewayListener; settings: ApiObject }) {
    const { host, match, order, listener, settings } = parts;
    const conditions = { ...(host !== '' && { host }), ...match.match, listener: listener.served };
    this.#count++;
    const name = nameOf('httproute', ...this.#key.split('/'), String(this.#count));
    const part = {
      origin: originOf('httproute', this.#key),
      config: { routes: [{ name, match: conditions, ...settings }] },
    };
    return { part, host, match, order, object: this.#object };
  }

  #action(written: unknown, ruleAt: number, match: RuleMatch, port: number): ApiObject {
    const rule = withFiltersOfOnlyBackend(written);
    const filters = filterSettings(rule, match.prefix, port);
    const refs = listAt(rule, 'backendRefs');
    const faults = [filters, ...refs.map(backendSettings)].flatMap((one) => (one.ok ? [] : [one]));
    if (!filters.ok || faults.length > 0) {
      this.#faults.set(ruleAt, { reason: 'UnsupportedValue', ...faults[0]! });
      return failing('a filter of this route is not supported');
    }
    if (filters.settings['redirect'] !== undefined) return filters.settings;
    const { settings, refs: fault } = this.#backends(refs, ruleAt);
    this.#refs ??= fault;
    const mirrors = mirrorSettings(rule, (ref) => this.#mirrorUpstream(ref));
    return settings['respond'] === undefined ? { ...filters.settings, ...mirrors, ...settings } : settings;
  }

  #mirrorUpstream(ref: unknown): string | null {
    const found = this.#backend(ref, '');
    if (typeof found === 'string') return found;
    this.#refs ??= found;
    return null;
  }

  /** An upstream, a split by weight, or 500 where there is no backend. */
  #backends(refs: readonly unknown[], ruleAt: number): Action {
    let fault: Condition | null = null;
    const weights = new Map<string, number>();
    let lost = 0;
    for (const [at, ref] of refs.entries()) {
      const weight = numberAt(ref, 'weight') ?? 1;
      const found = this.#backend(ref, `${ruleAt}.${at}`);
      if (typeof found === 'string') weights.set(found, (weights.get(found) ?? 0) + weight);
      else {
        fault ??= found;
        lost += weight;
      }
    }
    const used = [...weights].filter(([, weight]) => weight > 0);
    if (used.length === 0) return { settings: failing('no backend'), refs: fault };
    if (used.length === 1 && lost === 0) return { settings: { upstream: used[0]![0] }, refs: fault };
    const all = lost === 0 ? used : [...used, [this.#context.backends.none(), lost] as const];
    return { settings: { split: all.map(([upstream, weight]) => ({ upstream, weight })) }, refs: fault };
  }

  /** @param place of the reference in the route */
  #backend(ref: unknown, place: string): string | Condition {
    const name = textAt(ref, 'name');
    const namespace = textAt(ref, 'namespace') || this.#namespace;
    if (textAt(ref, 'group') !== '' || !['', 'Service'].includes(textAt(ref, 'kind'))) {
      return condition('ResolvedRefs', false, 'InvalidKind', `${name} is no Service`);
    }
    const from = { group: GATEWAY_GROUP, kind: 'HTTPRoute', namespace: this.#namespace };
    if (!isGranted(this.#context.cluster, { from, to: { kind: 'Service', namespace, name } })) {
      return condition(
        'ResolvedRefs',
        false,
        'RefNotPermitted',
        `no ReferenceGrant permits the service ${namespace}/${name}`,
      );
    }
    const filters = backendSettings(ref);
    const settings = filters.ok ? filters.settings : {};
    const edits = { origin: originOf('httproute', this.#key), name: `${this.#key}.${place}`, settings };
    const found = this.#context.backends.of(
      { namespace, service: name, port: numberAt(ref, 'port') },
      Object.keys(settings).length === 0 ? null : edits,
    );
    return found.ok ? found.upstream : condition('ResolvedRefs', false, 'BackendNotFound', found.cause);
  }
}

function failing(body: string): ApiObject {
  return { respond: { status: 500, body: `${body}\n` } };
}

const PATH_RANKS = { exact: 0, regex: 1, prefix: 2 } as const;

/**
 * The order of the specification: longer hosts, and names before wildcards; exact paths, expressions, then longer prefixes;
 * a method; more fields; more parameters; the older object; the first match.
 */
export function compareRoutes(a: RankedRoute, b: RankedRoute): number {
  return (
    hostRank(a.host) - hostRank(b.host) ||
    b.host.length - a.host.length ||
    PATH_RANKS[a.match.pathKind] - PATH_RANKS[b.match.pathKind] ||
    b.match.pathLength - a.match.pathLength ||
    Number(b.match.hasMethod) - Number(a.match.hasMethod) ||
    b.match.headers - a.match.headers ||
    b.match.query - a.match.query ||
    compareAge(a.object, b.object) ||
    a.order - b.order
  );
}

function hostRank(host: string): number {
  return host === '' ? 2 : host.startsWith('*') ? 1 : 0;
}
