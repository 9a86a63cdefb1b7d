// The match of a nested route: the conditions of its groups and its own, all of which must hold. Thread: main.

import { isDeepStrictEqual } from 'node:util';
import type { Finding, KeyPath } from '../problems/problem.ts';
import { quoted } from '../values/parsed.ts';
import type { Places } from '../yaml/places.ts';
import { copyInherited, isMapping, type Mapping, type Settings } from './inherit.ts';
import { containsBlock, containsHost, containsPath, containsWord, pathForm, pathWithin } from './match-sets.ts';

/** Receives a finding about a path below `match`. */
type ReportIn = (path: KeyPath, finding: Omit<Finding, 'path'>) => void;

interface Narrowing {
  readonly base: Settings;
  readonly own: Mapping;
  readonly result: Mapping;
  readonly key: string;
  readonly places: Places;
  readonly report: ReportIn;
}

/** Conditions of which any may hold: lists that can be intersected. */
const CONTAINS: Readonly<Record<string, (outer: unknown, inner: unknown) => boolean>> = {
  host: containsHost,
  serverName: containsHost,
  path: containsPath,
  method: containsWord,
  client: containsBlock,
  listener: containsWord,
};

/** Returns the match of a nested route. @param base the conditions of its groups */
export function narrowMatch(own: Mapping, base: Settings, places: Places, report: ReportIn): Mapping {
  const result = Object.create(null) as Mapping;
  for (const key of Object.keys(base.values)) {
    if (!Object.hasOwn(own, key)) copyInherited(base, result, key, places);
  }
  for (const key of Object.keys(own)) {
    places.copy({ container: own, key }, { container: result, key });
    if (Object.hasOwn(base.values, key)) narrow({ base, own, result, key, places, report });
  }
  return result;
}

function narrow(narrowing: Narrowing): void {
  const { base, own, key } = narrowing;
  const outer = base.values[key];
  const inner = own[key];
  if (isDeepStrictEqual(outer, inner)) return;
  const contains = CONTAINS[key];
  if (key === 'not') exclude(narrowing);
  else if (contains !== undefined && canCompare(key, outer) && canCompare(key, inner)) intersect(narrowing, contains);
  else if (contains === undefined && isMapping(outer) && isMapping(inner)) unite(narrowing);
  else refuse(narrowing, [key]);
}

function canCompare(key: string, value: unknown): boolean {
  return listOf(value).every((item) => (key === 'path' ? pathForm(item) !== null : typeof item === 'string'));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Two conditions of one kind, such as two regular expressions, have no common form. */
function refuse({ base, key, places, report }: Narrowing, path: KeyPath): void {
  const place = places.of(base.values, key);
  const where = place === undefined ? '' : ` in line ${place.source.spanOf(place.key).line}`;
  const shown = quoted(path.join('.'));
  const message = `${shown} is a condition of the group too${where}, and the two cannot be combined: keep one of them`;
  report(path, { code: 'FL3007', message, part: 'key' });
}

/** A request must meet none of the conditions that the group and the route exclude. */
function exclude({ base, own, result, key, places }: Narrowing): void {
  const kept: unknown[] = [];
  for (const [from, isInherited] of [
    [base.values, true],
    [own, false],
  ] as const) {
    const list = from[key];
    const start = places.of(base.values, key)?.at ?? [...base.at, key];
    for (const at of listOf(list).keys()) {
      const entry = Array.isArray(list) ? { container: list, key: at } : { container: from, key };
      const path = Array.isArray(list) ? [...start, at] : start;
      places.copy(entry, { container: kept, key: kept.length }, isInherited ? { at: path } : {});
    }
  }
  result[key] = kept;
}

/** Header fields and the like: a request must have those of the group and those of the route. */
function unite(narrowing: Narrowing): void {
  const { base, own, result, key, places } = narrowing;
  const outer = base.values[key] as Mapping;
  const inner = own[key] as Mapping;
  const united = Object.create(null) as Mapping;
  const at = places.of(base.values, key)?.at ?? [...base.at, key];
  for (const name of Object.keys(outer)) {
    const twin = Object.keys(inner).find((other) => other.toLowerCase() === name.toLowerCase());
    if (twin === undefined) copyInherited({ values: outer, at }, united, name, places);
    else if (!isDeepStrictEqual(outer[name], inner[twin])) refuse(narrowing, [key, twin]);
  }
  for (const name of Object.keys(inner)) {
    places.copy({ container: inner, key: name }, { container: united, key: name });
  }
  result[key] = united;
}

/** Keeps the narrower of each two conditions that overlap. */
function intersect(narrowing: Narrowing, contains: (outer: unknown, inner: unknown) => boolean): void {
  const { base, own, result, key, places, report } = narrowing;
  const kept: unknown[] = [];
  const outside: number[] = [];
  const items = listOf(own[key]);
  const outer = listOf(base.values[key]);
  const add = (from: Mapping, at: number, isInherited: boolean): void => {
    const list = from[key];
    const entry = Array.isArray(list) ? { container: list, key: at } : { container: from, key };
    const start = places.of(base.values, key)?.at ?? [...base.at, key];
    const path = Array.isArray(list) ? [...start, at] : start;
    places.copy(entry, { container: kept, key: kept.length }, isInherited ? { at: path } : {});
  };
  for (const [index, item] of items.entries()) {
    // A variable that is shown by its name can't be compared.
    const isWithin = isUnresolved(item) || outer.some((one) => isUnresolved(one) || contains(one, item));
    const within = outer.flatMap((one, at) => (contains(item, one) ? [at] : []));
    if (isWithin) add(own, index, false);
    else for (const at of within) add(base.values, at, true);
    if (!isWithin && within.length === 0) outside.push(index);
  }
  result[key] = kept.length > 0 ? kept : own[key];
  const steps = (index: number): KeyPath => (Array.isArray(own[key]) ? [key, index] : [key]);
  for (const index of outside) {
    report(steps(index), outsideFinding(key, items[index], outer, kept.length === 0));
  }
}

function isUnresolved(item: unknown): boolean {
  return typeof item === 'string' && item.includes('${');
}

function outsideFinding(key: string, item: unknown, outer: readonly unknown[], isAll: boolean): Omit<Finding, 'path'> {
  const shown = quoted(textOf(item));
  const allowed = outer.slice(0, 3).map(textOf).join(', ') + (outer.length > 3 ? ', ...' : '');
  const suggestion = key === 'path' ? pathWithin(outer[0], item) : undefined;
  const advice = suggestion === undefined ? 'both must match' : `write the whole path, ${suggestion}`;
  const message = `the ${key} ${shown} is outside the group, whose ${key} is ${allowed}: ${advice}`;
  return { code: isAll ? 'FL3008' : 'FL9013', message, suggestion };
}

function textOf(item: unknown): string {
  return typeof item === 'string' ? item : (pathForm(item)?.value ?? String(item));
}
