// Parts that providers contribute, as files: their values join those of the configuration, and their problems are located
// in the object that they come from. Thread: main.

import type { ConfigPart } from '../../providers/provider.ts';
import { SourceText } from '../yaml/source-text.ts';
import type { FileReader, SourceFile } from './source-files.ts';

/** A file of providers that contribute no route: every request gets 404, as with routes that don't match. */
const NO_ROUTE: ConfigPart = {
  origin: '(providers)',
  config: { routes: [{ name: 'no-route', respond: { status: 404, body: 'no route\n' } }] },
};

/** @param root values of the file itself, which may leave all routes to providers */
export function providedFiles(root: unknown, parts: readonly ConfigPart[], reader: FileReader): SourceFile[] {
  const own = typeof root === 'object' && root !== null ? root : {};
  const hasRoutes = 'routes' in own || 'include' in own || parts.some(({ config }) => config.routes !== undefined);
  const all = 'providers' in own && !hasRoutes ? [...parts, NO_ROUTE] : parts;
  return all.flatMap(({ origin, config }) => {
    // JSON is YAML. Dollar signs are no variables.
    const text = JSON.stringify(config).replaceAll('$', '$$$$');
    const file = reader.readProvided(new SourceText(text, origin));
    return file === null ? [] : [file];
  });
}

/** Origins of what providers contribute, by name of the route or upstream. */
export interface Origins {
  readonly routes: Readonly<Record<string, string>>;
  readonly upstreams: Readonly<Record<string, string>>;
}

/** Null where no provider contributes anything. */
export function originsOf(parts: readonly ConfigPart[]): Origins | null {
  if (parts.length === 0) return null;
  const routes: Record<string, string> = {};
  const upstreams: Record<string, string> = {};
  for (const { origin, config } of parts) {
    for (const route of config.routes ?? []) routes[String((route as { name?: unknown }).name)] = origin;
    for (const name of Object.keys(config.upstreams ?? {})) upstreams[name] = origin;
  }
  return { routes, upstreams };
}
