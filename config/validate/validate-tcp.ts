// Checks of TCP listeners, their routes and their upstreams: keys that have a meaning for HTTP only, and parts of both
// kinds that don't fit together. Thread: main.

import { balancerNamed } from '../../balancers/registry.ts';
import { isTcpAddress, endpointId } from '../values/endpoint-address.ts';
import { quoted } from '../values/parsed.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';
import type { UpstreamConfig } from '../schema/schema-upstreams.ts';
import type { CheckContext } from './parsed-config.ts';
import { hasTcpEndpoints, isTcpRoute, tcpListenersOf, tcpUpstreams } from './tcp-mode.ts';

/** Allowed keys of one mapping: `true`, or those of the mapping below it. */
interface AllowedKeys {
  readonly [key: string]: true | AllowedKeys;
}

const LISTENER_KEYS: AllowedKeys = {
  name: true,
  bind: true,
  mode: true,
  proxyProtocol: true,
  trustedProxies: true,
  allow: true,
  deny: true,
  limits: { connections: true, connectionsPerClient: true },
  timeouts: { handshake: true },
  tls: {
    certificates: true,
    acme: true,
    internal: true,
    strictSni: true,
    profile: true,
    minVersion: true,
    maxVersion: true,
    ciphers: true,
    curves: true,
    clientAuth: true,
    clientCa: true,
    clientCrl: true,
    alpn: true,
  },
};

const ROUTE_KEYS: AllowedKeys = {
  name: true,
  match: { listener: true, client: true, serverName: true, alpn: true, not: true },
  upstream: true,
  allow: true,
  deny: true,
  accessLog: true,
  priority: true,
  timeouts: { queue: true, tunnel: true },
  retry: { attempts: true, on: true },
};

const UPSTREAM_KEYS: AllowedKeys = {
  balance: true,
  endpoints: true,
  proxyProtocol: true,
  discover: true,
  backups: true,
  locality: true,
  health: {
    heartbeat: true,
    passive: { consecutiveFailures: true, outliers: true, ejection: true, maxEjectedPercent: true },
  },
  whenAllDown: true,
  onDown: true,
  slowStart: true,
  retry: { attempts: true, on: true },
  timeouts: { connect: true, queue: true, tunnel: true },
  limits: { maxConnections: true, maxQueue: true },
  tls: true,
};

export function checkTcp(context: CheckContext): void {
  for (const [index, listener] of context.config.listeners.entries()) {
    if (listener?.mode === 'tcp') checkKeys(['listeners', index], LISTENER_KEYS, 'a listener with mode: tcp', context);
    else checkAlpn(['listeners', index, 'tls', 'alpn'], context);
  }
  for (const [index, route] of context.config.routes.entries()) {
    if (route !== null) checkRoute(route, ['routes', index], context);
  }
  const tcp = tcpUpstreams(context.config);
  for (const [name, upstream] of context.config.upstreams) {
    if (upstream === null) continue;
    if (tcp.has(name)) checkUpstream(upstream, ['upstreams', name], context);
    else checkHttpUpstream(['upstreams', name], context);
  }
}

/** Listeners of HTTP offer what they speak. */
function checkAlpn(path: KeyPath, context: CheckContext): void {
  if (!isWritten(path, context)) return;
  const message =
    'alpn is for listeners with mode: tcp: one of HTTP offers h2 and http/1.1; with http2: false, http/1.1 alone';
  context.report({ code: 'FL3007', message, path, part: 'key' });
}

function checkRoute(route: RouteConfig, path: KeyPath, context: CheckContext): void {
  checkModes(route, path, context);
  if (isTcpRoute(route, context.config)) checkTcpRoute(route, path, context);
  else checkHttpRoute(route, path, context);
}

/** A route of listeners of both kinds has no meaning: its conditions and its upstream are of one kind. */
function checkModes({ match }: RouteConfig, path: KeyPath, context: CheckContext): void {
  const named = match?.listener ?? [];
  const modes = named.map((name) => context.config.listeners.find((one) => one?.name === name)?.mode ?? null);
  const at = modes.findIndex((mode) => mode !== null && mode !== modes[0]);
  if (at < 1 || modes[0] === null) return;
  const message = `listener ${named[at]} has mode: ${modes[at]}, and ${named[0]} has mode: ${modes[0]}: write a route for each of them`;
  context.report({ code: 'FL3008', message, path: [...path, 'match', 'listener', at] });
}

