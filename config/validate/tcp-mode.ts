// Which routes and upstreams of a configuration serve TCP sessions instead of HTTP requests. Thread: main.

import type { ListenerConfig } from '../schema/schema-listeners.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';
import type { UpstreamConfig } from '../schema/schema-upstreams.ts';
import { isTcpAddress } from '../values/endpoint-address.ts';

/** The parts that decide; null for one that doesn't fit the schema. */
export interface ModeParts {
  readonly listeners: readonly (ListenerConfig | null)[];
  readonly routes: readonly (RouteConfig | null)[];
  readonly upstreams: ReadonlyMap<string, UpstreamConfig | null>;
}

/**
 * Whether a route is one of TCP listeners: those that it names, or else, where it names none, by the endpoints of its
 * upstream.
 */
export function isTcpRoute({ match, upstream = '' }: RouteConfig, { listeners, upstreams }: ModeParts): boolean {
  const named = match?.listener;
  if (named === undefined) return hasTcpEndpoints(upstreams.get(upstream));
  return listeners.some((listener) => listener?.mode === 'tcp' && named.includes(listener.name));
}

/** Names of the listeners that a TCP route serves: all of TCP where it names none. */
export function tcpListenersOf({ match }: RouteConfig, { listeners }: ModeParts): string[] {
  const tcp = listeners.flatMap((listener) => (listener?.mode === 'tcp' ? [listener.name] : []));
  return match?.listener === undefined ? tcp : tcp.filter((name) => match.listener!.includes(name));
}

/** Whether the server name or the protocols of a ClientHello decide about a route. */
export function matchesHello({ match }: RouteConfig): boolean {
  return [match, ...(match?.not ?? [])].some((one) => one?.serverName !== undefined || one?.alpn !== undefined);
}

/** Names of the upstreams with TCP endpoints, or with Unix sockets that a TCP route leads to. */
export function tcpUpstreams(parts: ModeParts): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [name, upstream] of parts.upstreams) if (hasTcpEndpoints(upstream)) names.add(name);
  for (const route of parts.routes) {
    const upstream = parts.upstreams.get(route?.upstream ?? '');
    const isUnix = upstream?.endpoints.every(({ url }) => url.socketPath !== '') ?? false;
    if (route !== null && isUnix && isTcpRoute(route, parts)) names.add(route.upstream!);
  }
  return names;
}

export function hasTcpEndpoints(upstream: UpstreamConfig | null | undefined): boolean {
  return upstream?.endpoints.some(({ url }) => isTcpAddress(url)) ?? false;
}
