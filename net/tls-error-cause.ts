// Texts for failed TLS with a server, with the next step: certificates that don't hold, alerts, bytes that aren't TLS.
// Thread: both.

const LONGEST = 300;
const UNKNOWN_CA = 'its certificate is from an unknown CA: name the CA in tls.ca';
const NOT_TLS = "it doesn't speak TLS on this port: write http:// in its URL, or correct the port";
const NO_VERSION = 'no common version of TLS: it must speak TLS 1.2 or 1.3';

/** By the codes of Node and OpenSSL. Those of alerts, which the server sends, follow `ALERT`. */
const TEXT_OF_CODE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired: renew it',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: compare the clocks of both machines',
  CERT_REVOKED: 'its certificate is revoked: replace it',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed: name it in tls.ca',
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `${UNKNOWN_CA}, or have it send its intermediate certificates`,
  ERR_SSL_WRONG_VERSION_NUMBER: NOT_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NOT_TLS,
  ERR_SSL_BAD_RECORD_TYPE: NOT_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_VERSION,
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'it serves no such server name: correct tls.serverName',
};

const REFUSED_OURS = 'it refuses our certificate: renew tls.cert, or have it trust the CA of tls.cert';

/** By the names of alerts (RFC 8446 section 6.2). */
const TEXT_OF_ALERT: Readonly<Record<string, string>> = {
  HANDSHAKE_FAILURE: 'it refuses the handshake: it requires a certificate (tls.cert), or has no common cipher suite',
  CERTIFICATE_REQUIRED: 'it requires a certificate: set tls.cert and tls.key',
  BAD_CERTIFICATE: REFUSED_OURS,
  UNSUPPORTED_CERTIFICATE: REFUSED_OURS,
  CERTIFICATE_REVOKED: REFUSED_OURS,
  CERTIFICATE_EXPIRED: REFUSED_OURS,
  CERTIFICATE_UNKNOWN: REFUSED_OURS,
  UNKNOWN_CA: REFUSED_OURS,
  ACCESS_DENIED: REFUSED_OURS,
  PROTOCOL_VERSION: NO_VERSION,
  INSUFFICIENT_SECURITY: 'it requires stronger cipher suites than both sides have: correct its settings',
  NO_APPLICATION_PROTOCOL: 'no common application protocol (ALPN): correct the protocol of the upstream',
  INTERNAL_ERROR: 'it ended the handshake with an internal error: see its log',
};

/** OpenSSL's and Node's codes of a handshake or a certificate that didn't hold. */
const TLS_CODE =
  /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO)/;

/** Codes of a server that is being stopped or is short of something: the next handshake may succeed. */
const PASSING = /_ALERT_INTERNAL_ERROR$|UNEXPECTED_EOF|_ALERT_USER_CANCELL?ED$/;

/** Whether a handshake failed for a reason that no repetition removes: a certificate, a version, a protocol. */
export function isLastingTlsError(error: unknown): boolean {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : '';
  return typeof code === 'string' && TLS_CODE.test(code) && !PASSING.test(code);
}

/** A phrase about the server; null where the code is none of TLS. */
export function textOfTlsError(code: string, error: Error): string | null {
  if (!TLS_CODE.test(code)) return null;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return textOfWrongName(error);
  const alert = /_ALERT_(\w+)$/.exec(code)?.[1] ?? '';
  return TEXT_OF_CODE[code] ?? TEXT_OF_ALERT[alert] ?? ownText(error);
}

function textOfWrongName({
  host,
  cert,
  message,
}: Error & { host?: string; cert?: { subjectaltname?: string } }): string {
  if (host === undefined) return oneLine(message);
  const names = cert?.subjectaltname ?? '';
  const covered = names === '' ? 'its certificate names no host' : `its certificate is for ${names}`;
  return oneLine(`${covered}, not for ${host.replace(/\.$/, '')}: correct tls.serverName, or its certificate`);
}

/** OpenSSL's reason, without the error's place in its source. */
function ownText({ reason, message }: Error & { reason?: unknown }): string {
  return oneLine(typeof reason === 'string' && reason !== '' ? reason : message);
}

/** Names of a certificate are chosen by the server. */
function oneLine(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, LONGEST);
}
