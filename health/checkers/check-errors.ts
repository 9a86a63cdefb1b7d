// Turns errors of heartbeats into results: the endpoint's fault or our own, with a cause. Thread: main.

import type { HeartbeatResult } from './checker.ts';

/**
 * Local failures, which are no evidence about the endpoint: no file descriptor, memory or local port left (EMFILE,
 * ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL).
 */
const OWN_CODES: Readonly<Record<string, string>> = {
  EMFILE: 'no file descriptor left in this process',
  ENFILE: 'no file descriptor left on this machine',
  ENOMEM: 'no memory left',
  ENOBUFS: 'no socket buffers left',
  EADDRNOTAVAIL: 'no local address or port left',
};

const ENDPOINT_CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOENT: "the socket's path doesn't exist",
  EACCES: 'permission denied',
  UND_ERR_SOCKET: 'connection closed before the response was whole',
  UND_ERR_HEADERS_OVERFLOW: 'response head too large',
};

/** OpenSSL's and Node's codes for a handshake or a certificate that didn't hold. */
const TLS_CODE =
  /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO)/;

/** The result of a heartbeat that ended in `error`. */
export function resultOfError(error: unknown): HeartbeatResult {
  const { name, code, syscall, message } = partsOf(error);
  const own = OWN_CODES[code];
  if (own !== undefined) return { kind: 'unknown', cause: `${own} (${code})` };
  if (syscall === 'getaddrinfo') return { kind: 'unknown', cause: `name not resolved: ${code}`, isUnresolved: true };
  const words = ENDPOINT_CODES[code];
  if (words !== undefined) return { kind: 'fail', cause: words };
  if (TLS_CODE.test(code)) return { kind: 'fail', cause: `TLS failed: ${message}` };
  if (name === 'HTTPParserError') return { kind: 'fail', cause: `malformed response: ${parserWords(message)}` };
  return { kind: 'fail', cause: message === '' ? code : message };
}

/** The finding of undici's parser, without its surrounding sentence. */
function parserWords(message: string): string {
  return /\((.+)\)$/.exec(message)?.[1] ?? message;
}

interface ErrorParts {
  readonly name: string;
  readonly code: string;
  readonly syscall: string;
  readonly message: string;
}

/** Fields of an error, or of the first one within an AggregateError (several addresses tried). */
function partsOf(error: unknown): ErrorParts {
  if (error instanceof AggregateError && error.errors.length > 0) return partsOf(error.errors[0]);
  if (!(error instanceof Error)) return { name: '', code: '', syscall: '', message: String(error) };
  const { code, syscall } = error as NodeJS.ErrnoException;
  return { name: error.name, code: code ?? '', syscall: syscall ?? '', message: error.message };
}
