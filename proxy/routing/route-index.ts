// Index of routes by host and path, so that the cost of routing does not grow with the number of routes. Finds exactly the
// route that a scan in file order would find. Pure. Thread: both.

import type { RouteMatch, RouteSnapshot } from '../../core/snapshot/route.ts';
import { firstMismatch, matchesRest, type RoutingFacts } from './route-match.ts';

/** Positions of routes, ascending. */
type Positions = number[];

/** Routes of one host pattern by path. */
interface PathTable {
  /** Routes without a condition on the path. */
  readonly any: Positions;
  /** Routes with a regular expression for the path, which are compared one by one. */
  readonly regexes: Positions;
  readonly exact: Map<string, Positions>;
  readonly prefixes: Map<string, Positions>;
  /** Length of the longest prefix: bounds the lookups for a long path of an attacker. */
  longestPrefix: number;
}

/** Host and path pairs of one route up to which it is indexed; a route with more is compared one by one. */
const MAX_PAIRS = 1000;
const NONE = Number.MAX_SAFE_INTEGER;

export class RouteIndex {
  readonly #routes: readonly RouteSnapshot[];
  readonly #anyHost = pathTable();
  readonly #hosts = new Map<string, PathTable>();
  /** `.example.com` for `*.example.com`. */
  readonly #suffixes = new Map<string, PathTable>();
  #longestSuffix = 0;
  readonly #unindexed: Positions = [];

  constructor(routes: readonly RouteSnapshot[]) {
    this.#routes = routes;
    for (const [position, { match }] of routes.entries()) {
      const pairs = Math.max(1, match.hosts.length) * Math.max(1, match.paths.length);
      if (pairs > MAX_PAIRS) this.#unindexed.push(position);
      else for (const table of this.#tablesOf(match)) addPaths(table, match, position);
    }
  }

  /** The first route in file order that matches, or null. */
  find(facts: RoutingFacts): RouteSnapshot | null {
    const { host } = facts;
    let best = this.#firstInTable(this.#anyHost, facts, NONE);
    const exact = this.#hosts.get(host);
    if (exact !== undefined) best = this.#firstInTable(exact, facts, best);
    for (let dot = host.lastIndexOf('.'); dot > 0; dot = host.lastIndexOf('.', dot - 1)) {
      if (host.length - dot > this.#longestSuffix) break;
      const table = this.#suffixes.get(host.slice(dot));
      if (table !== undefined) best = this.#firstInTable(table, facts, best);
    }
    best = this.#firstCompared(this.#unindexed, facts, best);
    return best === NONE ? null : this.#routes[best]!;
  }

  /** As #firstOf, for routes whose host or path is not known to match. */
  #firstCompared(positions: Positions, facts: RoutingFacts, best: number): number {
    for (const position of positions) {
      if (position >= best) return best;
      if (firstMismatch(this.#routes[position]!.match, facts) === null) return position;
    }
    return best;
  }

  #tablesOf({ hosts }: RouteMatch): PathTable[] {
    if (hosts.length === 0) return [this.#anyHost];
    return hosts.map((pattern) => {
      if (!pattern.startsWith('*.')) return tableIn(this.#hosts, pattern);
      this.#longestSuffix = Math.max(this.#longestSuffix, pattern.length - 1);
      return tableIn(this.#suffixes, pattern.slice(1));
    });
  }

  /** The position of the first matching route of a table, if it is before `best`. */
  #firstInTable(table: PathTable, facts: RoutingFacts, best: number): number {
    const { path } = facts;
    let first = this.#firstOf(table.any, facts, best);
    if (table.regexes.length > 0) first = this.#firstCompared(table.regexes, facts, first);
    if (table.exact.size > 0) first = this.#firstOf(table.exact.get(path), facts, first);
    const { prefixes, longestPrefix } = table;
    if (prefixes.size === 0) return first;
    if (path.length <= longestPrefix) first = this.#firstOf(prefixes.get(path), facts, first);
    for (let slash = path.indexOf('/'); slash !== -1 && slash <= longestPrefix; slash = path.indexOf('/', slash + 1)) {
      first = this.#firstOf(prefixes.get(path.slice(0, slash)), facts, first);
      if (slash + 1 < path.length) first = this.#firstOf(prefixes.get(path.slice(0, slash + 1)), facts, first);
    }
    return first;
  }

  #firstOf(positions: Positions | undefined, facts: RoutingFacts, best: number): number {
    if (positions === undefined) return best;
    for (const position of positions) {
      if (position >= best) return best;
      if (matchesRest(this.#routes[position]!.match, facts)) return position;
    }
    return best;
  }
}

function pathTable(): PathTable {
  return { any: [], regexes: [], exact: new Map(), prefixes: new Map(), longestPrefix: 0 };
}

function tableIn(tables: Map<string, PathTable>, key: string): PathTable {
  let table = tables.get(key);
  if (table === undefined) tables.set(key, (table = pathTable()));
  return table;
}

function addPaths(table: PathTable, { paths }: RouteMatch, position: number): void {
  if (paths.length === 0) table.any.push(position);
  for (const path of paths) {
    if (path.kind === 'present') table.any.push(position);
    else if (path.kind === 'regex') addOnce(table.regexes, position);
    else if (path.kind === 'exact') addPosition(table.exact, path.value, position);
    else {
      addPosition(table.prefixes, path.value, position);
      table.longestPrefix = Math.max(table.longestPrefix, path.value.length);
    }
  }
}

function addOnce(list: Positions, position: number): void {
  if (list.at(-1) !== position) list.push(position);
}

function addPosition(lists: Map<string, Positions>, key: string, position: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [position]);
  else list.push(position);
}
