// Checks of routes: references, actions, header edits, unused upstreams and listeners. Thread: main.

import { isIP } from 'node:net';
import { nearestName } from '../problems/nearest-name.ts';
import { quoted } from '../values/parsed.ts';
import type { CheckContext } from './parsed-config.ts';
import type { KeyPath } from '../problems/problem.ts';
import { ACTIONS, FORWARDING_ACTIONS, HOST_WORDS, NEEDS_UPSTREAM, type RouteConfig } from '../schema/schema-routes.ts';
import { redirectsToHttps } from '../../proxy/policies/redirect-to-https.ts';
import { UpstreamCheck } from './upstream-check.ts';
import { checkShadowed } from './validate-shadows.ts';
import { checkRouteTimes } from './validate-times.ts';

export function checkRoutes(context: CheckContext): void {
  checkNames(context);
  for (const [index, route] of context.config.routes.entries()) {
    const path = ['routes', index];
    checkReferences(path, context);
    if (route === null) continue;
    checkAction(route, path, context);
    checkHostField(route, path, context);
    checkOverrides(route, path, context);
    checkHostWord(path, context);
  }
  checkShadowed(context);
  checkUnused(context);
  checkIdleListeners(context);
}

/** The name of a route: its own, or one derived from its position. */
export function routeName(route: RouteConfig, index: number): string {
  return route.name ?? `route-${index + 1}`;
}

function checkNames(context: CheckContext): void {
  const seen = new Map<string, number>();
  for (const [index, route] of context.config.routes.entries()) {
    if (route === null) continue;
    const name = routeName(route, index);
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, index);
      continue;
    }
    const path = ['routes', index, 'name'];
    const other = context.tree.nameOf(['routes', first], path);
    const message = `${other} is also named ${quoted(name)}: route names must be unique`;
    context.report({ code: 'FL3003', message, path });
  }
}

function checkAction(route: RouteConfig, path: KeyPath, context: CheckContext): void {
  const given = ACTIONS.filter((action) => route[action] !== undefined);
  const [first, second] = given;
  if (first === undefined) {
    const message =
      'this route has no action: add upstream, split, respond, redirect or files, for example upstream: app';
    context.report({ code: 'FL3006', message, path });
  } else if (second !== undefined) {
    const message = `a route has exactly one action, this one has ${given.join(' and ')}: keep one of them`;
    context.report({ code: 'FL3006', message, path: [...path, second], part: 'key' });
  } else if (!FORWARDING_ACTIONS.includes(first)) {
    checkWithoutUpstream(first, path, context);
  }
}

function checkWithoutUpstream(action: string, path: KeyPath, context: CheckContext): void {
  for (const key of NEEDS_UPSTREAM) {
    if (context.tree.valueAt([...path, key]) === undefined) continue;
    const message = `${quoted(key)} is not allowed with ${action}: no request is sent to an endpoint`;
    context.report({ code: 'FL3007', message, path: [...path, key], part: 'key' });
  }
}

/** Paths at which a route may name upstreams: its own, those of its split, and those of its mirrors. */
export function upstreamPaths(path: KeyPath, context: CheckContext): KeyPath[] {
  const isList = Array.isArray(context.tree.valueAt([...path, 'split']));
  const split = isList ? [...path, 'split'] : [...path, 'split', 'upstreams'];
  const mirror = [...path, 'mirror'];
  const { tree } = context;
  return [
    [...path, 'upstream'],
    ...itemPaths(split, 'upstream', tree),
    [...mirror, 'to'],
    ...itemPaths(mirror, 'to', tree),
  ];
}

/** Paths of a key in the items of a list; none where there is no list. */
function itemPaths(list: KeyPath, key: string, tree: CheckContext['tree']): KeyPath[] {
  const items = tree.valueAt(list);
  return Array.isArray(items) ? items.map((_, index): KeyPath => [...list, index, key]) : [];
}

/** Checks references on the written values, so that they are checked even if the rest doesn't fit the schema. */
function checkReferences(path: KeyPath, context: CheckContext): void {
  const isList = Array.isArray(context.tree.valueAt(['upstreams']));
  // A list of upstreams is an error of its own.
  for (const at of isList ? [] : upstreamPaths(path, context)) {
    const upstream = context.tree.valueAt(at);
    if (typeof upstream !== 'string' || context.config.upstreams.has(upstream)) continue;
    const known = [...context.config.upstreams.keys()];
    context.report({ code: 'FL3001', path: at, ...unknownName('upstream', upstream, known) });
  }
  const place = [...path, 'match', 'listener'];
  const given = context.tree.valueAt(place);
  const known = context.config.listeners.map((_, index) => context.tree.valueAt(['listeners', index, 'name']));
  for (const [index, name] of (Array.isArray(given) ? (given as unknown[]) : [given]).entries()) {
    if (typeof name !== 'string' || known.includes(name)) continue;
    const names = known.filter((other) => typeof other === 'string');
    const step = Array.isArray(given) ? [index] : [];
    context.report({ code: 'FL3002', path: [...place, ...step], ...unknownName('listener', name, names) });
  }
}

