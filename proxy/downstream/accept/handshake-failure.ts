// The cause of a failed TLS handshake by the code of its error. Thread: worker.

import type { TlsFailure } from '../../../core/tls-failure.ts';

const CAUSE_OF_CODE: Readonly<Record<string, TlsFailure>> = {
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  ERR_SSL_UNEXPECTED_EOF_WHILE_READING: 'closed',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  ERR_SSL_HTTP_REQUEST: 'not-tls',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'not-tls',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'not-tls',
  ERR_SSL_BAD_RECORD_TYPE: 'not-tls',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
  ERR_SSL_INAPPROPRIATE_FALLBACK: 'version',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'version',
  ERR_SSL_NO_SHARED_CIPHER: 'cipher',
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 'cipher',
  ERR_SSL_NO_SUITABLE_GROUPS: 'cipher',
  ERR_SSL_NO_SHARED_GROUP: 'cipher',
  ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS: 'cipher',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'cipher',
  ERR_SSL_WRONG_SIGNATURE_TYPE: 'cipher',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'protocol',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'client-certificate',
};

/** Alerts by which a client refuses a certificate (RFC 8446 section 6.2), as OpenSSL names them. */
const REFUSAL = /_ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|UNKNOWN_PSK_IDENTITY)$/;

/** @param code '' where the connection closed without an error */
export function failureOfCode(code: string): TlsFailure {
  if (code === '') return 'closed';
  return CAUSE_OF_CODE[code] ?? (REFUSAL.test(code) ? 'certificate-refused' : 'other');
}
