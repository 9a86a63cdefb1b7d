// Texts for errors of sockets, name look-ups, TLS and undici, for messages about any server. Thread: both.

import { textOfTlsError } from './tls-error-cause.ts';

/** Which side an error is about: the peer, this process or machine, or the look-up of the peer's name. */
export type ErrorSide = 'peer' | 'own' | 'name';

export interface ErrorCause {
  readonly side: ErrorSide;
  /** A phrase such as "connection refused". */
  readonly text: string;
}

/** Shortages of this process or machine, which are no evidence about the peer. */
const OWN_CODES: Readonly<Record<string, string>> = {
  EMFILE: 'no file descriptor left in this process',
  ENFILE: 'no file descriptor left on this machine',
  ENOMEM: 'no memory left',
  ENOBUFS: 'no socket buffers left',
  EADDRNOTAVAIL: 'no local address or port left',
};

const PEER_CODES: Readonly<Record<string, string>> = {
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

/** The cause that an error stands for. */
export function causeOfError(error: unknown): ErrorCause {
  const { name, code, syscall, message, inner } = partsOf(error);
  const own = OWN_CODES[code];
  if (own !== undefined) return { side: 'own', text: `${own} (${code})` };
  if (syscall === 'getaddrinfo') return { side: 'name', text: `name not resolved: ${code}` };
  const known = PEER_CODES[code];
  if (known !== undefined) return { side: 'peer', text: known };
  const tls = textOfTlsError(code, inner);
  if (tls !== null) return { side: 'peer', text: `TLS failed: ${tls}` };
  if (name === 'HTTPParserError') return { side: 'peer', text: `malformed response: ${parserFinding(message)}` };
  return { side: 'peer', text: message === '' ? code : message };
}

/** The finding of undici's parser, without its surrounding sentence. */
function parserFinding(message: string): string {
  return /\((.+)\)$/.exec(message)?.[1] ?? message;
}

interface ErrorParts {
  readonly name: string;
  readonly code: string;
  readonly syscall: string;
  readonly message: string;
  readonly inner: Error;
}

/** Fields of an error, or of the first one within an AggregateError (several addresses tried). */
function partsOf(error: unknown): ErrorParts {
  if (error instanceof AggregateError && error.errors.length > 0) return partsOf(error.errors[0]);
  const inner = error instanceof Error ? error : new Error(String(error));
  const { code, syscall } = inner as NodeJS.ErrnoException;
  const name = error instanceof Error ? inner.name : '';
  return { name, code: code ?? '', syscall: syscall ?? '', message: inner.message, inner };
}
