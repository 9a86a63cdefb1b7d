// Resolves `defaults` and groups of routes: the values that result for each route and upstream, in one flat list of routes.
// Each value keeps the place where it is written. Thread: main.

import type { Finding, KeyPath } from '../problems/problem.ts';
import { quoted } from '../values/parsed.ts';
import { currentUpstreamSchema } from '../schema/schema.ts';
import { ACTIONS, FORWARDING_ACTIONS, NEEDS_UPSTREAM, route as routeSchema } from '../schema/schema-routes.ts';
import type { EntryPlace, Places } from '../yaml/places.ts';
import type { SourceTree } from '../yaml/source-tree.ts';
import { inherit, isMapping, type Mapping, type Settings } from './inherit.ts';
import { narrowMatch } from './narrow-match.ts';
import type { z } from 'zod';
import { findingsOf } from '../schema/schema-findings.ts';
import { retypeVariables } from '../yaml/retype-variables.ts';

type Report = (finding: Finding) => void;
/** Returns the reporter of findings by their paths in a tree. */
type ReporterOf = (tree: SourceTree) => Report;

/** Keys that have no default: they tell routes and upstreams apart. */
const WITHOUT_DEFAULT: Readonly<Record<Kind, readonly string[]>> = {
  routes: ['name', 'match', 'routes', ...ACTIONS],
  upstreams: ['endpoints'],
};
type Kind = 'routes' | 'upstreams';

/** Returns the tree itself if it has neither groups nor defaults. */
export function resolveGroups(tree: SourceTree, reporterOf: ReporterOf): SourceTree {
  const { root, places } = tree;
  if (!isMapping(root)) return tree;
  const { routes, upstreams } = root;
  const hasGroups = Array.isArray(routes) && routes.some(isGroup);
  if (!hasGroups && !isMapping(root['defaults'])) return tree;
  const ofRoutes = defaultsOf('routes', tree, reporterOf);
  const ofUpstreams = defaultsOf('upstreams', tree, reporterOf);
  const resolved = Object.create(null) as Mapping;
  for (const key of Object.keys(root)) places.copy({ container: root, key }, { container: resolved, key });
  if (Array.isArray(routes)) resolved['routes'] = new RouteList(tree, reporterOf).flatten(routes, ofRoutes);
  if (isMapping(upstreams) && ofUpstreams !== null)
    resolved['upstreams'] = withDefaults(upstreams, ofUpstreams, places);
  return tree.withRoot(resolved);
}

function isGroup(value: unknown): boolean {
  return isMapping(value) && Object.hasOwn(value, 'routes');
}

/** The defaults of routes or upstreams, which are checked; null if there are none. */
function defaultsOf(kind: Kind, tree: SourceTree, reporterOf: ReporterOf): Settings | null {
  const at = ['defaults', kind];
  const written = tree.valueAt(at);
  if (!isMapping(written)) return null;
  const values = Object.create(null) as Mapping;
  for (const key of Object.keys(written)) {
    const path = [...at, key];
    if (!WITHOUT_DEFAULT[kind].includes(key)) {
      tree.places.copy({ container: written, key }, { container: values, key }, { at: path });
      continue;
    }
    const message = `${quoted(key)} has no default: write it in each of the ${kind}`;
    reporterOf(tree)({ code: 'FL3007', message, path, part: 'key' });
  }
  const part = tree.withRoot(values);
  const schema = kind === 'routes' ? routeSchema : currentUpstreamSchema().partial({ endpoints: true });
  checkPart(part, schema, reporterOf(part));
  return { values, at };
}

function withDefaults(upstreams: Mapping, base: Settings, places: Places): Mapping {
  const schema = currentUpstreamSchema();
  const result = Object.create(null) as Mapping;
  for (const name of Object.keys(upstreams)) {
    places.copy({ container: upstreams, key: name }, { container: result, key: name });
    const own = upstreams[name];
    if (isMapping(own)) result[name] = inherit(own, base, schema, places);
  }
  return result;
}

/** Conditions of groups, and the place of their innermost `match`. */
interface GroupMatch extends Settings {
  readonly place: EntryPlace | undefined;
}

/** A level of groups. */
interface Level {
  readonly settings: Settings | null;
  readonly match: GroupMatch | null;
  /** Names of the groups; '' where none has a name. */
  readonly prefix: string;
  /** The part of a name that comes before the number of a route without one. */
  readonly label: string;
  /** Path of its list of routes in the tree, and in its file. */
  readonly path: KeyPath;
  readonly at: KeyPath;
}

class RouteList {
  readonly #tree: SourceTree;
  readonly #places: Places;
  readonly #reporterOf: ReporterOf;
  readonly #report: Report;
  readonly #flat: unknown[] = [];

  constructor(tree: SourceTree, reporterOf: ReporterOf) {
    this.#tree = tree;
    this.#places = tree.places;
    this.#reporterOf = reporterOf;
    this.#report = reporterOf(tree);
  }

  flatten(routes: unknown[], defaults: Settings | null): unknown[] {
    this.#addAll(routes, { settings: defaults, match: null, prefix: '', label: '', path: ['routes'], at: ['routes'] });
    return this.#flat;
  }

