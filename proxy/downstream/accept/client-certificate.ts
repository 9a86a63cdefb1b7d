// Certificates of TLS clients: whether one may be served, and the facts about it. Thread: worker.

import type { TLSSocket } from 'node:tls';
import type { ClientCertificate } from '../../../core/exchange-contract.ts';

/** `certificate` is null for a client without one, where that is permitted. */
type ClientVerdict =
  | { readonly isServed: true; readonly certificate: ClientCertificate | null }
  | { readonly isServed: false; readonly reason: string };

const NOT_PRINTABLE = /[^\x20-\x7e]/g;

/**
 * Judges a client after its handshake. OpenSSL has verified the chain and the CRL, at the full handshake; the dates are
 * checked again, because a session may be resumed after its certificate has expired.
 */
export function judgeClient(stream: TLSSocket, isRequired: boolean, wallMs: number): ClientVerdict {
  const x509 = stream.getPeerX509Certificate();
  if (x509 === undefined) {
    return isRequired
      ? { isServed: false, reason: 'the client sent no certificate' }
      : { isServed: true, certificate: null };
  }
  if (!stream.authorized) return { isServed: false, reason: reasonOf(stream.authorizationError) };
  if (x509.validToDate.getTime() < wallMs) return { isServed: false, reason: 'CERT_HAS_EXPIRED' };
  return {
    isServed: true,
    certificate: {
      subject: oneLine(x509.subject),
      issuer: oneLine(x509.issuer),
      san: printable(x509.subjectAltName ?? ''),
      serial: x509.serialNumber,
      fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
      certificate: `:${x509.raw.toString('base64')}:`,
    },
  };
}

/** Code of OpenSSL's verification, such as CERT_REVOKED. */
function reasonOf(error: Error | string | undefined): string {
  return typeof error === 'string' ? error : ((error as { code?: string } | undefined)?.code ?? 'not verified');
}

/** Attributes are lines, in which Node has escaped control characters and commas: `CN=app\nO=Example`. */
function oneLine(name: string | undefined): string {
  return printable((name ?? '').split('\n').join(','));
}

function printable(text: string): string {
  return text.replaceAll(NOT_PRINTABLE, '?');
}
