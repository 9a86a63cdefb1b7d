// Compiles the routes of TCP listeners. Thread: main.

import type { TcpConditions, TcpRouteSnapshot } from '../../core/snapshot/route.ts';
import type { CompiledPolicy } from '../policies/policy-place.ts';
import type { ListenerConfig } from '../schema/schema-listeners.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';
import { isTcpRoute, type ModeParts, matchesHello, tcpListenersOf } from '../validate/tcp-mode.ts';
import { compileOverrides } from './compile-upstream.ts';

/** Policies that act on sessions: all others act on HTTP requests. */
const TCP_POLICIES: ReadonlySet<string> = new Set(['address-rules', 'listener-address-rules']);

/** The policies of a listener or route that act on sessions. */
export function tcpPolicies(policies: readonly CompiledPolicy[]): CompiledPolicy[] {
  return policies.filter(({ name }) => TCP_POLICIES.has(name));
}

export function compileTcpRoute(
  route: RouteConfig,
  place: Pick<TcpRouteSnapshot, 'name' | 'listeners' | 'policies' | 'upstream'>,
): TcpRouteSnapshot {
  const { match = {}, priority } = route;
  return {
    ...place,
    ...conditionsOf(match),
    not: (match.not ?? []).map(conditionsOf),
    overrides: compileOverrides(route),
    priority,
  };
}

type Conditions = Pick<NonNullable<RouteConfig['match']>, 'client' | 'serverName' | 'alpn'>;

function conditionsOf({ client = [], serverName = [], alpn = [] }: Conditions): TcpConditions {
  return { clients: client, serverNames: serverName, alpn };
}

/** Whether sessions of a listener that doesn't terminate TLS are routed by their ClientHello. */
export function readsHello({ mode, name, tls }: ListenerConfig, parts: ModeParts): boolean {
  if (mode !== 'tcp' || tls !== undefined) return false;
  return parts.routes.some((route) => {
    if (route === null || !tcpListenersOf(route, parts).includes(name) || !isTcpRoute(route, parts)) return false;
    return matchesHello(route);
  });
}
