// Prints a configuration as YAML, with aliases and merge keys resolved. Thread: main.

import { Document, isMap, isScalar, isSeq } from 'yaml';
import { systemClock } from '../../core/clock.ts';
import type { Origins } from '../include/provided-files.ts';
import { type LoadedConfig, loadConfigText } from '../load.ts';
import { formatPath, type KeyPath } from '../problems/problem.ts';
import { configSchema } from '../schema/schema.ts';
import { defaultsOf, entriesOf, itemOf, type Schema } from '../schema/schema-tree.ts';

/** Dropping one refused default may expose another. */
const MOST_ROUNDS = 4;

export interface PrintOptions {
  /** Whether secrets are masked and variables shown by name. Such a text is for reading; it may not load. */
  readonly isRedacted: boolean;
  /** Whether omitted keys are shown with their defaults. */
  readonly hasDefaults: boolean;
}

/**
 * Formats a configuration. Without redaction the text contains the secrets and the values of variables, and loads to
 * the same configuration from the same directory.
 */
export function printedConfig(config: LoadedConfig, { isRedacted, hasDefaults }: PrintOptions): string {
  const form = hasDefaults ? 'resolved' : 'written';
  const values = isRedacted ? config.written(form) : config.values(form);
  const whole = hasDefaults ? withDefaults(values, configSchema(), { at: [], ...refusedPaths(config) }) : values;
  return yamlOf(isRedacted ? whole : withDollarsEscaped(whole));
}

interface RefusedPaths {
  /** Where a default must not be written, because it conflicts with written values or depends on them. */
  readonly left: ReadonlySet<string>;
  /** Inherited keys that have no meaning where they would be written, such as those of HTTP in a TCP route. */
  readonly dropped: ReadonlySet<string>;
}

/** Found by checking the text with all defaults, then repeatedly without those that were refused. */
function refusedPaths(config: LoadedConfig): RefusedPaths {
  const resolved = config.values('resolved');
  // Written keys have been accepted: one that is refused was inherited.
  const dropped = new Set(problemPaths(resolved, config));
  const left = new Set<string>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = left.size;
    const whole = withDefaults(resolved, configSchema(), { at: [], left, dropped });
    // A default is left out as a whole where one item of its list is refused.
    for (const path of problemPaths(whole, config, true)) left.add(path.replace(/\[\d+\]$/, ''));
    if (left.size === before) break;
  }
  return { left, dropped };
}

/** Paths of the problems that values have as a file of their own. */
function problemPaths(values: unknown, { file, directory }: LoadedConfig, hasWarnings = false): readonly string[] {
  const origin = { file, directory, environment: {}, wallMs: systemClock.wallMs() };
  const loaded = loadConfigText(yamlOf(withDollarsEscaped(values)), origin);
  if (loaded.ok) return hasWarnings ? loaded.warnings.map(({ path }) => path) : [];
  return loaded.problems.map(({ path }) => path);
}

/** Formats plain values as YAML. @param origins shown as comments of routes and upstreams; null for none */
export function yamlOf(values: unknown, origins: Origins | null = null): string {
  const document = new Document(values, { aliasDuplicateObjects: false, version: '1.2' });
  if (origins !== null) addOrigins(document, origins);
  return document.toString({ lineWidth: 0 });
}

function addOrigins(document: Document, origins: Origins): void {
  const [routes, upstreams] = [document.get('routes'), document.get('upstreams')];
  for (const route of isSeq(routes) ? routes.items : []) {
    const origin = isMap(route) ? origins.routes[String(route.get('name'))] : undefined;
    if (isMap(route) && origin !== undefined) route.commentBefore = ` from ${origin}`;
  }
  for (const { key } of isMap(upstreams) ? upstreams.items : []) {
    const origin = isScalar(key) ? origins.upstreams[String(key.value)] : undefined;
    if (isScalar(key) && origin !== undefined) key.commentBefore = ` from ${origin}`;
  }
}

interface Place extends RefusedPaths {
  readonly at: KeyPath;
}

function withDefaults(value: unknown, schema: Schema | null, { at, left, dropped }: Place): unknown {
  if (schema === null || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item, index) => withDefaults(item, itemOf(schema), { at: [...at, index], left, dropped }));
  }
  const entries = entriesOf(schema);
  const given = Object.entries(value).filter(([key]) => !dropped.has(formatPath([...at, key])));
  const names = new Set(given.map(([key]) => key));
  const added = [...defaultsOf(schema)].filter(([key]) => !names.has(key) && !left.has(formatPath([...at, key])));
  return Object.fromEntries(
    [...given, ...added].map(([key, one]) => {
      const own = entries.get(key) ?? entries.get('*') ?? null;
      return [key, withDefaults(one, own, { at: [...at, key], left, dropped })];
    }),
  );
}

/** Doubles dollar signs that would begin a variable (see environment.ts). Keys are never substituted. */
function withDollarsEscaped(value: unknown): unknown {
  if (typeof value === 'string') return /\$[${]/.test(value) ? value.replaceAll('$', '$$$$') : value;
  if (Array.isArray(value)) return value.map(withDollarsEscaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withDollarsEscaped(one)]));
}
