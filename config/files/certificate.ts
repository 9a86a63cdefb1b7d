// Certificates and private keys as PEM text: what is wrong with them, and which names they are good for. Thread: main.

import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto';
import type { ProblemCode } from '../problems/problem.ts';
import { isHostName } from '../values/host-name.ts';

const DAY_MS = 86_400_000;
/** A certificate that has less time left is worth a warning: ACME clients renew 30 days before the end. */
const SOON_MS = 14 * DAY_MS;

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Something wrong with a certificate or its key; the message follows the name of the file. */
export interface CertificateFault {
  readonly code: ProblemCode;
  readonly part: 'cert' | 'key';
  readonly message: string;
}

/** All certificates of a PEM text, or null where there is none or one is broken. */
export function readCertificates(pem: string): readonly X509Certificate[] | null {
  try {
    const certificates = (pem.match(CERTIFICATE_BLOCK) ?? []).map((block) => new X509Certificate(block));
    return certificates.length > 0 ? certificates : null;
  } catch {
    return null;
  }
}

/** Checks a certificate with its key at a time in ms since 1970. */
export function checkCertificate(cert: string, key: string, wallMs: number): CertificateFault[] {
  const certificate = readCertificates(cert)?.[0];
  const privateKey = readPrivateKey(key);
  const faults: CertificateFault[] = [];
  if (certificate === undefined) {
    const message = 'holds no certificate: a PEM file with BEGIN CERTIFICATE is needed';
    faults.push({ code: 'FL4002', part: 'cert', message });
  } else {
    faults.push(...checkDates(certificate, wallMs));
  }
  if (typeof privateKey === 'string') faults.push({ code: 'FL4003', part: 'key', message: privateKey });
  else if (certificate !== undefined && !certificate.checkPrivateKey(privateKey)) {
    const message = 'is not the key of the certificate: the two were not made together';
    faults.push({ code: 'FL4004', part: 'key', message });
  }
  return faults;
}

function readPrivateKey(pem: string): KeyObject | string {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    return 'is protected by a passphrase: a key without one is needed, readable by this user only';
  }
  try {
    return createPrivateKey(pem);
  } catch {
    return 'holds no private key: a PEM file with BEGIN PRIVATE KEY is needed';
  }
}

function checkDates(certificate: X509Certificate, wallMs: number): CertificateFault[] {
  const begin = certificate.validFromDate.getTime();
  const end = certificate.validToDate.getTime();
  const warning = (message: string): CertificateFault[] => [{ code: 'FL9006', part: 'cert', message }];
  if (wallMs < begin) return warning(`is not valid before ${certificate.validFromDate.toISOString()}`);
  if (wallMs > end) return warning(`has expired on ${certificate.validToDate.toISOString()}: clients will refuse it`);
  return end - wallMs < SOON_MS ? warning(`expires in ${Math.floor((end - wallMs) / DAY_MS)} days`) : [];
}

/**
 * Names that a certificate is good for, lower case: the DNS names among its subject alternative names, or the common
 * name of a certificate without any. `*.example.com` stands as it is.
 */
export function certificateNames(pem: string): readonly string[] {
  const certificate = readCertificates(pem)?.[0];
  if (certificate === undefined) return [];
  const alternatives = (certificate.subjectAltName ?? '').split(', ').filter((entry) => entry.startsWith('DNS:'));
  const names = alternatives.map((entry) => entry.slice('DNS:'.length));
  if (certificate.subjectAltName === undefined) names.push(/^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? '');
  // Node quotes names with odd signs (CVE-2021-44532: injection into this list); they are no host names anyway.
  return names.map((name) => name.toLowerCase()).filter((name) => isHostName(name.replace(/^\*\./, '')));
}
