// Facts of an issued certificate, and the check that it is what was ordered. Thread: main.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { CertificatePair } from './certificate-storage.ts';
import type { Validity } from './certificate-plan.ts';

export interface IssuedFacts extends Validity {
  /** Common name or organization of the issuer. */
  readonly issuer: string;
}

/** @throws where the text has no certificate */
export function factsOf({ cert }: Pick<CertificatePair, 'cert'>): IssuedFacts {
  const { serialNumber, validFromDate, validToDate, issuer } = new X509Certificate(cert);
  const line = /^CN=(.+)$/m.exec(issuer) ?? /^O=(.+)$/m.exec(issuer);
  return {
    serial: serialNumber,
    notBeforeMs: validFromDate.getTime(),
    notAfterMs: validToDate.getTime(),
    issuer: line?.[1] ?? '',
  };
}

/** Reason for which a pair can't be used for a name; null if it can. */
export function reasonAgainst({ cert, key }: CertificatePair, name: string, wallMs: number): string | null {
  try {
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return 'its key does not match';
    if (certificate.validToDate.getTime() <= wallMs) return 'it has expired';
    const host = name.replace('*.', 'any-label.');
    return certificate.checkHost(host) === undefined ? `it is not for ${name}` : null;
  } catch {
    return 'it is malformed';
  }
}
