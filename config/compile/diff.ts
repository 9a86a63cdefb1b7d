// Differences between two Snapshots as readable lines. Thread: main.

import { isDeepStrictEqual } from 'node:util';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import type { RouteSnapshot } from '../../core/snapshot/route.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { Template } from '../../core/template.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { formatDuration } from '../values/duration.ts';
import { POLICIES } from '../../proxy/policies/registry.ts';
import { formatSize } from '../values/quantity.ts';

/** Keys that are not compared: positions in shared memory, lists that are compared item by item, what follows from routes. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'index',
  'slot',
  'revision',
  'endpoints',
  'listeners',
  'routes',
  'tcpRoutes',
  'upstreams',
  'name',
  'readsHello',
]);

/** Key whose values are never shown, so that not even their length leaks. */
const SECRET = 'secrets';

/** Password hashes: an offline search needs nothing else. */
const HASHES = /(?:^|\.)basicAuth\.users(?:\.|$)/;

/** Longer values, such as certificates, are only reported as changed. */
const LONGEST_SHOWN = 80;

/** The differences in the order settings, listeners, routes, upstreams; empty if there are none. */
export function describeChanges(before: Snapshot, after: Snapshot): string[] {
  return [
    ...changes(before, after).map((change) => `setting ${change}`),
    ...diffNamed('listener', before.listeners, after.listeners, diffWithPolicies),
    ...diffNamed('route', readableRoutes(before), readableRoutes(after), diffWithPolicies),
    ...diffNamed('route', tcpRoutes(before), tcpRoutes(after), diffWithPolicies),
    ...diffOrder(before.routes, after.routes),
    ...diffOrder(before.tcpRoutes, after.tcpRoutes),
    ...diffNamed('upstream', before.upstreams, after.upstreams, diffUpstream),
  ];
}

interface Named {
  readonly name: string;
}

function diffNamed<Item extends Named>(
  noun: string,
  before: readonly Item[],
  after: readonly Item[],
  differ: (before: Item, after: Item) => string[],
): string[] {
  const old = new Map(before.map((item) => [item.name, item]));
  const kept = new Set(after.map((item) => item.name));
  const lines = before.filter((item) => !kept.has(item.name)).map((item) => `${noun} ${item.name}: removed`);
  for (const item of after) {
    const earlier = old.get(item.name);
    if (earlier === undefined) lines.push(`${noun} ${item.name}: added`);
    else lines.push(...differ(earlier, item).map((change) => `${noun} ${item.name}: ${change}`));
  }
  return lines;
}

function diffUpstream(before: UpstreamSnapshot, after: UpstreamSnapshot): string[] {
  const byAddress = (upstream: UpstreamSnapshot) =>
    upstream.endpoints.map(({ id, ...rest }) => ({ ...rest, name: id }));
  return [...diffWithPolicies(before, after), ...diffNamed('endpoint', byAddress(before), byAddress(after), changes)];
}

interface WithPolicies extends Named {
  readonly policies: readonly PolicySnapshot[];
}

/** Built-in policies by their keys in the file; those of plugins by name alone, for their options may be secret. */
function diffWithPolicies(before: WithPolicies, after: WithPolicies): string[] {
  const own = ({ policies }: WithPolicies) => policies.filter(({ name }) => !isBuiltIn(name));
  const differ = (a: PolicySnapshot, b: PolicySnapshot) =>
    isDeepStrictEqual(a.data, b.data) ? [] : ['options changed'];
  return [...changes(flat(before), flat(after)), ...diffNamed('policy', own(before), own(after), differ)];
}

function flat({ policies, ...rest }: WithPolicies): object {
  const builtIn = policies.filter(({ name }) => isBuiltIn(name)).map(({ data }) => data);
  return Object.assign({}, rest, ...builtIn) as object;
}

const BUILT_IN: ReadonlySet<string> = new Set(POLICIES.map(({ name }) => name));

function isBuiltIn(name: string): boolean {
  return BUILT_IN.has(name);
}

/** Routes with the name of their upstream instead of its index. */
function readableRoutes(snapshot: Snapshot): (RouteSnapshot | (WithPolicies & { action: object }))[] {
  const names = new Map(snapshot.upstreams.map((upstream) => [upstream.index, upstream.name]));
  return snapshot.routes.map((route) => {
    if (route.action.kind !== 'upstream') return route;
    return { ...route, action: { kind: 'upstream', upstream: names.get(route.action.upstream) } };
  });
}

function tcpRoutes({ upstreams, tcpRoutes: routes }: Snapshot): WithPolicies[] {
  const names = new Map(upstreams.map(({ index, name }) => [index, name]));
  return routes.map((route) => ({ ...route, upstream: names.get(route.upstream) }));
}

/** Reports a changed order of routes: the first match wins, so order matters. */
function diffOrder(before: readonly Named[], after: readonly Named[]): string[] {
  const names = new Set(after.map((route) => route.name));
  const old = before.map((route) => route.name).filter((name) => names.has(name));
  const left = new Set(old);
  const now = after.map((route) => route.name).filter((name) => left.has(name));
  return old.join(' ') === now.join(' ') ? [] : [`routes: order changed to ${now.join(', ')}`];
}

/** Formats `path before -> after` for each value that differs. */
function changes(before: object, after: object): string[] {
  const lines: string[] = [];
  collect(before, after, '', lines);
  return lines;
}

function collect(before: unknown, after: unknown, path: string, lines: string[]): void {
  if (isTemplate(before) && isTemplate(after) && before.text === after.text) {
    // An environment variable in it differs.
    if (!isDeepStrictEqual(before, after)) lines.push(`${path} changed`);
    return;
  }
  if (isMapping(before) && isMapping(after) && !isTemplate(before) && !isTemplate(after)) {
    const isTop = path === '';
    const compare = (key: string): void => {
      if (isTop && LEFT_OUT.has(key)) return;
      if (!Object.is(before[key], after[key])) collect(before[key], after[key], isTop ? key : `${path}.${key}`, lines);
    };
    for (const key of Object.keys(before)) compare(key);
    for (const key of Object.keys(after)) if (!(key in before)) compare(key);
    return;
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (path.split('.').at(-1) === SECRET || HASHES.test(path)) {
    lines.push(`${path} changed`);
    return;
  }
  const old = shown(path, before);
  const now = shown(path, after);
  const isLong = old.length > LONGEST_SHOWN || now.length > LONGEST_SHOWN;
  lines.push(isLong ? `${withoutUnit(path)} changed` : `${withoutUnit(path)} ${old} -> ${now}`);
}

/** A text with values in braces: shown as it is written. */
function isTemplate(value: unknown): value is Template {
  return isMapping(value) && 'form' in value && 'parts' in value && 'text' in value;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(path: string, value: unknown): string {
  if (typeof value === 'number' && path.endsWith('Ms')) return value === 0 ? 'none' : formatDuration(value);
  if (typeof value === 'number' && path.endsWith('Bytes')) return value === 0 ? 'none' : formatSize(value);
  if (value === undefined || value === null) return 'none';
  if (isTemplate(value)) return value.text;
  return typeof value === 'string' ? value : JSON.stringify(value, withoutSecrets);
}

function withoutSecrets(key: string, value: unknown): unknown {
  return key === SECRET || key === 'users' ? undefined : value;
}

/** Removes the unit of a key, `timeouts.responseMs` to `timeouts.response`: the values have one. */
function withoutUnit(path: string): string {
  return path.replace(/(?:Ms|Bytes)$/, '');
}
