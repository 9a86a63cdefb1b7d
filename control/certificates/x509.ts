// Signing requests (PKCS #10, RFC 2986) and certificates (RFC 5280) made by Fairlead itself. Thread: main.

import {
  createHash,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import {
  bitString,
  boolean,
  element,
  integer,
  nothing,
  objectIdentifier,
  octetString,
  readElements,
  sequence,
  set,
  tagged,
  taggedPrimitive,
  time,
  utf8String,
} from './der.ts';

/** Type of the key of a certificate: ECDSA with P-256, or RSA with 2048 bits. */
export type KeyType = 'ecdsa' | 'rsa';

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  rsaWithSha256: '1.2.840.113549.1.1.11',
  extensionRequest: '1.2.840.113549.1.9.14',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  /** RFC 8737 section 6.1. */
  acmeIdentifier: '1.3.6.1.5.5.7.1.31',
} as const;

const NO_BYTES = new Uint8Array(0);
const SERIAL_BYTES = 16;
/** Certificates begin a little earlier, for clients whose clock is slow. */
const BACKDATED_MS = 60 * 60 * 1000;

const generate = promisify(generateKeyPair);

/** A private key that was generated, off this thread's event loop. */
export async function newPrivateKey(type: KeyType): Promise<KeyObject> {
  const pair =
    type === 'ecdsa'
      ? await generate('ec', { namedCurve: 'P-256' })
      : await generate('rsa', { modulusLength: 2048, publicExponent: 65_537 });
  return pair.privateKey;
}

/** PKCS #8 as PEM text. */
export function pemOfKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

/** A signing request for names, in DER. Its subject is empty: the names are in the extension, as CAs require. */
export function signingRequest(names: readonly string[], key: KeyObject): Buffer {
  const extensions = sequence(subjectAltName(names));
  const attribute = sequence(objectIdentifier(OID.extensionRequest), set(extensions));
  const info = sequence(integer(Buffer.from([0])), sequence(), subjectPublicKeyInfo(key), tagged(0, attribute));
  return signed(info, key);
}

/** Issuer of a certificate: the subject of its own certificate, and its key. */
export interface Issuer {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

export interface CertificateRequest {
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly key: KeyObject;
  /** Common name; none where it is left out. */
  readonly commonName?: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Key authorization of a tls-alpn-01 challenge. */
  readonly keyAuthorization?: string;
  /** Self-signed where it is left out. */
  readonly issuer?: Issuer;
}

/** A certificate for a server. @returns PEM text */
export function issueCertificate(request: CertificateRequest): string {
  const { names, keyAuthorization, issuer } = request;
  const extensions = [
    extension(OID.basicConstraints, sequence(), true),
    // digitalSignature
    extension(OID.keyUsage, bitString(Buffer.from([0x80]), 7), true),
    extension(OID.extendedKeyUsage, sequence(objectIdentifier(OID.serverAuth))),
    ...(issuer === undefined ? [] : [authorityKeyIdentifier(issuer.key)]),
    // An empty subject requires a critical list of names (RFC 5280 section 4.1.2.6).
    subjectAltName(names, request.commonName === undefined),
    ...(keyAuthorization === undefined ? [] : [acmeIdentifier(keyAuthorization)]),
  ];
  return certificate({ ...request, extensions });
}

/** The certificate of a CA that signs servers' certificates only, self-signed. @returns PEM text */
export function issueRoot(
  request: Pick<CertificateRequest, 'key' | 'notBeforeMs' | 'notAfterMs'>,
  name: string,
): string {
  const extensions = [
    // cA, and no intermediate CA below it.
    extension(OID.basicConstraints, sequence(boolean(true), integer(Buffer.from([0]))), true),
    // keyCertSign and cRLSign
    extension(OID.keyUsage, bitString(Buffer.from([0x06]), 1), true),
    extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(request.key))),
  ];
  return certificate({ ...request, names: [], commonName: name, extensions });
}

