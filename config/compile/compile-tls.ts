// Compiles `listeners[].tls` to its part of the Snapshot. Thread: main.

import path from 'node:path';
import type { ClientAuthSnapshot, TlsSnapshot } from '../../core/snapshot/listener.ts';
import { certificateNames } from '../files/certificate.ts';
import type { LoadedConfig } from '../load.ts';
import type { ListenerConfig } from '../schema/schema-listeners.ts';
import type { TlsConfig } from '../schema/schema-tls.ts';
import { TLS_PROFILES } from '../values/tls-profiles.ts';
import { compileAcme, compileInternal } from './compile-acme.ts';

/** Prefix of OpenSSL's names for the cipher suites of TLS 1.3. */
const TLS13 = 'TLS_';

/** @param listener the one that has the settings */
export function compileTls(
  tls: TlsConfig,
  { name: listener, mode }: Pick<ListenerConfig, 'name' | 'mode'>,
  config: LoadedConfig,
): TlsSnapshot {
  const { files, directory } = config;
  const certificates = (tls.certificates ?? []).map(({ cert, key }) => {
    const text = files.get(cert) ?? '';
    const paths = { cert: path.resolve(directory, cert), key: path.resolve(directory, key) };
    return { cert: text, key: files.get(key) ?? '', names: certificateNames(text), files: paths };
  });
  const covered = certificates.flatMap(({ names }) => names);
  const acme = tls.acme === undefined ? undefined : compileAcme(tls.acme, listener, covered, config);
  const others = [...covered, ...(acme?.names ?? [])];
  const profile = TLS_PROFILES[tls.profile];
  return {
    certificates,
    minVersion: tls.minVersion ?? profile.minVersion,
    ...(tls.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
    ciphers: ciphersOf(tls).join(':'),
    hasOwnCiphers: tls.ciphers !== undefined,
    curves: (tls.curves ?? profile.curves).join(':'),
    isStrict: tls.strictSni,
    ...(tls.fromProviders === true ? { fromProviders: true } : {}),
    ...(tls.clientAuth === undefined ? {} : { clientAuth: compileClientAuth(tls, files) }),
    ...(mode === 'tcp' ? { http2: false, alpn: tls.alpn } : { http2: tls.http2 }),
    ...(acme === undefined ? {} : { acme }),
    ...(tls.internal === undefined ? {} : { internal: compileInternal(tls.internal, listener, others, config) }),
  };
}

/** A list without suites for TLS 1.3 would switch off none of them and fail no check: those of the profile are named. */
function ciphersOf({ profile, ciphers }: TlsConfig): readonly string[] {
  const defaults: readonly string[] = TLS_PROFILES[profile].ciphers;
  if (ciphers === undefined) return defaults;
  const ofTls13 = (name: string): boolean => name.toUpperCase().startsWith(TLS13);
  return ciphers.some(ofTls13) ? ciphers : [...defaults.filter(ofTls13), ...ciphers];
}

function compileClientAuth(
  { clientAuth, clientCa = [], clientCrl = [] }: TlsConfig,
  files: ReadonlyMap<string, string>,
): ClientAuthSnapshot {
  const textsOf = (names: readonly string[]): string[] => names.map((name) => files.get(name) ?? '');
  return { isRequired: clientAuth === 'required', ca: textsOf(clientCa), crl: textsOf(clientCrl) };
}
