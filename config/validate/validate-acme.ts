// Checks of `tls.acme`: sources of certificates, names, challenges, storage. Thread: main.

import { readCertificates } from '../files/certificate.ts';
import { placeOf } from '../files/referenced-files.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { AcmeConfig } from '../schema/schema-acme.ts';
import type { ListenerConfig } from '../schema/schema-listeners.ts';
import { quoted } from '../values/parsed.ts';
import { defaultChallenge, hostsOfRoutes, isCertifiable, takesWildcards } from './acme-names.ts';
import type { CheckContext } from './parsed-config.ts';

/** @param path of the listener's `tls` */
export function checkCertificateSources(listener: ListenerConfig, path: KeyPath, context: CheckContext): void {
  const { tls } = listener;
  if (tls === undefined) return;
  if (tls.acme !== undefined) return checkAcme(tls.acme, listener, [...path, 'acme'], context);
  if (tls.certificates !== undefined || tls.internal !== undefined || tls.fromProviders === true) return;
  const message =
    'tls needs certificates: list files in certificates, or set acme or internal to obtain them automatically';
  context.report({ code: 'FL2002', message, path });
}

function checkAcme(acme: AcmeConfig, listener: ListenerConfig, path: KeyPath, context: CheckContext): void {
  checkNames(acme, listener, path, context);
  checkChallenge(acme, path, context);
  checkTrusted(acme, path, context);
  if (acme.email !== undefined) return;
  const message = 'acme has no email: the CA cannot warn you before a certificate expires; set acme.email';
  context.report({ code: 'FL9026', message, path, part: 'key' });
}

function checkNames(acme: AcmeConfig, listener: ListenerConfig, path: KeyPath, context: CheckContext): void {
  const { domains } = acme;
  if (domains === 'from-routes') {
    if (acme.onDemand !== undefined || hostsOfRoutes(context.config.routes, listener.name, acme).length > 0) return;
    const message = `no route of listener ${quoted(listener.name)} names a public host: write match.host in routes, or acme.domains`;
    context.report({ code: 'FL9027', message, path, part: 'key' });
    return;
  }
  for (const [index, name] of domains.entries()) {
    const at = [...path, 'domains', index];
    if (!isCertifiable(name, acme)) {
      const message = `${quoted(name)} is not a public name: no public CA issues certificates for it`;
      context.report({ code: 'FL3008', message, path: at });
    } else if (name.startsWith('*.') && !takesWildcards(acme)) {
      const message = `${quoted(name)} is a wildcard: CAs validate wildcards by dns-01 only: set challenge to { type: dns-01, command: [...] }, or name the hosts`;
      context.report({ code: 'FL3008', message, path: at });
    }
  }
}

function checkChallenge({ challenge }: AcmeConfig, path: KeyPath, context: CheckContext): void {
  const { listeners } = context.config;
  if (challenge !== 'http-01' || defaultChallenge(listeners) === 'http-01') return;
  const message = 'http-01 needs a listener without TLS, which port 80 reaches: add one, or use tls-alpn-01';
  context.report({ code: 'FL3008', message, path: [...path, 'challenge'] });
}

function checkTrusted({ ca }: AcmeConfig, path: KeyPath, context: CheckContext): void {
  if (ca === undefined) return;
  const outcome = context.files.read(ca);
  if (outcome.ok && readCertificates(outcome.text) !== null) return;
  const reason = outcome.ok ? 'contains no certificate' : `${outcome.reason}${placeOf(ca, context.directory)}`;
  context.report({ code: outcome.ok ? 'FL4002' : 'FL4001', message: `${ca} ${reason}`, path: [...path, 'ca'] });
}
