// Handlers of certificates: those in use, and those that are ordered. Thread: main.

import type { z } from 'zod';
import { nearestName } from '../../config/problems/nearest-name.ts';
import { type AutomaticCertificate, type CertificateFacts, PLACEHOLDER_NAME } from '../../core/certificate-facts.ts';
import type { AdminContext } from '../admin-context.ts';
import { AdminError, type AdminReply, jsonReply } from './admin-reply.ts';
import type { AdminParts, AdminRequest } from './admin-route.ts';
import type { CertificateReply, renewBody } from './certificate-schemas.ts';
import { isoOf, isoOrNull } from './iso-time.ts';

export function sendCertificates(_request: AdminRequest, { context }: AdminParts): AdminReply {
  return jsonReply({ certificates: certificateRows(context) });
}

/** Orders a certificate now, whatever its plan says. */
export async function renewCertificate(
  { body: { name } }: AdminRequest<z.output<typeof renewBody>>,
  { context }: AdminParts,
): Promise<AdminReply> {
  if (await context.acme.renew(name)) return jsonReply({ name, state: 'ordering' });
  const names = context.acme.list().map((one) => one.name);
  const suggestion = nearestName(name, names);
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  throw new AdminError(404, 'no-such-name', `there is no automatic certificate for ${name}${hint}`, {
    details: { names: names.slice(0, 100), nameCount: names.length, suggestion },
  });
}

/** Those in use by listener, then names that wait for their first one. */
function certificateRows({ certificates, acme }: Pick<AdminContext, 'certificates' | 'acme'>): CertificateReply[] {
  const automatic = acme.list();
  const bySerial = new Map(automatic.map((one) => [one.serial, one]));
  const inUse = certificates.list().flatMap((facts): CertificateReply[] => {
    const own = bySerial.get(facts.serial);
    // The self-signed certificate of a listener that has no other one yet.
    if (facts.names[0] === PLACEHOLDER_NAME) return [];
    return [rowOf(facts, own)];
  });
  return [...inUse, ...automatic.filter(({ serial }) => serial === '').map((one) => waitingRow(one))];
}

function rowOf(facts: CertificateFacts, own: AutomaticCertificate | undefined): CertificateReply {
  const { names, listener, file, origin, issuer, serial, fingerprint, keyType, notBeforeMs, notAfterMs, error } = facts;
  return {
    names: [...names],
    listener,
    source: own !== undefined ? 'acme' : origin !== null ? 'provider' : file === null ? 'internal' : 'file',
    origin,
    file,
    state: own?.state === 'ordering' ? 'ordering' : 'in-use',
    issuer,
    serial,
    fingerprint,
    keyType,
    notBefore: isoOf(notBeforeMs),
    notAfter: isoOf(notAfterMs),
    ...orderFacts(own),
    error: own === undefined ? error : errorOf(own),
  };
}

function waitingRow(own: AutomaticCertificate): CertificateReply {
  const unknown = { issuer: null, serial: null, fingerprint: null, keyType: null, notBefore: null, notAfter: null };
  const state = own.state === 'ordering' ? 'ordering' : 'waiting';
  const place = { listener: null, source: 'acme', origin: null, file: null } as const;
  return { names: [own.name], ...place, state, ...unknown, ...orderFacts(own), error: errorOf(own) };
}

function orderFacts(own: AutomaticCertificate | undefined) {
  return {
    authority: own?.authority ?? null,
    challenge: own?.challenge ?? null,
    nextRenewal: isoOrNull(own?.renewAtMs ?? null),
    failures: own?.failures ?? 0,
    nextAttempt: isoOrNull(own?.retryAtMs ?? null),
  };
}

function errorOf({ lastError }: AutomaticCertificate): string | null {
  return lastError === '' ? null : lastError;
}
