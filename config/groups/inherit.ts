// Inheritance of settings: a mapping with those of its group, or of `defaults`, that it doesn't set itself. Thread: main.
//
// Works on values and the schema, so that every key takes part. A mapping of options is inherited key by key; lists, single
// values and mappings that are one value (such as `host`) are replaced. `null` removes what would be inherited, and so
// does `false` where the key doesn't take it.

import { z } from 'zod';
import type { KeyPath } from '../problems/problem.ts';
import { entriesOf, isMergedByKey, type Schema } from '../schema/schema-tree.ts';
import type { Places } from '../yaml/places.ts';

export type Mapping = Record<string, unknown>;

/** Settings, and the path at which they are written. */
export interface Settings {
  readonly values: Mapping;
  readonly at: KeyPath;
}

/** Returns a new mapping with the entries of `own`, and those of `base` that it leaves out. */
export function inherit(own: Mapping, base: Settings, schema: Schema | null, places: Places): Mapping {
  const result = Object.create(null) as Mapping;
  for (const key of Object.keys(own)) {
    if (Object.hasOwn(base.values, key)) combine({ own, base, result, key }, schema, places);
    else places.copy({ container: own, key }, { container: result, key });
  }
  for (const key of Object.keys(base.values)) {
    if (!Object.hasOwn(own, key)) copyInherited(base, result, key, places);
  }
  return result;
}

/** Copies an inherited entry: problems are reported where it is written. */
export function copyInherited({ values, at }: Settings, result: Mapping, key: string, places: Places): void {
  const place = places.of(values, key);
  places.copy({ container: values, key }, { container: result, key }, { at: place?.at ?? [...at, key] });
}

interface Pair {
  readonly own: Mapping;
  readonly base: Settings;
  readonly result: Mapping;
  readonly key: string;
}

function combine({ own, base, result, key }: Pair, schema: Schema | null, places: Places): void {
  const value = own[key];
  const inner = schema === null ? null : schemaOf(schema, key);
  if (value === null || (value === false && inner !== null && !z.safeParse(inner, false).success)) return;
  places.copy({ container: own, key }, { container: result, key });
  const inherited = base.values[key];
  const at = places.of(base.values, key)?.at ?? [...base.at, key];
  if (key === 'policies' && Array.isArray(value) && Array.isArray(inherited)) {
    result[key] = inheritPolicies(value, inherited, at, places);
  } else if (inner !== null && isMapping(value) && isMapping(inherited) && isMergedByKey(inner)) {
    result[key] = inherit(value, { values: inherited, at }, inner, places);
  }
}

/** Lists of policies are inherited by the names of the policies. */
function inheritPolicies(own: unknown[], base: unknown[], at: KeyPath, places: Places): unknown[] {
  const named = new Map(own.map((entry, index) => [nameOf(entry), index]));
  const result: unknown[] = [];
  const taken = new Set<number>();
  const add = (list: unknown[], index: number, changes: Parameters<Places['copy']>[2]): void => {
    const isOff = list === own && isSwitchedOff(own[index]);
    if (!isOff) places.copy({ container: list, key: index }, { container: result, key: result.length }, changes);
  };
  for (const [index, entry] of base.entries()) {
    const override = named.get(nameOf(entry));
    if (override === undefined) add(base, index, { at: [...at, index] });
    else {
      taken.add(override);
      add(own, override, {});
    }
  }
  for (const index of own.keys()) if (!taken.has(index)) add(own, index, {});
  return result;
}

function nameOf(entry: unknown): string | undefined {
  return isMapping(entry) ? Object.keys(entry)[0] : undefined;
}

function isSwitchedOff(entry: unknown): boolean {
  const value = isMapping(entry) ? Object.values(entry)[0] : undefined;
  return value === null || value === false;
}

/** Entries of the schemas: built once, because there may be thousands of routes. */
const entriesBySchema = new WeakMap<Schema, ReadonlyMap<string, Schema>>();

function schemaOf(schema: Schema, key: string): Schema | null {
  let entries = entriesBySchema.get(schema);
  if (entries === undefined) entriesBySchema.set(schema, (entries = entriesOf(schema)));
  return entries.get(key) ?? entries.get('*') ?? null;
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
