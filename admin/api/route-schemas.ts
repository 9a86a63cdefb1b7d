// Schemas and handler of the path of requests: listeners, routes, policies and upstreams in the running configuration.
// Thread: main.

import { z } from 'zod';
import { matchText, tcpMatchText } from '../../core/match-text.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import type { RouteAction, RouteMatch, RouteSnapshot, TcpRouteSnapshot } from '../../core/snapshot/route.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { AdminContext } from '../admin-context.ts';
import { type AdminReply, jsonReply } from './admin-reply.ts';
import type { AdminParts, AdminRequest } from './admin-route.ts';

const names = z.array(z.string());
const policies = names.describe('Configured policies, in the order of the registry.');

const listener = z.strictObject({
  name: z.string(),
  mode: z.enum(['http', 'tcp']),
  tls: z.boolean(),
  protocols: z.array(z.enum(['http2', 'http1', 'tcp'])),
  proxyProtocol: z
    .strictObject({ trusted: names.describe('CIDR blocks of peers.'), others: z.enum(['close', 'direct']) })
    .nullable()
    .describe('Null where connections begin without a PROXY protocol header.'),
  policies,
});

const origin = z.string().nullable().describe('Object of a provider that defines it; null for the file.');

const part = z.strictObject({
  name: z.string(),
  weight: z.int().nullable().describe('In a split of the route; null where the route leads to one upstream.'),
});

const route = z.strictObject({
  name: z.string(),
  mode: z.enum(['http', 'tcp']),
  listeners: names.describe('On which the route counts.'),
  match: z.string().describe('Conditions in the notation of the file; empty where every request matches.'),
  policies,
  action: z.enum(['upstream', 'respond', 'redirect', 'files']),
  detail: z
    .string()
    .describe('Status of a reply, location of a redirect, or directory of files; empty for an upstream.'),
  upstreams: z.array(part).describe('Where requests go; empty for other actions.'),
  origin,
});
type RouteReply = z.output<typeof route>;

export const routes = z.strictObject({
  listeners: z.array(listener),
  routes: z.array(route).describe('In the order of the file; the first match wins.'),
  upstreams: z.array(z.strictObject({ name: z.string(), policies, origin })),
});
export type RoutesReply = z.output<typeof routes>;

export function sendRoutes(_request: AdminRequest, { context }: AdminParts): AdminReply {
  const snapshot = context.snapshot();
  const origins = context.providers.origins;
  const reply: RoutesReply = {
    listeners: snapshot.listeners.map(listenerRow),
    routes: [
      ...snapshot.routes.map((one) => httpRow(one, snapshot, context)),
      ...snapshot.tcpRoutes.map((one) => tcpRow(one, snapshot, context)),
    ],
    upstreams: snapshot.upstreams.map((one) => {
      return { name: one.name, policies: policyNames(one), origin: origins?.upstreams[one.name] ?? null };
    }),
  };
  return jsonReply(reply);
}

function listenerRow(one: ListenerSnapshot): RoutesReply['listeners'][number] {
  const { name, mode, tls, proxyProtocol } = one;
  const proxy = proxyProtocol === null ? null : { trusted: [...proxyProtocol.trusted], others: proxyProtocol.others };
  const hasHttp2 = tls?.http2 ?? one.http2;
  const protocols =
    mode === 'tcp' ? (['tcp'] as const) : hasHttp2 ? (['http2', 'http1'] as const) : (['http1'] as const);
  return {
    name,
    mode,
    tls: tls !== null,
    protocols: [...protocols],
    proxyProtocol: proxy,
    policies: policyNames(one),
  };
}

function httpRow(one: RouteSnapshot, snapshot: Snapshot, context: AdminContext): RouteReply {
  const { name, match, action } = one;
  const own = snapshot.listeners.filter(({ mode }) => mode === 'http').map((listener) => listener.name);
  return {
    name,
    mode: 'http',
    listeners: match.listeners.length === 0 ? own : [...match.listeners],
    match: wholeMatchText(match),
    policies: policyNames(one),
    action: action.kind,
    detail: detailOf(action),
    upstreams: action.kind === 'upstream' ? partsOf(name, action.upstream, snapshot, context) : [],
    origin: context.providers.origins?.routes[name] ?? null,
  };
}

function tcpRow(one: TcpRouteSnapshot, snapshot: Snapshot, context: AdminContext): RouteReply {
  const { name, listeners, not, upstream } = one;
  const excluded = not.map((conditions) => `not (${tcpMatchText(conditions)})`);
  return {
    name,
    mode: 'tcp',
    listeners: [...listeners],
    match: [tcpMatchText(one), ...excluded].filter((text) => text !== '').join(' and '),
    policies: policyNames(one),
    action: 'upstream',
    detail: '',
    upstreams: partsOf(name, upstream, snapshot, context),
    origin: context.providers.origins?.routes[name] ?? null,
  };
}

function wholeMatchText(match: RouteMatch): string {
  const excluded = (match.others?.not ?? []).map((one) => `not (${matchText(one)})`);
  return [matchText(match), ...excluded].filter((text) => text !== '').join(' and ');
}

function detailOf(action: RouteAction): string {
  if (action.kind === 'files') return action.files.root;
  return action.kind === 'upstream' ? '' : String(action.status);
}

/** The upstream of a route, or those of its split. */
function partsOf(
  name: string,
  index: number,
  { upstreams }: Snapshot,
  { splits }: AdminContext,
): RouteReply['upstreams'] {
  const split = splits.list().find((one) => one.route === name);
  if (split !== undefined) return split.upstreams.map((one) => ({ name: one.name, weight: one.weight }));
  return upstreams.filter((one) => one.index === index).map((one) => ({ name: one.name, weight: null }));
}

function policyNames({ policies }: Pick<RouteSnapshot, 'policies'>): string[] {
  return policies.map(({ name }) => name);
}