function certificate(request: CertificateRequest & { readonly extensions: readonly Buffer[] }): string {
  const { key, commonName, notBeforeMs, notAfterMs, issuer, extensions } = request;
  const subject = distinguishedName(commonName);
  const serial = randomBytes(SERIAL_BYTES);
  // Positive, and not zero.
  serial[0] = (serial[0]! & 0x7f) | 0x01;
  const signer = issuer?.key ?? key;
  const content = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    signatureAlgorithm(signer),
    issuer === undefined ? subject : subjectOf(issuer.certificate),
    sequence(time(notBeforeMs - BACKDATED_MS), time(notAfterMs)),
    subject,
    subjectPublicKeyInfo(key),
    tagged(3, sequence(...extensions)),
  );
  return pemOf('CERTIFICATE', signed(content, signer));
}

function distinguishedName(commonName: string | undefined): Buffer {
  if (commonName === undefined) return sequence();
  return sequence(set(sequence(objectIdentifier(OID.commonName), utf8String(commonName))));
}

function signed(content: Buffer, key: KeyObject): Buffer {
  return sequence(content, signatureAlgorithm(key), bitString(sign('sha256', content, key)));
}

function signatureAlgorithm(key: KeyObject): Buffer {
  return key.asymmetricKeyType === 'rsa'
    ? sequence(objectIdentifier(OID.rsaWithSha256), nothing())
    : sequence(objectIdentifier(OID.ecdsaWithSha256));
}

function subjectPublicKeyInfo(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function extension(identifier: string, value: Uint8Array, isCritical = false): Buffer {
  return sequence(objectIdentifier(identifier), ...(isCritical ? [boolean(true)] : []), octetString(value));
}

/** GeneralName: [2] for DNS names, [7] for addresses. */
function subjectAltName(names: readonly string[], isCritical = false): Buffer {
  const general = names.map((name) =>
    isIP(name) === 0 ? taggedPrimitive(2, Buffer.from(name, 'ascii')) : taggedPrimitive(7, addressBytes(name)),
  );
  return extension(OID.subjectAltName, sequence(...general), isCritical);
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groupsOf = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((part) => Number.parseInt(part, 16));
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const groups = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** SHA-256 of the key authorization, critical: only a client that validates the challenge accepts the certificate. */
function acmeIdentifier(keyAuthorization: string): Buffer {
  const digest = createHash('sha256').update(keyAuthorization).digest();
  return extension(OID.acmeIdentifier, octetString(digest), true);
}

function authorityKeyIdentifier(key: KeyObject): Buffer {
  return extension(OID.authorityKeyIdentifier, sequence(taggedPrimitive(0, keyIdentifier(key))));
}

/** RFC 7093 section 2, method 1: the leftmost 160 bits of the SHA-256 of the public key. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256').update(subjectPublicKeyInfo(key)).digest().subarray(0, 20);
}

/** The subject of a certificate in DER. */
function subjectOf({ raw }: X509Certificate): Buffer {
  const fields = certificateFields(raw);
  const subject = fields[SUBJECT_FIELD];
  return subject === undefined ? sequence() : element(subject.tag, subject.content);
}

/** Place of the subject among the fields of a version 3 certificate. */
const SUBJECT_FIELD = 5;
const EXTENSIONS_TAG = 0xa3;

function certificateFields(raw: Uint8Array) {
  const content = readElements(readElements(raw)[0]?.content ?? NO_BYTES)[0]?.content;
  return readElements(content ?? NO_BYTES);
}

/**
 * Identifier of a certificate in requests for renewal information (RFC 9773 section 4.1): key identifier of its issuer
 * and serial number. Null where it names no issuer's key.
 */
export function renewalIdentifier(pem: string): string | null {
  const { raw } = new X509Certificate(pem);
  const fields = certificateFields(raw);
  const serial = fields[1]?.content;
  const extensions = readElements(fields.find(({ tag }) => tag === EXTENSIONS_TAG)?.content ?? NO_BYTES)[0];
  const wanted = objectIdentifier(OID.authorityKeyIdentifier);
  for (const { content } of readElements(extensions?.content ?? NO_BYTES)) {
    if (!wanted.equals(content.subarray(0, wanted.length))) continue;
    const value = readElements(content).at(-1)?.content ?? NO_BYTES;
    const key = readElements(readElements(value)[0]?.content ?? NO_BYTES).find(({ tag }) => tag === 0x80);
    if (key !== undefined && serial !== undefined) return `${base64url(key.content)}.${base64url(serial)}`;
  }
  return null;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function pemOf(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