function checkTcpRoute(route: RouteConfig, path: KeyPath, context: CheckContext): void {
  const { upstream = '' } = route;
  checkKeys(path, ROUTE_KEYS, 'a route of a listener with mode: tcp', context);
  const not: unknown = context.tree.valueAt([...path, 'match', 'not']);
  for (const index of Array.isArray(not) ? not.keys() : []) checkNot([...path, 'match', 'not', index], context);
  if (not !== undefined && !Array.isArray(not)) checkNot([...path, 'match', 'not'], context);
  if (!context.config.listeners.some((listener) => listener?.mode === 'tcp' || listener === null)) {
    const message = `upstream ${upstream} has tcp:// endpoints, and there is no listener with mode: tcp: set the mode of its listener`;
    context.report({ code: 'FL3008', message, path: [...path, 'upstream'] });
  }
  checkEncryptedTwice(route, path, context);
  checkOfferedAlpn(route, path, context);
  const endpoint = context.config.upstreams.get(upstream)?.endpoints.find(({ url }) => isHttp(url));
  if (endpoint === undefined) return;
  const { protocol } = endpoint.url;
  const message = `upstream ${upstream} has the endpoint ${protocol}://${endpointId(endpoint.url)}, and sessions of a listener with mode: tcp go to tcp://, tls:// or unix: endpoints`;
  context.report({ code: 'FL3008', message, path: [...path, 'upstream'] });
}

/** Clients agree with a listener that terminates TLS on a protocol that it offers, and on no other. */
function checkOfferedAlpn(route: RouteConfig, path: KeyPath, context: CheckContext): void {
  const served = new Set(tcpListenersOf(route, context.config));
  for (const listener of context.config.listeners) {
    if (listener?.tls === undefined || !served.has(listener.name)) continue;
    const { alpn } = listener.tls;
    const at = (route.match?.alpn ?? []).findIndex((protocol) => !alpn.includes(protocol));
    if (at < 0) continue;
    const protocol = route.match!.alpn![at]!;
    const key = [...path, 'match', 'alpn'];
    const place = Array.isArray(context.tree.valueAt(key)) ? [...key, at] : key;
    const message = `listener ${listener.name} terminates TLS and does not offer ${quoted(protocol)}: add it to tls.alpn of the listener, remove it here, or name other listeners in match.listener`;
    context.report({ code: 'FL3008', message, path: place });
  }
}

/** A server name or protocol without TLS of the listener is that of a handshake which the endpoint is to answer. */
function checkEncryptedTwice(route: RouteConfig, path: KeyPath, context: CheckContext): void {
  if (route.match?.serverName === undefined && route.match?.alpn === undefined) return;
  const { config } = context;
  const served = new Set(tcpListenersOf(route, config));
  const listener = config.listeners.find((one) => one !== null && one.tls === undefined && served.has(one.name));
  const { endpoints = [] } = config.upstreams.get(route.upstream ?? '') ?? {};
  const endpoint = endpoints.find(({ url }) => url.protocol === 'tls');
  if (listener === undefined || listener === null || endpoint === undefined) return;
  const message = `listener ${listener.name} passes the TLS of clients on, and tls://${endpointId(endpoint.url)} encrypts it again: write tcp://${endpointId(endpoint.url)}, or terminate TLS with tls on the listener`;
  context.report({ code: 'FL9029', message, path: [...path, 'upstream'] });
}

function isHttp(url: UpstreamConfig['endpoints'][number]['url']): boolean {
  return !isTcpAddress(url) && url.socketPath === '';
}

function checkNot(path: KeyPath, context: CheckContext): void {
  checkKeys(path, ROUTE_KEYS['match'] as AllowedKeys, 'a route of a listener with mode: tcp', context);
}

function checkHttpRoute(route: RouteConfig, path: KeyPath, context: CheckContext): void {
  const { upstream = '', split, mirror = [] } = route;
  const { upstreams } = context.config;
  checkHandshakeKeys(path, context);
  const named = [upstream, ...(split?.upstreams.map((one) => one.upstream) ?? [])];
  const tcp = named.find((name) => hasTcpEndpoints(upstreams.get(name)));
  if (tcp !== undefined) {
    const advice = 'name a listener with mode: tcp in match.listener, or give the endpoints http:// URLs';
    const message = `upstream ${tcp} has tcp:// endpoints, which serve no HTTP requests: ${advice}`;
    context.report({ code: 'FL3008', message, path: [...path, split === undefined ? 'upstream' : 'split'] });
  }
  const mirrored = mirror.find(({ to }) => hasTcpEndpoints(upstreams.get(to)))?.to;
  if (mirrored === undefined) return;
  const message = `upstream ${mirrored} has tcp:// endpoints, to which no request can be mirrored: give them http:// URLs`;
  context.report({ code: 'FL3008', message, path: [...path, 'mirror'] });
}