  #addAll(routes: unknown[], level: Level): void {
    for (const [index, route] of routes.entries()) {
      if (!isMapping(route)) this.#push(routes, index, route, level);
      else if (isGroup(route)) this.#addGroup(routes, index, level);
      else this.#push(routes, index, this.#resolved(routes, index, level), level);
    }
  }

  /** @param value of the entry, which takes the place of the entry as written */
  #push(routes: unknown[], index: number, value: unknown, level: Level): void {
    const key = this.#flat.length;
    const at = this.#writtenAt(routes, index, level);
    this.#places.copy({ container: routes, key: index }, { container: this.#flat, key }, { at });
    this.#flat[key] = value;
  }

  #writtenAt(routes: unknown[], index: number, { at }: Level): KeyPath {
    return this.#places.of(routes, index)?.at ?? [...at, index];
  }

  #addGroup(routes: unknown[], index: number, level: Level): void {
    const group = routes[index] as Mapping;
    const path = [...level.path, index];
    const at = this.#writtenAt(routes, index, level);
    const inner = group['routes'];
    const settings = this.#settingsOf(group, at, level);
    if (!Array.isArray(inner) || inner.length === 0) {
      const expected = '"routes" must be a list with at least one route, for example routes: [{ upstream: app }]';
      this.#report({ code: Array.isArray(inner) ? 'FL2007' : 'FL2004', message: expected, path: [...path, 'routes'] });
      return;
    }
    const label = this.#nameOf(group, index, level);
    const prefix = typeof group['name'] === 'string' ? label : level.prefix;
    const match = this.#matchOf(group, path, at, level);
    this.#addAll(inner, {
      settings: { values: settings, at },
      match,
      prefix,
      label,
      path: [...path, 'routes'],
      at: [...at, 'routes'],
    });
  }

  /** The settings that the routes of a group inherit: its own and those that it inherits itself. They are checked here. */
  #settingsOf(group: Mapping, at: KeyPath, level: Level): Mapping {
    const own = Object.create(null) as Mapping;
    for (const key of Object.keys(group)) {
      if (key === 'routes') continue;
      this.#places.copy({ container: group, key }, { container: own, key }, { at: [...at, key] });
    }
    const settings = this.#inherited(own, level);
    const part = this.#tree.withRoot(settings);
    checkPart(part, routeSchema, this.#reporterOf(part));
    delete settings['name'];
    delete settings['match'];
    return settings;
  }

  #inherited(own: Mapping, { settings }: Level): Mapping {
    if (settings === null) return own;
    const hasAction = ACTIONS.some((action) => Object.hasOwn(own, action));
    const base = hasAction ? { ...settings, values: withoutActions(settings.values, this.#places) } : settings;
    return inherit(own, base, routeSchema, this.#places);
  }

  #matchOf(route: Mapping, path: KeyPath, at: KeyPath, { match }: Level): GroupMatch | null {
    const own = route['match'];
    if (!isMapping(own)) return match;
    const report = (steps: KeyPath, finding: Omit<Finding, 'path'>): void =>
      this.#report({ ...finding, path: [...path, 'match', ...steps] });
    const values = match === null ? own : narrowMatch(own, match, this.#places, report);
    return { values, at: [...at, 'match'], place: this.#places.of(route, 'match') };
  }

  #resolved(routes: unknown[], index: number, level: Level): Mapping {
    const route = routes[index] as Mapping;
    if (level.path.length === 1 && level.settings === null) return this.#withName(route, index, level);
    const path = [...level.path, index];
    const resolved = this.#inherited(route, level);
    const isAnswered = ACTIONS.some(
      (action) => !FORWARDING_ACTIONS.includes(action) && Object.hasOwn(resolved, action),
    );
    for (const key of isAnswered ? NEEDS_UPSTREAM : []) if (!Object.hasOwn(route, key)) delete resolved[key];
    const match = this.#matchOf(route, path, this.#writtenAt(routes, index, level), level);
    if (match !== null && !Object.hasOwn(route, 'match') && match.place !== undefined) {
      this.#places.set(resolved, 'match', { ...match.place, at: match.at });
    }
    if (match !== null && (!Object.hasOwn(route, 'match') || isMapping(route['match'])))
      resolved['match'] = match.values;
    return this.#withName(resolved, index, level);
  }

  /** Nested routes and unnamed ones get the name that their position gives them. */
  #withName(route: Mapping, index: number, level: Level): Mapping {
    const name = this.#nameOf(route, index, level);
    if (route['name'] === name) return route;
    const named = Object.create(null) as Mapping;
    named['name'] = name;
    for (const key of Object.keys(route)) this.#places.copy({ container: route, key }, { container: named, key });
    named['name'] = name;
    return named;
  }

  /** `site.api` for `api` in the group `site`; routes without a name are numbered. */
  #nameOf(route: Mapping, index: number, { prefix, label }: Level): string {
    const own = route['name'];
    if (typeof own === 'string') return prefix === '' ? own : `${prefix}.${own}`;
    return label === '' ? `route-${index + 1}` : `${label}.${index + 1}`;
  }
}

function withoutActions(values: Mapping, places: Places): Mapping {
  const kept = Object.create(null) as Mapping;
  for (const key of Object.keys(values)) {
    if (!(ACTIONS as readonly string[]).includes(key))
      places.copy({ container: values, key }, { container: kept, key });
  }
  return kept;
}

/** Reports every problem, even of a setting that each route replaces. @param part a tree of the settings alone */
function checkPart(part: SourceTree, schema: z.ZodType, report: (finding: Finding) => void): void {
  retypeVariables(part, schema);
  const parsed = schema.safeParse(part.root);
  if (parsed.success) return;
  for (const finding of findingsOf(parsed.error.issues, schema, part)) report(finding);
}
