// Answers to the challenges of certificate authorities, as files of the shared storage: written by main of one process,
// read by the workers of all. Thread: both.

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** Path of HTTP-01 (RFC 8555 section 8.3). */
export const HTTP_CHALLENGE_PATH = '/.well-known/acme-challenge/';

/** Protocol of TLS-ALPN-01 (RFC 8737). */
export const ALPN_CHALLENGE_PROTOCOL = 'acme-tls/1';

/** Directory of the answers in a storage. */
function challengeFolder(storage: string, type: 'http-01' | 'tls-alpn-01'): string {
  return path.join(storage, 'challenges', type);
}

/** File of the key authorization of a token. */
export function httpAnswerFile(storage: string, token: string): string {
  return path.join(challengeFolder(storage, 'http-01'), token);
}

/** File of the certificate, with its key, for a name. */
export function alpnAnswerFile(storage: string, name: string): string {
  return path.join(challengeFolder(storage, 'tls-alpn-01'), `${name}.pem`);
}

/** Tokens have at least 128 bits in base64url (RFC 8555 section 8.3). Nothing else becomes the name of a file. */
const TOKEN = /^[\w-]{16,128}$/;

/** The token in a request target; '' where it is none. */
export function tokenOfTarget(target: string): string {
  const token = target.slice(HTTP_CHALLENGE_PATH.length);
  return TOKEN.test(token) ? token : '';
}

/** The key authorization of a token; null where the storage has none. */
export async function readHttpAnswer(storage: string, token: string): Promise<string | null> {
  return await readFile(httpAnswerFile(storage, token), 'utf8').catch(() => null);
}

const HOST_NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/**
 * The certificate and key that answer a challenge for a name, in one PEM text; null where there is none. Synchronous,
 * because OpenSSL chooses the certificate in the middle of the handshake; only clients that offer `acme-tls/1` cause it.
 */
export function readAlpnAnswer(storage: string, name: string): string | null {
  const wanted = name.toLowerCase();
  if (wanted.length > 253 || !HOST_NAME.test(wanted)) return null;
  try {
    return readFileSync(alpnAnswerFile(storage, wanted), 'utf8');
  } catch {
    return null;
  }
}
