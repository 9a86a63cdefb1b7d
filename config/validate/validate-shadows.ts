// Routes that never get a request, or not all that they ask for, because routes before them take it. Thread: main.

import type { ValueMatch } from '../../core/snapshot/route.ts';
import { coversRest, keysOfCover, keysOfCovering, piecesOf, type Match } from './match-cover.ts';
import { quoted } from '../values/parsed.ts';
import type { CheckContext } from './parsed-config.ts';
import type { KeyPath } from '../problems/problem.ts';

/** Pairs of host and path of one route that are looked at; with more, nothing is said about it. */
const MOST_PIECES = 1000;
/** Earlier routes with the same host and path that are compared in the rest: bounds the work, and the silence beyond. */
const MOST_RIVALS = 64;

/** Tells shadowed routes. Takes time in proportion to the routes, not to their pairs. */
export function checkShadowed(context: CheckContext): void {
  const routes = new Map<number, Match>();
  const byKey = new Map<string, number[]>();
  for (const [index, route] of context.config.routes.entries()) {
    if (route === null) continue;
    const match = route.match ?? {};
    const pieces = (match.host?.length ?? 1) * (match.path?.length ?? 1);
    if (pieces > MOST_PIECES) continue;
    const shadows = shadowsOf(match, routes, byKey);
    if (shadows.every((shadow) => shadow !== null)) tellWhole(shadows, routes, index, context);
    else tellParts(match, shadows, index, context);
    routes.set(index, match);
    for (const key of keysOfCover(match)) {
      const rivals = byKey.get(key);
      if (rivals === undefined) byKey.set(key, [index]);
      else if (rivals.length < MOST_RIVALS) rivals.push(index);
    }
  }
}

/** For each piece of a match the first route that takes all of it, or null. */
function shadowsOf(
  match: Match,
  routes: ReadonlyMap<number, Match>,
  byKey: ReadonlyMap<string, readonly number[]>,
): (number | null)[] {
  return piecesOf(match).map((piece) => {
    const rivals = keysOfCovering(piece).flatMap((key) => byKey.get(key) ?? []);
    const taking = rivals.filter((rival) => coversRest(routes.get(rival)!, match));
    return taking.length === 0 ? null : Math.min(...taking);
  });
}

function tellWhole(
  shadows: readonly number[],
  routes: ReadonlyMap<number, Match>,
  index: number,
  context: CheckContext,
): void {
  const by = [...new Set(shadows)];
  const isAll = by.length === 1 && isAny(routes.get(by[0]!)!);
  const what = isAll ? 'every request' : 'all that it asks for';
  const words = by.length === 1 ? `takes ${what} and comes` : `take ${what} and come`;
  const message = `this route can never match: ${listOf(by)} ${words} first; put it further up or remove it`;
  context.report({ code: 'FL9001', message, path: ['routes', index] });
}

function tellParts(match: Match, shadows: readonly (number | null)[], index: number, context: CheckContext): void {
  const path = ['routes', index, 'match'];
  const columns = match.path?.length ?? 1;
  for (const [row, host] of (match.host ?? []).entries()) {
    const ofHost = shadows.slice(row * columns, (row + 1) * columns);
    tellPart(`the host ${quoted(host)}`, ofHost, [...path, 'host'], row, context);
  }
  for (const [column, wanted] of (match.path ?? []).entries()) {
    const ofPath = shadows.filter((_, at) => at % columns === column);
    tellPart(`the path ${quoted(textOf(wanted))}`, ofPath, [...path, 'path'], column, context);
  }
}

function listOf(routes: readonly (number | null)[]): string {
  const names = [...new Set(routes)].map((index) => `routes[${index}]`);
  return names.length <= 3 ? names.join(' and ') : `${names.slice(0, 3).join(', ')} and others`;
}

function tellPart(
  what: string,
  shadows: readonly (number | null)[],
  path: KeyPath,
  at: number,
  context: CheckContext,
): void {
  if (shadows.some((shadow) => shadow === null)) return;
  const takers = listOf(shadows);
  const message = `${what} never leads to this route: ${takers} took it before; put this route further up or leave it out here`;
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
