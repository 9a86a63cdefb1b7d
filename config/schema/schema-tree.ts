// Schema inspection: schema at a path, keys of a mapping, accepted values in words. Thread: main.
// The only file that depends on zod's definitions (`_zod.def`).

import { z } from 'zod';
import type { KeyPath } from '../problems/problem.ts';
import type { ValueMeta } from './schema-values.ts';

export type Schema = z.core.$ZodType;
type Definition = z.core.$ZodTypes['_zod']['def'];

function definitionOf(schema: Schema): Definition {
  return (schema as z.core.$ZodTypes)._zod.def;
}

/** The schema inside a wrapper (optional, default, transform), or null if there is no wrapper. */
function wrapped(schema: Schema): Schema | null {
  const definition = definitionOf(schema);
  switch (definition.type) {
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nullable':
    case 'readonly':
      return definition.innerType;
    case 'pipe':
      return definition.in;
    case 'lazy':
      return definition.getter();
    default:
      return null;
  }
}

/** The schemas, without wrappers and unions, of the forms that a value may have. */
function formsOf(schema: Schema): readonly Schema[] {
  const inner = wrapped(schema);
  if (inner !== null) return formsOf(inner);
  const definition = definitionOf(schema);
  return definition.type === 'union' ? definition.options.flatMap(formsOf) : [schema];
}

/** Metadata of a schema merged with that of the schemas it wraps; the outermost takes precedence. */
export function metaOf(schema: Schema): ValueMeta & { readonly description?: string } {
  const inner = wrapped(schema);
  const own = z.globalRegistry.get(schema) ?? {};
  return inner === null ? own : { ...metaOf(inner), ...own };
}

/** Whether a key may be omitted. */
export function isOptional(schema: Schema): boolean {
  return ['optional', 'default', 'prefault'].includes(definitionOf(schema).type);
}

/** The default in YAML notation; undefined if there is none or it is a mapping of defaults. */
export function defaultText(schema: Schema): string | undefined {
  const definition = definitionOf(schema);
  if (definition.type !== 'default' && definition.type !== 'prefault') return undefined;
  const value: unknown = definition.defaultValue;
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, one]) => `${key}: ${String(one)}`);
    return entries.length === 0 ? undefined : `{ ${entries.join(', ')} }`;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * Keys of a mapping that have a default, with the default as written in YAML. Empty if there are several forms of
 * mapping, whose defaults differ.
 */
export function defaultsOf(schema: Schema): ReadonlyMap<string, unknown> {
  const shapes = formsOf(schema)
    .map(definitionOf)
    .flatMap((one) => (one.type === 'object' ? [one.shape] : []));
  const defaults = new Map<string, unknown>();
  for (const [key, value] of shapes.length === 1 ? Object.entries(shapes[0]!) : []) {
    const definition = definitionOf(value);
    if (definition.type === 'default' || definition.type === 'prefault') defaults.set(key, definition.defaultValue);
  }
  return defaults;
}

/** Keys of a mapping with their schemas; `*` stands for any name. Empty if the schema isn't a mapping. */
export function entriesOf(schema: Schema): ReadonlyMap<string, Schema> {
  const entries = new Map<string, Schema>();
  for (const form of formsOf(schema)) {
    const definition = definitionOf(form);
    if (definition.type === 'record') entries.set('*', definition.valueType);
    if (definition.type !== 'object') continue;
    for (const [key, value] of Object.entries(definition.shape)) {
      if (!entries.has(key)) entries.set(key, value);
    }
  }
  return entries;
}

/** Whether a schema stands for a part that is described elsewhere: nested routes, and defaults. */
export function isReference(schema: Schema): boolean {
  const definition = definitionOf(schema);
  if (definition.type === 'lazy') return true;
  return (definition.type === 'optional' || definition.type === 'default') && isReference(definition.innerType);
}

/**
 * Whether a mapping is a set of options, each of which can be given alone: one form of mapping, used as it is written. A
 * mapping that is transformed is one value.
 */
export function isMergedByKey(schema: Schema): boolean {
  const definition = definitionOf(schema);
  switch (definition.type) {
    case 'pipe':
    case 'lazy':
      return false;
    case 'object':
    case 'record':
      return true;
    case 'union':
      return (
        definition.options.filter((option) => entriesOf(option).size > 0).length === 1 &&
        definition.options.some(isMergedByKey)
      );
    default: {
      const inner = wrapped(schema);
      return inner !== null && isMergedByKey(inner);
    }
  }
}

/** The item schema of a list, or null if the schema isn't a list. */
export function itemOf(schema: Schema): Schema | null {
  for (const form of formsOf(schema)) {
    const definition = definitionOf(form);
    if (definition.type === 'array') return definition.element;
  }
  return null;
}

/** The schema at a path, or null. */
export function schemaAt(root: Schema, path: KeyPath): Schema | null {
  let schema: Schema | null = root;
  for (const step of path) {
    if (schema === null) return null;
    const entries = entriesOf(schema);
    schema = typeof step === 'number' ? itemOf(schema) : (entries.get(step) ?? entries.get('*') ?? null);
  }
  return schema;
}

/** Scalar types that a value may have. */
export function scalarKinds(schema: Schema): ReadonlySet<'string' | 'number' | 'boolean'> {
  const kinds = new Set<'string' | 'number' | 'boolean'>();
  for (const form of formsOf(schema)) {
    const definition = definitionOf(form);
    if (definition.type === 'string' || definition.type === 'enum') kinds.add('string');
    if (definition.type === 'number') kinds.add('number');
    if (definition.type === 'boolean') kinds.add('boolean');
    if (definition.type !== 'literal') continue;
    for (const value of definition.values) {
      const kind = typeof value;
      if (kind === 'string' || kind === 'number' || kind === 'boolean') kinds.add(kind);
    }
  }
  return kinds;
}

/** The words that a value may be, for suggestions. */
export function wordsOf(schema: Schema): readonly string[] {
  return formsOf(schema).flatMap((form) => {
    const definition = definitionOf(form);
    if (definition.type === 'enum') return Object.keys(definition.entries);
    return definition.type === 'literal' ? definition.values.filter((value) => typeof value === 'string') : [];
  });
}

/** Accepted values in words: from the metadata `expects`, or derived from the type. */
export function expectsOf(schema: Schema): string {
  const { expects } = metaOf(schema);
  if (expects !== undefined) return expects;
  return [...new Set(formsOf(schema).map(describeForm))].join(' or ');
}

function describeForm(form: Schema): string {
  const { expects } = metaOf(form);
  if (expects !== undefined) return expects;
  const definition = definitionOf(form);
  switch (definition.type) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    case 'number':
      return 'a number';
    case 'enum':
      return `one of ${Object.keys(definition.entries).join(', ')}`;
    case 'literal':
      return definition.values.length > 1 ? `one of ${definition.values.join(', ')}` : String(definition.values[0]);
    case 'array':
      return 'a list';
    case 'object':
      return `a mapping with ${Object.keys(definition.shape).join(', ')}`;
    default:
      return 'a mapping';
  }
}