export function unknownName(
  kind: string,
  name: string,
  known: readonly string[],
): { message: string; suggestion?: string | undefined } {
  const suggestion = nearestName(name, known);
  const hint = suggestion === undefined ? '' : `; did you mean ${quoted(suggestion)}?`;
  if (known.length === 0 || suggestion !== undefined)
    return { message: `${kind} ${quoted(name)} does not exist${hint}`, suggestion };
  const list = `${known.slice(0, 10).join(', ')}${known.length > 10 ? ', ...' : ''}`;
  return { message: `${kind} ${quoted(name)} does not exist; defined: ${list}` };
}

/** Reports the words of `host` that are now options of `from`: as text they shadow hosts of these names. */
function checkHostWord(path: KeyPath, context: CheckContext): void {
  const written = context.tree.valueAt([...path, 'host']);
  const from = typeof written === 'string' ? HOST_WORDS.get(written) : undefined;
  if (from === undefined) return;
  const suggestion = `{ from: ${from} }`;
  const message = `host: ${String(written)} is deprecated: write host: ${suggestion}, or { name: ${String(written)} } for a host of that name`;
  context.report({ code: 'FL9022', message, path: [...path, 'host'], suggestion });
}

/** Reports different names in Host and SNI: a server with virtual hosts may answer 421 or 404. */
function checkHostField(route: RouteConfig, path: KeyPath, context: CheckContext): void {
  const upstream = context.config.upstreams.get(route.upstream ?? '');
  if (route.host.kind !== 'client' || !upstream || upstream.tls.serverName !== undefined) return;
  const named = upstream.endpoints.find(({ url }) => url.protocol === 'https' && isIP(url.host) === 0);
  if (named === undefined) return;
  const advice = 'if it has virtual hosts, set host: { from: endpoint } on the route or tls.serverName on the upstream';
  const message = `endpoint ${named.url.host} gets its own name in TLS (SNI), but the client's Host field: ${advice}`;
  context.report({ code: 'FL9007', message, path: [...path, 'upstream'] });
}

/** Checks the settings of a route together with those of its upstream that it doesn't replace. */
function checkOverrides(route: RouteConfig, path: KeyPath, context: CheckContext): void {
  const upstream = context.config.upstreams.get(route.upstream ?? '');
  if (!upstream || (route.timeouts === undefined && route.retry === undefined)) return;
  const timeouts = { ...upstream.timeouts, ...route.timeouts };
  const retry = { ...upstream.retry, ...route.retry };
  checkRouteTimes(new UpstreamCheck({ ...upstream, timeouts, retry }, path, context));
}

function checkUnused(context: CheckContext): void {
  const routes = context.tree.valueAt(['routes']);
  if (!Array.isArray(routes)) return;
  const paths = routes.flatMap((_, index) => upstreamPaths(['routes', index], context));
  const used = new Set(paths.map((path) => context.tree.valueAt(path)));
  // A route with a misspelt key or an unknown upstream probably refers to one that looks unused.
  if (context.config.routes.includes(null)) return;
  if ([...used].some((name) => typeof name === 'string' && !context.config.upstreams.has(name))) return;
  for (const name of context.config.upstreams.keys()) {
    if (used.has(name)) continue;
    const message = `no route refers to upstream ${quoted(name)}: its endpoints are checked but receive no requests`;
    context.report({ code: 'FL9002', message, path: ['upstreams', name], part: 'key' });
  }
}

/** Reports listeners that no route serves: they answer every request with 404. */
function checkIdleListeners(context: CheckContext): void {
  const { listeners, routes } = context.config;
  if (routes.length === 0 || routes.some((route) => route === null || route.match?.listener === undefined)) return;
  const served = new Set(routes.flatMap((route) => route?.match?.listener ?? []));
  // An unknown name probably refers to a listener that looks unused.
  const known = new Set(listeners.map((listener) => listener?.name));
  if ([...served].some((name) => !known.has(name))) return;
  for (const [index, listener] of listeners.entries()) {
    if (listener === null || served.has(listener.name) || redirectsToHttps(listener)) continue;
    const effect = listener.mode === 'tcp' ? 'all of its connections are closed' : 'all of its requests get 404';
    const message = `no route serves listener ${quoted(listener.name)}: ${effect}`;
    context.report({ code: 'FL9014', message, path: ['listeners', index, 'name'] });
  }
}
