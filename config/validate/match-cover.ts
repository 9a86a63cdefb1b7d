// Whether every request that one match takes is taken by another match too: the arithmetic behind "this route can never
// match". Pure. Thread: main.

import type { ValueMatch } from '../../core/snapshot/route.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';

export type Match = NonNullable<RouteConfig['match']>;

/** One piece of a match: at most one host and one path; null is any. */
export interface Piece {
  readonly host: string | null;
  readonly path: ValueMatch | null;
}

/** The pieces that a match is made of: each host with each path. Their places are indexes of the lists. */
export function piecesOf({ host, path }: Match): Piece[] {
  const hosts = host ?? [null];
  const paths = path ?? [null];
  return hosts.flatMap((one) => paths.map((other) => ({ host: one, path: other })));
}

/** Keys under which a match is found by those that it may cover. */
export function keysOfCover(match: Match): string[] {
  return piecesOf(match).map(({ host, path }) => `${host ?? ''} ${path === null ? '/' : keyOfPath(path)}`);
}

/** Keys of all matches that may cover a piece: its host and the wildcards above, its path and the prefixes above. */
export function keysOfCovering({ host, path }: Piece): string[] {
  const paths = path === null ? ['/'] : pathsAbove(path);
  return hostsAbove(host).flatMap((one) => paths.map((other) => `${one} ${other}`));
}

function keyOfPath(path: ValueMatch): string {
  if (path.kind === 'present') return '/';
  return path.kind === 'exact' ? `=${path.value}` : path.value;
}

function hostsAbove(host: string | null): string[] {
  if (host === null) return [''];
  const above = ['', host];
  const bare = host.startsWith('*.') ? host.slice(2) : host;
  for (let dot = bare.indexOf('.'); dot !== -1; dot = bare.indexOf('.', dot + 1)) above.push(`*${bare.slice(dot)}`);
  return above;
}

function pathsAbove(path: ValueMatch): string[] {
  if (path.kind === 'present') return ['/'];
  const { kind, value } = path;
  const above = new Set(kind === 'exact' ? [`=${value}`, value] : [value]);
  for (let slash = value.indexOf('/'); slash !== -1; slash = value.indexOf('/', slash + 1)) {
    above.add(value.slice(0, slash + 1));
    if (slash > 0) above.add(value.slice(0, slash));
  }
  return [...above];
}

/** Whether what a match asks besides host and path is asked by `later` too, or more: then it takes what `later` takes. */
export function coversRest(earlier: Match, later: Match): boolean {
  return (
    includesAll(earlier.listener, later.listener) &&
    includesAll(earlier.method, later.method) &&
    asksNoMore(earlier.header ?? {}, later.header ?? {}, true) &&
    asksNoMore(earlier.query ?? {}, later.query ?? {}, false)
  );
}

/** Lists of words of which a request needs one; none is any. */
function includesAll(earlier: readonly string[] | undefined, later: readonly string[] | undefined): boolean {
  if (earlier === undefined) return true;
  return later !== undefined && later.every((word) => earlier.includes(word));
}

type Wanted = Readonly<Record<string, ValueMatch>>;

function asksNoMore(earlier: Wanted, later: Wanted, isCaseless: boolean): boolean {
  const named = (name: string): string => (isCaseless ? name.toLowerCase() : name);
  return Object.entries(earlier).every(([name, wanted]) =>
    Object.entries(later).some(([other, given]) => named(other) === named(name) && implies(given, wanted)),
  );
}

/** Whether a value that fits `given` always fits `wanted`. */
function implies(given: ValueMatch, wanted: ValueMatch): boolean {
  if (wanted.kind === 'present') return true;
  if (given.kind === 'present') return false;
  if (wanted.kind === 'exact') return given.kind === 'exact' && given.value === wanted.value;
  return given.value.startsWith(wanted.value);
}
