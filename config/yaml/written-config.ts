// A configuration as written, for display: aliases and merge keys resolved, variables by name instead of by value, and
// secrets masked. Thread: main.

import type { Document } from 'yaml';
import type { Environment } from './environment.ts';
import { configSchema } from '../schema/schema.ts';
import { entriesOf, itemOf, metaOf, type Schema } from '../schema/schema-tree.ts';
import type { SourceText } from './source-text.ts';
import { SourceTree } from './source-tree.ts';

/** Replacement for a secret. */
const HIDDEN = '<hidden>';

/** Names of fields that carry credentials. */
const CREDENTIAL_NAME = /^(?:proxy-)?authorization$|cookie|token|secret|passw|api-?key|credential/i;

/** An environment in which every variable expands to its own reference: values from the environment may be secret. */
const BY_NAME: Environment = new Proxy(
  {},
  {
    getOwnPropertyDescriptor: (_target, name) => {
      return { value: `\${${String(name)}}`, configurable: true, enumerable: true };
    },
    get: (_target, name) => `\${${String(name)}}`,
  },
);

/** The values of a valid file, for display. */
export function writtenConfig(source: SourceText, document: Document.Parsed): Readonly<Record<string, unknown>> {
  const { root } = new SourceTree(source, document, BY_NAME);
  return withoutSecrets(root, configSchema()) as Record<string, unknown>;
}

function withoutSecrets(value: unknown, schema: Schema | null): unknown {
  if (schema !== null && metaOf(schema).isSecret === true) return hidden(value);
  if (Array.isArray(value)) {
    const item = schema === null ? null : itemOf(schema);
    // If a single value may replace a list, the item schema is the schema of the value.
    return value.map((one) => withoutSecrets(one, item));
  }
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? withoutUser(value) : value;
  const entries = schema === null ? new Map<string, Schema>() : entriesOf(schema);
  const shown = Object.entries(value).map(([key, one]): [string, unknown] => {
    const own = entries.get(key) ?? null;
    if (own === null && CREDENTIAL_NAME.test(key)) return [key, hidden(one)];
    return [key, withoutSecrets(one, own ?? entries.get('*') ?? null)];
  });
  return Object.fromEntries(shown);
}

/** Masks a value. The name of a variable isn't secret and shows the source of the value. */
function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hidden);
  return typeof value === 'string' && /^\$\{\w+\}$/.test(value) ? value : HIDDEN;
}

/** Masks user name and password of a URL. */
function withoutUser(text: string): string {
  return text.replace(/\/\/[^/@\s]+@/, `//${HIDDEN}@`);
}
