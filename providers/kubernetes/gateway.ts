// Gateway API as a fragment, and the status of its objects: pure, from the cluster. Thread: main.

import { type ApiObject, listAt, textAt } from '../../discovery/kubernetes/api-object.ts';
import type { ConfigPart, Fragment, ProvidedCertificate, Refusal } from '../provider.ts';
import { type BackendContext, Backends, originOf } from './backends.ts';
import { type Cluster, KINDS, type KindName } from './cluster.ts';
import { type Condition, condition, isSameStatus, withTimes } from './conditions.ts';
import { GATEWAY_CONTROLLER, type Gateway, gatewayClassesOf, gatewaysOf, type GatewaySettings } from './gateways.ts';
import { compareRoutes, httpRoutesOf, type RouteResult } from './http-routes.ts';
import { GATEWAY_GROUP } from './reference-grants.ts';
import type { StatusChange } from './status-writer.ts';

export interface GatewayResult {
  readonly parts: readonly ConfigPart[];
  readonly certificates: readonly ProvidedCertificate[];
  readonly gateways: readonly Gateway[];
  readonly routes: readonly RouteResult[];
}

export function gatewayResult(cluster: Cluster, settings: GatewaySettings & BackendContext): GatewayResult {
  const backends = new Backends(cluster, settings);
  const gateways = gatewaysOf(cluster, settings);
  const { routes, isolating } = httpRoutesOf(cluster, gateways, backends);
  const ranked = [...routes.flatMap((one) => one.routes), ...isolating].toSorted(compareRoutes);
  const certificates = gateways.flatMap(({ listeners }) => listeners.flatMap((one) => one.certificates));
  return { parts: [...backends.parts(), ...ranked.map(({ part }) => part)], certificates, gateways, routes };
}

/** Fragments of Ingress and of Gateway API together: an upstream that both have is one. */
export function joined(
  a: Omit<Fragment, 'version'>,
  b: Pick<GatewayResult, 'parts' | 'certificates'>,
): Omit<Fragment, 'version'> {
  const known = new Set(a.parts.flatMap(({ config }) => Object.keys(config.upstreams ?? {})));
  const parts = b.parts.filter(({ config }) => !Object.keys(config.upstreams ?? {}).some((name) => known.has(name)));
  return { ...a, parts: [...a.parts, ...parts], certificates: [...a.certificates, ...b.certificates] };
}

export interface StatusFacts {
  readonly refused: readonly Refusal[];
  /** Addresses of Fairlead. */
  readonly addresses: readonly { readonly ip?: string; readonly hostname?: string }[];
  /** The time in ISO 8601. */
  readonly now: string;
}

/** Changes of the status of objects, where it differs. */
export function gatewayStatuses(cluster: Cluster, result: GatewayResult, facts: StatusFacts): StatusChange[] {
  const classes = gatewayClassesOf(cluster).map((object) => {
    const conditions = [condition('Accepted', true, 'Accepted')];
    const status = { conditions: withTimes(conditions, listAt(object, 'status', 'conditions'), object, facts.now) };
    return { kind: 'gatewayClasses' as const, object, status };
  });
  const gateways = result.gateways.map((gateway) => {
    return { kind: 'gateways' as const, object: gateway.object, status: gatewayStatus(gateway, result.routes, facts) };
  });
  const routes = result.routes
    .filter(({ parents, object }) => parents.length > 0 || listAt(object, 'status', 'parents').some(isOwn))
    .map((route) => ({ kind: 'httpRoutes' as const, object: route.object, status: routeStatus(route, facts) }));
  return [...classes, ...gateways, ...routes].flatMap(({ kind, object, status }) => {
    const before = (object['status'] ?? {}) as ApiObject;
    return isSameStatus(before, { ...before, ...status }) ? [] : [{ path: pathOf(kind, object), status }];
  });
}

function gatewayStatus(
  { key, object, listeners }: Gateway,
  routes: readonly RouteResult[],
  facts: StatusFacts,
): ApiObject {
  const before = listAt(object, 'status', 'listeners');
  const areUsable = listeners.some(({ isUsable }) => isUsable);
  const areAll = listeners.every(({ isUsable }) => isUsable);
  const conditions = [
    condition('Accepted', areUsable, areAll ? 'Accepted' : 'ListenersNotValid'),
    condition('Programmed', areUsable, areUsable ? 'Programmed' : 'Invalid'),
  ];
  return {
    addresses: facts.addresses.map(({ ip, hostname }) => {
      return ip === undefined ? { type: 'Hostname', value: hostname } : { type: 'IPAddress', value: ip };
    }),
    conditions: withTimes(conditions, listAt(object, 'status', 'conditions'), object, facts.now),
    listeners: listeners.map((listener) => {
      const known = before.find((one) => textAt(one, 'name') === listener.name);
      const attached = routes.filter((route) =>
        route.attached.some(([gateway, name]) => gateway === key && name === listener.name),
      );
      return {
        name: listener.name,
        supportedKinds: [{ group: GATEWAY_GROUP, kind: 'HTTPRoute' }],
        attachedRoutes: attached.length,
        conditions: withTimes(listener.conditions, listAt(known, 'conditions'), object, facts.now),
      };
    }),
  };
}

/** Entries of other controllers are kept. */
function routeStatus({ object, parents }: RouteResult, { refused, now }: StatusFacts): ApiObject {
  const before = listAt(object, 'status', 'parents');
  const key = `${textAt(object, 'metadata', 'namespace')}/${textAt(object, 'metadata', 'name')}`;
  const refusal = refused.find(({ origin }) => origin === originOf('httproute', key));
  const own = parents.map(({ parentRef, conditions }) => {
    const shown = refusal === undefined ? conditions : withRefusal(conditions, refusal.cause);
    const known = before.find((one) => isOwn(one) && isSameStatus((one as ApiObject)['parentRef'], parentRef));
    const timed = withTimes(shown, listAt(known, 'conditions'), object, now);
    return { parentRef, controllerName: GATEWAY_CONTROLLER, conditions: timed };
  });
  return { parents: [...before.filter((one) => !isOwn(one)), ...own] };
}

/** A route that the configuration refuses is not accepted, and so not partially invalid either. */
function withRefusal(conditions: readonly Condition[], cause: string): readonly Condition[] {
  return conditions
    .filter(({ type }) => type !== 'PartiallyInvalid')
    .map((one) =>
      one.type === 'Accepted' && one.status === 'True' ? condition('Accepted', false, 'UnsupportedValue', cause) : one,
    );
}

function isOwn(parent: unknown): boolean {
  return textAt(parent, 'controllerName') === GATEWAY_CONTROLLER;
}

function pathOf(kind: KindName, object: ApiObject): string {
  const { api, resource } = KINDS[kind];
  const namespace = textAt(object, 'metadata', 'namespace');
  const scope = namespace === '' ? '' : `/namespaces/${namespace}`;
  return `${api}${scope}/${resource}/${textAt(object, 'metadata', 'name')}`;
}
