// Key paths of the schema, for documentation and checks of documents. Thread: main.

import { configSchema } from './schema.ts';
import { entriesOf, isReference, itemOf, type Schema } from './schema-tree.ts';

/** A key of the schema. */
export interface KnownKey {
  /** `upstreams.*.endpoints[].weight`: `*` stands for any name, `[]` for any item of a list. */
  readonly path: string;
  readonly schema: Schema;
}

/** All keys in the order of the schema, mappings before their entries. */
export function knownKeys(): readonly KnownKey[] {
  const keys: KnownKey[] = [];
  collect(configSchema(), '', keys);
  return keys;
}

function collect(schema: Schema, path: string, into: KnownKey[]): void {
  for (const [key, value] of entriesOf(schema)) {
    const child = path === '' ? key : `${path}.${key}`;
    into.push({ path: child, schema: value });
    if (!isReference(value)) collect(value, child, into);
  }
  const item = itemOf(schema);
  if (item !== null) collect(item, `${path}[]`, into);
}

/**
 * Whether the schema has a key path. List items may be written as `endpoints[].url`, `endpoints.url` or
 * `endpoints[0].url`; names must be written as `*`.
 */
export function isKnownKey(path: string): boolean {
  const schema = configSchema();
  if (known?.schema !== schema) {
    known = { schema, paths: new Set(knownKeys().map((key) => withoutItems(key.path))) };
  }
  return known.paths.has(described(withoutItems(path)));
}

/** The path at which a key of a nested route or of `defaults` is described. */
function described(path: string): string {
  return path
    .replace(/^routes(?:\.routes)+(?=\.)/, 'routes')
    .replace(/^defaults\.routes(?=\.)/, 'routes')
    .replace(/^defaults\.upstreams(?=\.)/, 'upstreams.*');
}

let known: { readonly schema: Schema; readonly paths: ReadonlySet<string> } | undefined;

function withoutItems(path: string): string {
  return path.replaceAll(/\[\d*\]/g, '');
}