const HANDSHAKE_KEYS = [
  ['serverName', 'requests are matched by their host', 'host'],
  ['alpn', 'requests are matched by their version of HTTP', 'protocol'],
] as const;

/** HTTP is routed by the host and version of each request, whichever the handshake of the connection names. */
function checkHandshakeKeys(path: KeyPath, context: CheckContext): void {
  const not = [...path, 'match', 'not'];
  const written: unknown = context.tree.valueAt(not);
  const places = Array.isArray(written) ? [...written.keys()].map((index) => [...not, index]) : [not];
  for (const place of [[...path, 'match'], ...places]) {
    for (const [key, reason, suggestion] of HANDSHAKE_KEYS) {
      const at = [...place, key];
      if (!isWritten(at, context)) continue;
      const message = `"${key}" is for routes of listeners with mode: tcp: ${reason}`;
      context.report({ code: 'FL3007', message, path: at, part: 'key', suggestion });
    }
  }
}

function checkHttpUpstream(path: KeyPath, context: CheckContext): void {
  if (!isWritten([...path, 'onDown'], context)) return;
  const message =
    '"onDown" is for upstreams with tcp:// endpoints: requests that an endpoint has not answered when it goes down are retried';
  context.report({ code: 'FL3007', message, path: [...path, 'onDown'], part: 'key' });
}

function checkUpstream(upstream: UpstreamConfig, path: KeyPath, context: CheckContext): void {
  checkKeys(path, UPSTREAM_KEYS, 'an upstream with tcp:// endpoints', context);
  const report = (message: string, ...steps: (string | number)[]): void =>
    context.report({ code: 'FL3008', message, path: [...path, ...steps] });
  const index = upstream.endpoints.findIndex(({ url }) => isHttp(url));
  if (index >= 0) {
    report(
      'an upstream has tcp:// endpoints or http:// ones, not both: they serve different protocols',
      'endpoints',
      index,
    );
  }
  const { balance, health, retry } = upstream;
  const balancer = balancerNamed(balance.strategy);
  if (balancer.observe !== undefined) {
    report(`${balance.strategy} compares response times, which TCP sessions don't have: use least-request`, 'balance');
  }
  const key = balance['key'] as { readonly kind?: string } | undefined;
  if (balancer.hashKey !== undefined && key?.kind !== 'client-ip') {
    report('TCP sessions have no header fields, cookies or paths: the only key is client-ip', 'balance', 'key');
  }
  const on = retry.on.findIndex((condition) => condition !== 'connect-failure');
  if (on >= 0 && isWritten([...path, 'retry', 'on'], context)) {
    report('a TCP session is retried only while it connects: the only condition is connect-failure', 'retry', 'on', on);
  }
  if (health.heartbeat && !isWritten([...path, 'health', 'heartbeat', 'type'], context)) {
    const message =
      'a heartbeat of tcp:// endpoints needs a type: tcp to connect only, postgres, mysql, redis, cassandra or script, or http with the port of an HTTP service beside them';
    context.report({ code: 'FL2002', message, path: [...path, 'health', 'heartbeat'], part: 'key' });
  }
}

/** Reports keys that are written and have no meaning; what `defaults` gives to all is left out instead. */
function checkKeys(path: KeyPath, allowed: AllowedKeys, place: string, context: CheckContext): void {
  const written = context.tree.valueAt(path);
  if (typeof written !== 'object' || written === null || Array.isArray(written)) return;
  for (const key of Object.keys(written)) {
    const rule = Object.hasOwn(allowed, key) ? allowed[key]! : null;
    const at = [...path, key];
    if (rule !== null) {
      if (rule !== true) checkKeys(at, rule, place, context);
    } else if (isWritten(at, context)) {
      const message = `${quoted(key)} is not allowed in ${place}: it is for HTTP`;
      context.report({ code: 'FL3007', message, path: at, part: 'key' });
    }
  }
}

/** Whether a key is written at its place, instead of inherited from `defaults`. */
function isWritten(path: KeyPath, { tree }: CheckContext): boolean {
  return tree.valueAt(path) !== undefined && tree.placeOf(path, 'key').path[0] !== 'defaults';
}
