// Compiles `tls.acme`: which names get certificates, and by which challenge. Thread: main.

import path from 'node:path';
import type { AcmeSnapshot } from '../../core/snapshot/certificates.ts';
import type { LoadedConfig } from '../load.ts';
import type { AcmeConfig } from '../schema/schema-acme.ts';
import type { ListenerConfig } from '../schema/schema-listeners.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';
import { defaultChallenge, hostsOfRoutes } from '../validate/acme-names.ts';

type AcmeSettings = Pick<LoadedConfig, 'directory' | 'files'> & {
  readonly settings: { readonly listeners: readonly ListenerConfig[]; readonly routes: readonly RouteConfig[] };
};

/** @param covered names for which the listener has certificates in files */
export function compileAcme(
  acme: AcmeConfig,
  listener: string,
  covered: readonly string[],
  { settings, directory, files }: AcmeSettings,
): AcmeSnapshot {
  const wanted = acme.domains === 'from-routes' ? hostsOfRoutes(settings.routes, listener, acme) : acme.domains;
  const names = [...new Set(wanted)].filter((name) => !isCovered(name, covered));
  return {
    email: acme.email ?? '',
    directory: acme.directory,
    trusted: acme.ca === undefined ? null : (files.get(acme.ca) ?? null),
    names,
    ...compileChallenge(acme, settings.listeners),
    external: acme.externalAccount ?? null,
    storage: path.resolve(directory, acme.storage),
    keyType: acme.keyType,
  };
}

function compileChallenge(
  { challenge }: AcmeConfig,
  listeners: readonly ListenerConfig[],
): Pick<AcmeSnapshot, 'challenge' | 'dns'> {
  if (typeof challenge === 'object') {
    return { challenge: 'dns-01', dns: { command: challenge.command, waitMs: challenge.wait } };
  }
  return { challenge: challenge ?? defaultChallenge(listeners), dns: null };
}

function isCovered(name: string, covered: readonly string[]): boolean {
  return (
    covered.includes(name) || (!name.startsWith('*.') && covered.includes(`*.${name.slice(name.indexOf('.') + 1)}`))
  );
}
