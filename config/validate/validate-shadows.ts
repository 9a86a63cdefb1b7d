// Shadowed routes: routes, hosts or paths that can never match because earlier routes match first. Thread: main.

import type { ValueMatch } from '../../core/snapshot/route.ts';
import { coversRest, keysOfCover, keysOfCovering, piecesOf, type Match } from './match-cover.ts';
import { quoted } from '../values/parsed.ts';
import type { CheckContext } from './parsed-config.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';
import { isTcpRoute } from './tcp-mode.ts';

/** Limit of host and path pairs of a route; routes with more are not checked. */
const MOST_PIECES = 1000;
/** Limit of earlier routes with the same host and path that are compared; bounds the work. */
const MOST_RIVALS = 64;

/** Reports shadowed routes, in time linear in the number of routes. */
export function checkShadowed(context: CheckContext): void {
  const isTcp = (route: RouteConfig): boolean => isTcpRoute(route, context.config);
  checkRoutesOf((route) => !isTcp(route), context);
  checkRoutesOf(isTcp, context);
}

/** TCP routes and those of HTTP serve different listeners. */
function checkRoutesOf(isOne: (route: RouteConfig) => boolean, context: CheckContext): void {
  const routes = new Map<number, Match>();
  const byKey = new Map<string, number[]>();
  for (const [index, route] of context.config.routes.entries()) {
    if (route === null || !isOne(route)) continue;
    const match = route.match ?? {};
    const pieces = (namesOf(match).length || 1) * (match.path?.length ?? 1);
    if (pieces > MOST_PIECES) continue;
    const shadows = shadowsOf(match, routes, byKey);
    if (shadows.every((shadow) => shadow !== null)) reportRoute(shadows, routes, index, context);
    else reportParts(match, shadows, index, context);
    routes.set(index, match);
    for (const key of keysOfCover(match)) {
      const rivals = byKey.get(key);
      if (rivals === undefined) byKey.set(key, [index]);
      else if (rivals.length < MOST_RIVALS) rivals.push(index);
    }
  }
}

/** For each piece of a match the first route that covers it, or null. */
function shadowsOf(
  match: Match,
  routes: ReadonlyMap<number, Match>,
  byKey: ReadonlyMap<string, readonly number[]>,
): (number | null)[] {
  return piecesOf(match).map((piece) => {
    const rivals = keysOfCovering(piece).flatMap((key) => byKey.get(key) ?? []);
    const covering = rivals.filter((rival) => coversRest(routes.get(rival)!, match));
    return covering.length === 0 ? null : Math.min(...covering);
  });
}

function reportRoute(
  shadows: readonly number[],
  routes: ReadonlyMap<number, Match>,
  index: number,
  context: CheckContext,
): void {
  const by = [...new Set(shadows)];
  const isAll = by.length === 1 && isAny(routes.get(by[0]!)!);
  const what = isAll ? 'every request' : 'all of its requests';
  const verb = by.length === 1 ? 'matches' : 'match';
  const message = `this route can never match: ${listOf(by, index, context)} ${verb} ${what} first; move this route up or remove it`;
  context.report({ code: 'FL9001', message, path: ['routes', index] });
}

function reportParts(match: Match, shadows: readonly (number | null)[], index: number, context: CheckContext): void {
  const path = ['routes', index, 'match'];
  const columns = match.path?.length ?? 1;
  const [key, what] = match.host === undefined ? ['serverName', 'server name'] : ['host', 'host'];
  for (const [row, name] of namesOf(match).entries()) {
    const ofName = shadows.slice(row * columns, (row + 1) * columns);
    reportPart(`the ${what} ${quoted(name)}`, ofName, [...path, key], row, context);
  }
  for (const [column, wanted] of (match.path ?? []).entries()) {
    const ofPath = shadows.filter((_, at) => at % columns === column);
    reportPart(`the path ${quoted(textOf(wanted))}`, ofPath, [...path, 'path'], column, context);
  }
}

/** Hosts, or server names of a TCP route; empty for any. */
function namesOf({ host, serverName }: Match): readonly string[] {
  return host ?? serverName ?? [];
}

/** @param from index of the route that the message is about */
function listOf(routes: readonly (number | null)[], from: number, { tree }: CheckContext): string {
  const names = [...new Set(routes)].map((index) => tree.nameOf(['routes', index ?? 0], ['routes', from]));
  return names.length <= 3 ? names.join(' and ') : `${names.slice(0, 3).join(', ')} and others`;
}

function reportPart(
  what: string,
  shadows: readonly (number | null)[],
  path: KeyPath,
  at: number,
  context: CheckContext,
): void {
  if (shadows.some((shadow) => shadow === null)) return;
  const verb = new Set(shadows).size === 1 ? 'matches' : 'match';
  const message = `${what} can never match here: ${listOf(shadows, path[1] as number, context)} ${verb} first; move this route up or remove it from the list`;
  const place = Array.isArray(context.tree.valueAt(path)) ? [...path, at] : path;
  context.report({ code: 'FL9013', message, path: place });
}

function isAny(match: Match): boolean {
  const { path, ...others } = match;
  const isAnyPath = path === undefined || path.some((wanted) => wanted.kind === 'prefix' && wanted.value === '/');
  return isAnyPath && Object.values(others).every((part) => part === undefined);
}

function textOf(wanted: ValueMatch): string {
  return wanted.kind === 'present' ? '/' : wanted.value;
}
