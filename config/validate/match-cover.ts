// Subset test on matches: whether one match accepts every request of another. Basis of "this route can never match".
// Pure. Thread: main.

import { isDeepStrictEqual } from 'node:util';
import { linearRegex } from '../../core/linear-regex.ts';
import type { ValueMatch } from '../../core/snapshot/route.ts';
import { containsBlock } from '../groups/match-sets.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';

export type Match = NonNullable<RouteConfig['match']>;

/** One host (of TCP routes one server name) and one path of a match; null for any. */
export interface Piece {
  readonly host: string | null;
  readonly path: ValueMatch | null;
}

/** The pieces of a match: each host combined with each path, in the order of the lists. */
export function piecesOf({ host, serverName, path }: Match): Piece[] {
  const hosts = host ?? serverName ?? [null];
  const paths = path ?? [null];
  return hosts.flatMap((one) => paths.map((other) => ({ host: one, path: other })));
}

/** Index keys of a match, under which the matches that it may cover look it up. */
export function keysOfCover(match: Match): string[] {
  return piecesOf(match).map(({ host, path }) => `${host ?? ''} ${path === null ? '/' : keyOfPath(path)}`);
}

/** Index keys of all matches that may cover a piece: its host and enclosing wildcards, its path and enclosing prefixes. */
export function keysOfCovering({ host, path }: Piece): string[] {
  const paths = path === null ? ['/'] : pathsAbove(path);
  return hostsAbove(host).flatMap((one) => paths.map((other) => `${one} ${other}`));
}

function keyOfPath(path: ValueMatch): string {
  if (path.kind === 'present') return '/';
  if (path.kind === 'regex') return keyOfRegex(path.value);
  return path.kind === 'exact' ? `=${path.value}` : path.value;
}

/** Paths begin with a slash. */
function keyOfRegex(source: string): string {
  return `~${source}`;
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
  if (kind === 'regex') return ['/', keyOfRegex(value)];
  const above = new Set(kind === 'exact' ? [`=${value}`, value] : [value]);
  for (let slash = value.indexOf('/'); slash !== -1; slash = value.indexOf('/', slash + 1)) {
    above.add(value.slice(0, slash + 1));
    if (slash > 0) above.add(value.slice(0, slash));
  }
  return [...above];
}

/** Whether the conditions of `earlier` besides host and path are implied by those of `later`. */
export function coversRest(earlier: Match, later: Match): boolean {
  return (
    includesAll(earlier.listener, later.listener) &&
    includesAll(earlier.method, later.method) &&
    isImpliedBy(earlier.header ?? {}, later.header ?? {}, true) &&
    isImpliedBy(earlier.query ?? {}, later.query ?? {}, false) &&
    isImpliedBy(earlier.cookie ?? {}, later.cookie ?? {}, false) &&
    includesAll(earlier.protocol, later.protocol) &&
    includesAll(earlier.alpn, later.alpn) &&
    (earlier.subdomains !== 'one' || later.subdomains === 'one') &&
    includesBlocks(earlier.client, later.client) &&
    excludesNoMore(earlier.not ?? [], later.not ?? [])
  );
}

/** Whether every address of `later` is in a block of `earlier`; an absent list has all addresses. */
function includesBlocks(earlier: readonly string[] | undefined, later: readonly string[] | undefined): boolean {
  if (earlier === undefined) return true;
  return later !== undefined && later.every((block) => earlier.some((wider) => containsBlock(wider, block)));
}

/** Whether `earlier` excludes no request that `later` doesn't: compared as they are written. */
function excludesNoMore(earlier: NonNullable<Match['not']>, later: NonNullable<Match['not']>): boolean {
  return earlier.every((unwanted) => later.some((other) => isDeepStrictEqual(unwanted, other)));
}

/** Whether `earlier` accepts every word of `later`; an absent list accepts all. */
function includesAll(earlier: readonly string[] | undefined, later: readonly string[] | undefined): boolean {
  if (earlier === undefined) return true;
  return later !== undefined && later.every((word) => earlier.includes(word));
}

type Conditions = Readonly<Record<string, ValueMatch>>;

function isImpliedBy(earlier: Conditions, later: Conditions, isCaseless: boolean): boolean {
  const named = (name: string): string => (isCaseless ? name.toLowerCase() : name);
  return Object.entries(earlier).every(([name, condition]) =>
    Object.entries(later).some(([other, given]) => named(other) === named(name) && implies(given, condition)),
  );
}

/** Whether every value that matches `given` also matches `condition`. */
function implies(given: ValueMatch, condition: ValueMatch): boolean {
  if (condition.kind === 'present') return true;
  if (given.kind === 'present') return false;
  if (given.kind === 'regex') return condition.kind === 'regex' && given.value === condition.value;
  if (condition.kind === 'regex') return given.kind === 'exact' && linearRegex(condition.value).test(given.value);
  if (condition.kind === 'exact') return given.kind === 'exact' && given.value === condition.value;
  return given.value.startsWith(condition.value);
}
