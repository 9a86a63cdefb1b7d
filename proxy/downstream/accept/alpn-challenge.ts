// TLS-ALPN-01 (RFC 8737): a CA that offers `acme-tls/1` gets the certificate that answers its challenge. Thread: worker.

import type { TlsOptions } from 'node:tls';
import { ALPN_CHALLENGE_PROTOCOL, readAlpnAnswer } from '../../../net/acme-challenges.ts';
import type { ClientHello } from './client-hello.ts';

/**
 * Options of the TLS server that answers a challenge; null where the hello belongs to none, or the storage has no answer:
 * then no common protocol fails the handshake.
 * @param storage absolute path of the certificates' storage
 */
export function challengeOptions(storage: string, { protocols, serverName }: ClientHello): TlsOptions | null {
  if (!protocols.includes(ALPN_CHALLENGE_PROTOCOL)) return null;
  const pem = readAlpnAnswer(storage, serverName);
  return pem === null ? null : { cert: pem, key: pem, ALPNProtocols: [ALPN_CHALLENGE_PROTOCOL] };
}

/** Whether a connection validates a challenge: it carries no requests. */
export function isChallenge(protocol: string | false | null): boolean {
  return protocol === ALPN_CHALLENGE_PROTOCOL;
}
