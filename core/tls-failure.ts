// Causes of failed TLS handshakes with clients: a closed list, counted per listener. Thread: both.

import type { ListenerField } from './memory/lane-fields.ts';

/** The lane field that counts each cause. */
export const TLS_FAILURES = {
  /** The client closed or reset the connection: health checks that only connect, scanners. */
  closed: 'tlsFailedClosed',
  /** The handshake took longer than timeouts.handshake. */
  timeout: 'tlsFailedTimeout',
  /** The first bytes were not TLS: plain HTTP, scanners. */
  'not-tls': 'tlsFailedNotTls',
  /** No common version of TLS. */
  version: 'tlsFailedVersion',
  /** No common cipher suite, group or signature algorithm. */
  cipher: 'tlsFailedCipher',
  /** No common application protocol (ALPN). */
  protocol: 'tlsFailedProtocol',
  /** The listener has no certificate for the server name. */
  'unknown-name': 'tlsFailedName',
  /** The client refused the certificate of the listener. */
  'certificate-refused': 'tlsFailedRefused',
  /** The client's certificate was missing, invalid or revoked. */
  'client-certificate': 'tlsFailedClient',
  other: 'tlsFailedOther',
} as const satisfies Readonly<Record<string, ListenerField>>;

export type TlsFailure = keyof typeof TLS_FAILURES;
