// A configuration as it is written, for people to look at: with aliases and merge keys resolved, variables by their
// names instead of their values, and secrets left out. Thread: main.

import type { Document } from 'yaml';
import type { Environment } from './environment.ts';
import { configSchema } from '../schema/schema.ts';
import { entriesOf, itemOf, metaOf, type Schema } from '../schema/schema-tree.ts';
import type { SourceText } from './source-text.ts';
import { SourceTree } from './source-tree.ts';

/** What stands in place of a secret. */
const HIDDEN = '<hidden>';

/** Fields whose values let somebody in. */
const CREDENTIAL_NAME = /^(?:proxy-)?authorization$|cookie|token|secret|passw|api-?key|credential/i;

/** Every variable is there, and its value is how it is written: what comes from the environment may be secret. */
const BY_NAME: Environment = new Proxy(
  {},
  {
    getOwnPropertyDescriptor: (_target, name) => {
      return { value: `\${${String(name)}}`, configurable: true, enumerable: true };
    },
    get: (_target, name) => `\${${String(name)}}`,
  },
);

/** The values of a file that has passed every check. */
export function writtenConfig(source: SourceText, document: Document.Parsed): Readonly<Record<string, unknown>> {
  const { root } = new SourceTree(source, document, BY_NAME);
  return withoutSecrets(root, configSchema()) as Record<string, unknown>;
}

function withoutSecrets(value: unknown, schema: Schema | null): unknown {
  if (schema !== null && metaOf(schema).isSecret === true) return hidden(value);
  if (Array.isArray(value)) {
    const item = schema === null ? null : itemOf(schema);
    // Where one value may stand for a list of them, the item's schema is the schema of the value.
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

/** The name of a variable is no secret, and tells where the secret comes from. */
function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hidden);
  return typeof value === 'string' && /^\$\{\w+\}$/.test(value) ? value : HIDDEN;
}

/** User and password of a URL. */
function withoutUser(text: string): string {
  return text.replace(/\/\/[^/@\s]+@/, `//${HIDDEN}@`);
}
