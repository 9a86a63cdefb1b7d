// Routing: the first route in file order whose every condition matches. Pure; `explain` uses the same class.
// Thread: both.

import type { RequestHead } from '../../core/head.ts';
import type { RouteMatch, RouteSnapshot } from '../../core/snapshot/route.ts';
import { RouteIndex } from './route-index.ts';
import { factsOf, firstMismatch, type MatchPart, type RoutingFacts } from './route-match.ts';

/** Up to this number of routes a scan is faster than the index. */
const MAX_SCANNED = 4;

/** Finds the route of a request. Built once per Snapshot. */
export class Router {
  readonly #routes: readonly RouteSnapshot[];
  /** Null for few routes. */
  readonly #index: RouteIndex | null;
  /** The first route, if it matches every request: then the head isn't inspected. */
  readonly #takesAll: RouteSnapshot | null;

  constructor(routes: readonly RouteSnapshot[]) {
    this.#routes = routes;
    this.#index = routes.length > MAX_SCANNED ? new RouteIndex(routes) : null;
    this.#takesAll = routes.length > 0 && matchesAll(routes[0]!.match) ? routes[0]! : null;
  }

  /** The first route that matches, or null. */
  find(head: RequestHead, listenerName: string): RouteSnapshot | null {
    if (this.#takesAll !== null) return this.#takesAll;
    const facts = factsOf(head, listenerName);
    if (this.#index !== null) return this.#index.find(facts);
    for (const route of this.#routes) if (firstMismatch(route.match, facts) === null) return route;
    return null;
  }

  /** The verdict of every route in file order; `find` returns the first without a mismatch. */
  verdicts(facts: RoutingFacts): readonly RouteVerdict[] {
    return this.#routes.map((route) => ({ route, mismatch: firstMismatch(route.match, facts) }));
  }
}

/** A route, and the first part of its match that the request fails; null if it matches. */
export interface RouteVerdict {
  readonly route: RouteSnapshot;
  readonly mismatch: MatchPart | null;
}

function matchesAll(match: RouteMatch): boolean {
  return Object.values(match).every((wanted: readonly unknown[]) => wanted.length === 0);
}
