// Index of routes by host and path, so that the cost of routing does not grow with the number of routes. Finds exactly the
// route that a scan in file order would find. Pure. Thread: both.

import type { RouteMatch, RouteSnapshot } from '../../core/snapshot/route.ts';
import { PathTable, type Positions } from './path-table.ts';
import { firstMismatch, matchesRest, type RoutingFacts } from './route-match.ts';

/** Routes of a host or of a domain, and the tables of all patterns that match it: its own and those of wider domains. */
interface HostEntry {
  readonly own: PathTable;
  tables: readonly PathTable[];
}

/** Host and path pairs of one route up to which it is indexed; a route with more is compared one by one. */
const MAX_PAIRS = 1000;
const NONE = Number.MAX_SAFE_INTEGER;

export class RouteIndex {
  readonly #routes: readonly RouteSnapshot[];
  /** Whether a route has conditions besides host and path. */
  readonly #hasRest: Uint8Array;
  readonly #anyHost = new PathTable();
  readonly #hosts = new Map<string, HostEntry>();
  /** `.example.com` for `*.example.com`. */
  readonly #domains = new Map<string, HostEntry>();
  #longestDomain = 0;
  /** Of a host that no pattern matches. */
  readonly #otherHosts: readonly PathTable[];
  readonly #unindexed: Positions = [];

  constructor(routes: readonly RouteSnapshot[]) {
    this.#routes = routes;
    this.#hasRest = Uint8Array.from(routes, ({ match }) => (hasRest(match) ? 1 : 0));
    let hasAnyHost = false;
    for (const [position, { match }] of routes.entries()) {
      const pairs = Math.max(1, match.hosts.length) * Math.max(1, match.paths.length);
      if (pairs > MAX_PAIRS) this.#unindexed.push(position);
      else for (const table of this.#tablesOf(match)) table.add(match.paths, position);
      hasAnyHost ||= match.hosts.length === 0 && pairs <= MAX_PAIRS;
    }
    this.#otherHosts = hasAnyHost ? [this.#anyHost] : [];
    this.#nest();
  }

  /** The first route in file order that matches, or null. */
  find(facts: RoutingFacts): RouteSnapshot | null {
    const { host } = facts;
    const tables = this.#hosts.get(host)?.tables ?? this.#tablesByDomain(host);
    let best = NONE;
    for (let at = 0; at < tables.length; at++) best = this.#firstInTable(tables[at]!, facts, best);
    if (this.#unindexed.length > 0) best = this.#firstCompared(this.#unindexed, facts, best);
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
      if (!pattern.startsWith('*.')) return ownTable(this.#hosts, pattern);
      this.#longestDomain = Math.max(this.#longestDomain, pattern.length - 1);
      return ownTable(this.#domains, pattern.slice(1));
    });
  }

  /** Gives each host and domain the tables of the wider domains. */
  #nest(): void {
    this.#anyHost.nest();
    const entries = [...this.#domains].toSorted(([first], [second]) => first.length - second.length);
    for (const [name, entry] of [...entries, ...this.#hosts]) {
      entry.own.nest();
      entry.tables = [entry.own, ...this.#tablesByDomain(name)];
    }
  }

  /** The tables of the narrowest domain that a host, or another domain, is in. */
  #tablesByDomain(host: string): readonly PathTable[] {
    if (this.#longestDomain === 0) return this.#otherHosts;
    let dot = host.indexOf('.', Math.max(1, host.length - this.#longestDomain));
    for (; dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const entry = this.#domains.get(host.slice(dot));
      if (entry !== undefined) return entry.tables;
    }
    return this.#otherHosts;
  }

  /** The position of the first matching route of a table, if it is before `best`. */
  #firstInTable(table: PathTable, facts: RoutingFacts, best: number): number {
    let first = this.#firstOf(table.any, facts, best);
    if (table.regexes.length > 0) first = this.#firstCompared(table.regexes, facts, first);
    const exact = table.exactly(facts.path);
    if (exact !== undefined) first = this.#firstOf(exact, facts, first);
    for (let node = table.longestPrefix(facts.path); node !== null; node = node.outer) {
      first = this.#firstOf(node.positions, facts, first);
    }
    return first;
  }

  #firstOf(positions: Positions, facts: RoutingFacts, best: number): number {
    for (let at = 0; at < positions.length; at++) {
      const position = positions[at]!;
      if (position >= best) return best;
      if (this.#hasRest[position] === 0 || matchesRest(this.#routes[position]!.match, facts)) return position;
    }
    return best;
  }
}

function ownTable(entries: Map<string, HostEntry>, name: string): PathTable {
  let entry = entries.get(name);
  if (entry === undefined) entries.set(name, (entry = { own: new PathTable(), tables: [] }));
  return entry.own;
}

function hasRest({ listeners, methods, headers, query, others }: RouteMatch): boolean {
  return [listeners, methods, headers, query].some((conditions) => conditions.length > 0) || others !== undefined;
}
