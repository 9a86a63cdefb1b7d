// Routing: the first route in file order whose every condition matches. Pure; `explain` uses the same class.
// Thread: both.

import type { RequestHead } from '../../core/head.ts';
import { normalizedPath } from '../../core/request-path.ts';
import type { ListenerSnapshot, PathNormalization } from '../../core/snapshot/listener.ts';
import type { RouteMatch, RouteSnapshot } from '../../core/snapshot/route.ts';
import { pathReadings } from '../../core/path-readings.ts';
import { RouteIndex } from './route-index.ts';
import { factsOf, firstMismatch, pathOf, type MatchPart, type RoutingFacts } from './route-match.ts';

/** The path of the request leads to different routes, depending on how a server reads it. */
export const AMBIGUOUS_PATH = Symbol('ambiguous path');

/** A route whose endpoint gets another target than the client sent: its path in normal form. */
export class NormalizedRoute {
  readonly route: RouteSnapshot;
  readonly target: string;

  constructor(route: RouteSnapshot, target: string) {
    this.route = route;
    this.target = target;
  }
}

export type RoutingResult = RouteSnapshot | NormalizedRoute | typeof AMBIGUOUS_PATH | null;

/** The route of a result; null where there is none, or none for sure. */
export function routeOf(result: RoutingResult): RouteSnapshot | null {
  return result === AMBIGUOUS_PATH ? null : result instanceof NormalizedRoute ? result.route : result;
}

const DEFAULT: PathNormalization = { ambiguous: 'normalize', forward: 'received' };

type ListenerPaths = Pick<ListenerSnapshot, 'name' | 'pathNormalization'>;

/** Finds the route of a request. Built once per Snapshot. */
export class Router {
  readonly #routes: readonly RouteSnapshot[];
  readonly #index: RouteIndex;
  /** The first route, if it matches every request and no listener changes paths: then the head isn't inspected. */
  readonly #takesAll: RouteSnapshot | null;
  readonly #comparesPaths: boolean;
  readonly #normalizations: ReadonlyMap<string, PathNormalization>;

  constructor(routes: readonly RouteSnapshot[], listeners: readonly ListenerPaths[]) {
    this.#routes = routes;
    this.#index = new RouteIndex(routes);
    this.#comparesPaths = routes.some(({ match }) => comparesPath(match));
    this.#normalizations = new Map(listeners.map(({ name, pathNormalization }) => [name, pathNormalization]));
    const changesPaths = listeners.some(({ pathNormalization }) => pathNormalization.forward === 'normalized');
    this.#takesAll = !changesPaths && routes.length > 0 && matchesAll(routes[0]!.match) ? routes[0]! : null;
  }

  /** The first route that matches; null where none does. */
  find(head: RequestHead, listenerName: string, clientAddress: string): RoutingResult {
    if (this.#takesAll !== null) return this.#takesAll;
    const facts = factsOf(head, listenerName, clientAddress);
    return facts.isPlain ? this.#index.find(facts) : this.#findNormalized(facts);
  }

  /** The verdict of every route in file order; `find` returns the first without a mismatch. */
  verdicts(facts: RoutingFacts): readonly RouteVerdict[] {
    return this.#routes.map((route) => ({ route, mismatch: firstMismatch(route.match, facts) }));
  }

  /** The readings of the received path, with the route of each; empty for a path in normal form. */
  readings(facts: RoutingFacts): readonly RoutedReading[] {
    if (facts.isPlain) return [];
    const readings = pathReadings(pathOf(facts.head.target)) ?? [];
    return readings.map((path) => ({ path, route: this.#index.find({ ...facts, path }) }));
  }

  /** Finds the route of a request whose path is not in normal form. */
  #findNormalized(facts: RoutingFacts): RoutingResult {
    const { ambiguous, forward } = this.#normalizations.get(facts.listenerName) ?? DEFAULT;
    const route = this.#index.find(facts);
    const isSafe = (path: string): boolean => ambiguous === 'keep' || this.#leadsToOne(path, route, facts);
    const { target } = facts.head;
    const path = pathOf(target);
    if (forward === 'received') {
      if (isSafe(path)) return route;
      if (ambiguous === 'reject') return AMBIGUOUS_PATH;
    }
    const sent = normalizedPath(path);
    if (!isSafe(sent)) return AMBIGUOUS_PATH;
    return route === null || sent === path ? route : new NormalizedRoute(route, sent + target.slice(path.length));
  }

  /** Whether all readings of a path lead to the route of its normal form. */
  #leadsToOne(path: string, route: RouteSnapshot | null, facts: RoutingFacts): boolean {
    if (!this.#comparesPaths) return true;
    const readings = pathReadings(path);
    return readings !== null && readings.every((reading) => this.#index.find({ ...facts, path: reading }) === route);
  }
}

/** A route, and the first part of its match that the request fails; null if it matches. */
export interface RouteVerdict {
  readonly route: RouteSnapshot;
  readonly mismatch: MatchPart | null;
}

/** One reading of a path, and the first route that matches it. */
export interface RoutedReading {
  readonly path: string;
  readonly route: RouteSnapshot | null;
}

function comparesPath({ paths, others }: RouteMatch): boolean {
  return paths.length > 0 || (others?.not.some(comparesPath) ?? false);
}

function matchesAll({ others, ...match }: RouteMatch): boolean {
  return others === undefined && Object.values(match).every((wanted: readonly unknown[]) => wanted.length === 0);
}
