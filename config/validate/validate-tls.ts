// Checks of `listeners[].tls` beyond its certificates: versions, cipher suites, groups, client certificates. Thread: main.

import { createSecureContext, getCiphers } from 'node:tls';
import { readCertificates } from '../files/certificate.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { TlsConfig } from '../schema/schema-tls.ts';
import { quoted } from '../values/parsed.ts';
import { TLS_PROFILES } from '../values/tls-profiles.ts';
import type { CheckContext } from './parsed-config.ts';
import { readFile } from './validate-listeners.ts';

/** Without certificates, or with a shared secret in their place: nothing that a web server could use. */
const UNUSABLE_SUITE = /psk|srp/i;

export function checkListenerTls(context: CheckContext): void {
  for (const [index, listener] of context.config.listeners.entries()) {
    if (listener?.tls === undefined) continue;
    const path = ['listeners', index, 'tls'];
    checkVersions(listener.tls, path, context);
    checkCiphers(listener.tls, path, context);
    checkCurves(listener.tls, path, context);
    checkClientAuth(listener.tls, path, context);
  }
}

function checkVersions({ profile, minVersion, maxVersion }: TlsConfig, path: KeyPath, context: CheckContext): void {
  const least = minVersion ?? TLS_PROFILES[profile].minVersion;
  if (maxVersion === undefined || maxVersion >= least) return;
  const message = `no version of TLS is left: the oldest one is ${least}`;
  context.report({ code: 'FL3008', message, path: [...path, 'maxVersion'] });
}

function checkCiphers({ ciphers = [] }: TlsConfig, path: KeyPath, context: CheckContext): void {
  const known = new Set(getCiphers());
  for (const [index, name] of ciphers.entries()) {
    if (known.has(name.toLowerCase()) && !UNUSABLE_SUITE.test(name)) continue;
    const message = `${quoted(name)} is no cipher suite that OpenSSL can use here: names are those of "openssl ciphers"`;
    context.report({ code: 'FL2006', message, path: [...path, 'ciphers', index] });
  }
}

function checkCurves({ curves = [] }: TlsConfig, path: KeyPath, context: CheckContext): void {
  for (const [index, name] of curves.entries()) {
    if (reasonOf(() => createSecureContext({ ecdhCurve: name })) === null) continue;
    const message = `${quoted(name)} is no group that OpenSSL knows, such as X25519 or prime256v1`;
    context.report({ code: 'FL2006', message, path: [...path, 'curves', index] });
  }
}

function checkClientAuth(tls: TlsConfig, path: KeyPath, context: CheckContext): void {
  const { clientAuth, clientCa, clientCrl } = tls;
  if (clientAuth === undefined) {
    const key = clientCa === undefined ? 'clientCrl' : 'clientCa';
    if (tls[key] === undefined) return;
    const message = `without clientAuth clients send no certificate: add clientAuth: required or optional`;
    context.report({ code: 'FL3007', message, path: [...path, key], part: 'key' });
    return;
  }
  if (clientCa === undefined) {
    const message = 'client certificates are verified with the CAs in clientCa: add the file of your CA';
    context.report({ code: 'FL3007', message, path: [...path, 'clientAuth'], part: 'key' });
  }
  checkPem(clientCa ?? [], [...path, 'clientCa'], context, (text) =>
    readCertificates(text) === null ? 'contains no certificate: a PEM file with BEGIN CERTIFICATE is required' : null,
  );
  checkPem(clientCrl ?? [], [...path, 'clientCrl'], context, (text) =>
    reasonOf(() => createSecureContext({ crl: text })) === null
      ? null
      : 'contains no revocation list: a PEM file with BEGIN X509 CRL is required',
  );
}

function checkPem(
  files: readonly string[],
  path: KeyPath,
  context: CheckContext,
  faultOf: (text: string) => string | null,
): void {
  const isList = Array.isArray(context.tree.valueAt(path));
  for (const [index, file] of files.entries()) {
    const at = isList ? [...path, index] : path;
    const text = readFile(file, at, context);
    const fault = text === null ? null : faultOf(text);
    if (fault !== null) context.report({ code: 'FL4002', message: `${file} ${fault}`, path: at });
  }
}

function reasonOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
