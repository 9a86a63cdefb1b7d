// Certificates and private keys as PEM text: validation, and the names that they cover. Thread: main.

import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ProblemCode } from '../problems/problem.ts';
import { isHostName } from '../../net/host-name.ts';

const DAY_MS = 86_400_000;
/** Remaining validity below which a warning is given: ACME clients renew 30 days before expiry. */
const SOON_MS = 14 * DAY_MS;

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** A fault of a certificate or its key; the message continues a sentence that begins with the file name. */
export interface CertificateFault {
  readonly code: ProblemCode;
  readonly part: 'cert' | 'key';
  readonly message: string;
}

/** All certificates of a PEM text, or null if there is none or one is malformed. */
export function readCertificates(pem: string): readonly X509Certificate[] | null {
  try {
    const certificates = (pem.match(CERTIFICATE_BLOCK) ?? []).map((block) => new X509Certificate(block));
    return certificates.length > 0 ? certificates : null;
  } catch {
    return null;
  }
}

/** Checks a certificate and its key. @param wallMs time of the check in ms since 1970 */
export function checkCertificate(cert: string, key: string, wallMs: number): CertificateFault[] {
  const certificate = readCertificates(cert)?.[0];
  const privateKey = readPrivateKey(key);
  const faults: CertificateFault[] = [];
  if (certificate === undefined) {
    const message = 'contains no certificate: a PEM file with BEGIN CERTIFICATE is required';
    faults.push({ code: 'FL4002', part: 'cert', message });
  } else {
    faults.push(...checkDates(certificate, wallMs));
  }
  if (typeof privateKey === 'string') faults.push({ code: 'FL4003', part: 'key', message: privateKey });
  else if (certificate !== undefined && !certificate.checkPrivateKey(privateKey)) {
    const message = 'does not match the certificate: the two are not a pair';
    faults.push({ code: 'FL4004', part: 'key', message });
  }
  const refusal = faults.every(({ code }) => code === 'FL9006') ? refusalOf(cert, key) : null;
  return refusal === null ? faults : [...faults, { code: 'FL4002', part: 'cert', message: refusal }];
}

/** Reason why OpenSSL can't serve a pair, such as a key that is too short; null where it can. */
function refusalOf(cert: string, key: string): string | null {
  try {
    createSecureContext({ cert, key });
    return null;
  } catch (error) {
    return `can't be served: ${(error as Error).message}`;
  }
}

/** Reason why a pair can't replace one that is in use; null where it can. @param wallMs ms since 1970 */
export function reasonAgainstReplacing(cert: string, key: string, wallMs: number): CertificateFault | null {
  const [fault] = checkCertificate(cert, key, wallMs);
  return fault === undefined || (fault.code === 'FL9006' && isValidAt(cert, wallMs)) ? null : fault;
}

function isValidAt(cert: string, wallMs: number): boolean {
  const certificate = readCertificates(cert)![0]!;
  return certificate.validFromDate.getTime() <= wallMs && wallMs <= certificate.validToDate.getTime();
}

function readPrivateKey(pem: string): KeyObject | string {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    return 'is protected by a passphrase: a key without one is required, readable by this user only';
  }
  try {
    return createPrivateKey(pem);
  } catch {
    return 'contains no private key: a PEM file with BEGIN PRIVATE KEY is required';
  }
}

function checkDates(certificate: X509Certificate, wallMs: number): CertificateFault[] {
  const begin = certificate.validFromDate.getTime();
  const end = certificate.validToDate.getTime();
  const warning = (message: string): CertificateFault[] => [{ code: 'FL9006', part: 'cert', message }];
  if (wallMs < begin) return warning(`is not valid before ${certificate.validFromDate.toISOString()}`);
  if (wallMs > end) return warning(`expired on ${certificate.validToDate.toISOString()}: clients will refuse it`);
  return end - wallMs < SOON_MS ? warning(`expires in ${Math.floor((end - wallMs) / DAY_MS)} days`) : [];
}

/**
 * Names that a certificate covers, lower case: the DNS names of its subject alternative names, or the common name of a
 * certificate without any. `*.example.com` is returned unchanged.
 */
export function certificateNames(pem: string): readonly string[] {
  const certificate = readCertificates(pem)?.[0];
  if (certificate === undefined) return [];
  const alternatives = (certificate.subjectAltName ?? '').split(', ').filter((entry) => entry.startsWith('DNS:'));
  const names = alternatives.map((entry) => entry.slice('DNS:'.length));
  if (certificate.subjectAltName === undefined) names.push(/^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? '');
  // Node quotes names with special characters (CVE-2021-44532: injection into this list); they aren't host names.
  return names.map((name) => name.toLowerCase()).filter((name) => isHostName(name.replace(/^\*\./, '')));
}
