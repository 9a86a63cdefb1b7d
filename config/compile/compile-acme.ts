// Compiles `tls.acme` and `tls.internal`: which names get certificates, and by which challenge. Thread: main.

import path from 'node:path';
import type { AcmeSnapshot, InternalSnapshot, OnDemandSnapshot } from '../../core/snapshot/certificates.ts';
import type { LoadedConfig } from '../load.ts';
import type { AcmeConfig, InternalConfig } from '../schema/schema-acme.ts';
import type { ListenerConfig } from '../schema/schema-listeners.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';
import { defaultChallenge, exactHosts, hostsOfRoutes } from '../validate/acme-names.ts';

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
    preflight: acme.preflight === false ? null : acme.preflight,
    onDemand: acme.onDemand === undefined ? null : compileOnDemand(acme.onDemand),
  };
}

function compileOnDemand({ wait, ...others }: NonNullable<AcmeConfig['onDemand']>): OnDemandSnapshot {
  return { ...others, waitMs: wait };
}

/** Addresses of this machine; routes rarely name them. */
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

/** @param covered names for which the listener has other certificates */
export function compileInternal(
  { domains, storage }: InternalConfig,
  listener: string,
  covered: readonly string[],
  { settings, directory }: Pick<AcmeSettings, 'settings' | 'directory'>,
): InternalSnapshot {
  const wanted = domains === 'from-routes' ? exactHosts(settings.routes, listener) : domains;
  const names = [...new Set([...LOOPBACK, ...wanted])].filter((name) => !isCovered(name, covered));
  return { names, storage: path.resolve(directory, storage) };
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
