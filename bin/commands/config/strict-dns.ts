// Resolves the names in a configuration, for `fairlead check --strict-dns`: those of endpoints as connections resolve them,
// those of discovery sources as the sources do. Thread: main.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { LoadedConfig } from '../../../config/load.ts';
import type { KeyPath, Problem } from '../../../config/problems/problem.ts';
import type { EndpointConfig, UpstreamConfig } from '../../../config/schema/schema-upstreams.ts';
import { systemTimers } from '../../../core/timers.ts';
import { resolveOnce, settingsOfName } from '../../../discovery/dns-source.ts';
import { sourceNamed } from '../../../discovery/sources.ts';

/** Look-ups at a time: a resolver drops a flood. */
const AT_A_TIME = 16;

/** A name in the configuration. */
interface NamedPlace {
  readonly path: KeyPath;
  readonly name: string;
  /** Resolves to '', or to the cause of the failure. */
  readonly resolve: () => Promise<string>;
}

/** An error for each place whose name doesn't resolve, in the order of the configuration. */
export async function unresolvedNames(config: LoadedConfig): Promise<readonly Problem[]> {
  const known = new Map<string, Promise<string>>();
  const connected = (host: string): Promise<string> => {
    const running = known.get(host) ?? resolveHost(host);
    known.set(host, running);
    return running;
  };
  const places = Object.entries(config.settings.upstreams).flatMap(([name, upstream]) => [
    ...endpointNames(name, upstream, connected),
    ...sourceNames(name, upstream, config.directory),
  ]);
  const problems: Problem[] = [];
  for (let at = 0; at < places.length; at += AT_A_TIME) {
    const batch = places.slice(at, at + AT_A_TIME);
    const causes = await Promise.all(batch.map(({ resolve }) => resolve()));
    for (const [index, cause] of causes.entries()) {
      const { name, path } = batch[index]!;
      if (cause === '') continue;
      const message = `${name} doesn't resolve here: ${cause}`;
      problems.push(config.locate({ code: 'FL5001', message, path, mark: name }));
    }
  }
  return problems;
}

function endpointNames(
  upstream: string,
  { endpoints }: UpstreamConfig,
  connected: (host: string) => Promise<string>,
): NamedPlace[] {
  return endpoints.flatMap((endpoint, index): NamedPlace[] => {
    const { host, socketPath } = endpoint.url;
    if (socketPath !== '' || isIP(host) !== 0) return [];
    const path = ['upstreams', upstream, 'endpoints', index, 'url'];
    const resolve = endpoint.resolve === 'all' ? () => resolveAll(endpoint) : () => connected(host);
    return [{ path, name: host, resolve }];
  });
}

function resolveAll({ url, weight, backup, zone }: EndpointConfig): Promise<string> {
  const { host, port, protocol } = url;
  const settings = settingsOfName(host, { port, protocol, weight, backup, zone });
  return resolveOnce(settings, systemTimers);
}

function sourceNames(upstream: string, { discover, tls }: UpstreamConfig, directory: string): NamedPlace[] {
  const place = { upstream, directory, serverName: tls.serverName ?? '' };
  return Object.entries(discover?.sources ?? {}).flatMap(([kind, options]): NamedPlace[] => {
    const { names, compile } = sourceNamed(kind);
    const found = names?.(compile(options, place), systemTimers) ?? [];
    return found.map(({ option, name, resolve }) => {
      return { path: ['upstreams', upstream, 'discover', kind, option], name, resolve };
    });
  });
}

/** As connections do: getaddrinfo(3), with hosts(5) and what else the system has. */
async function resolveHost(host: string): Promise<string> {
  try {
    await lookup(host);
    return '';
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return code === 'ENOTFOUND' ? 'the system finds no address (ENOTFOUND)' : code || message;
  }
}
