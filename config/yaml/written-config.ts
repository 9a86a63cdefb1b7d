// A configuration as written, for display: aliases and merge keys resolved, variables by name instead of by value, and
// secrets masked. Thread: main.

import { resolveGroups } from '../groups/resolve-groups.ts';
import { mergeFiles } from '../include/merge-files.ts';
import type { SourceFile } from '../include/source-files.ts';
import type { Environment } from './environment.ts';
import { configSchema } from '../schema/schema.ts';
import { entriesOf, itemOf, metaOf, type Schema } from '../schema/schema-tree.ts';
import { Places } from './places.ts';
import { retypeVariables } from './retype-variables.ts';
import { readTree } from './read-tree.ts';
import { SourceText } from './source-text.ts';
import type { SourceTree } from './source-tree.ts';

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

/** `written`: as in the files, in one text. `resolved`: what results for each route and upstream. */
export type ShownForm = 'written' | 'resolved';

/** The values of a valid configuration, for display. */
export function writtenConfig(file: SourceFile, form: ShownForm): Readonly<Record<string, unknown>> {
  return withoutSecrets(shownTree(file, form, BY_NAME).root, configSchema()) as Record<string, unknown>;
}

/** The values with variables substituted. Built on demand: a running process doesn't keep them. */
export function valuesOf(file: SourceFile, form: ShownForm, environment: Environment) {
  const tree = shownTree(file, form, environment);
  retypeVariables(tree, configSchema());
  return tree.root as Readonly<Record<string, unknown>>;
}

/** The file has been checked: problems are known. */
function shownTree(file: SourceFile, form: ShownForm, environment: Environment): SourceTree {
  const ignore = (): void => undefined;
  const tree = mergeFiles(rebuilt(file, environment, new Places()), ignore);
  if (form === 'written') return tree;
  const resolved = resolveGroups(tree, () => ignore);
  if (resolved !== tree) delete (resolved.root as Record<string, unknown>)['defaults'];
  return resolved;
}

function rebuilt(file: SourceFile, environment: Environment, places: Places): SourceFile {
  const read = readTree(new SourceText(file.source.text, file.source.file), environment, places);
  if (!read.ok) throw new Error(`${file.source.file} can't be parsed again`);
  const again = (files: readonly SourceFile[], variables: Environment): SourceFile[] =>
    files.map((one) => rebuilt(one, variables, places));
  const { includes, provided } = file;
  return {
    ...file,
    tree: read.tree,
    includes: again(includes, environment),
    ...(provided !== undefined && { provided: again(provided, {}) }),
  };
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
