// Table of errors of sockets, TLS and undici, by kind of failure. Thread: both.

import { failureOf, type Failure, type FailureKind } from '../core/failure.ts';
import { EndpointError } from './endpoint-error.ts';

/** State of an attempt when it fails. */
export interface SendFacts {
  /** Whether a byte of the request was handed to the socket. */
  readonly wasSent: boolean;
  /** Whether the connection had served a request before. */
  readonly isReused: boolean;
  /** Whether a byte of the response was received. */
  readonly hasReceived: boolean;
  /** Whether the response head was received completely. */
  readonly hasHead: boolean;
  /** Whether the connection was reset soon after its last response, without FIN: no idle timeout does that. */
  readonly wasCutInUse?: boolean;
}

/** Servers in use have idle timeouts of more than a second. */
export const LEAST_IDLE_TIMEOUT_MS = 1_000;

/** Shortages of this process or machine: no evidence about the endpoint. */
const OWN_LACK: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** Errors with a code of their own that mean the same in every phase. */
const KIND_OF_CODE: Readonly<Record<string, FailureKind>> = {
  UND_ERR_INVALID_ARG: 'unsendable-request',
  UND_ERR_NOT_SUPPORTED: 'unsendable-request',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'unsendable-request',
  ERR_INVALID_CHAR: 'unsendable-request',
  ERR_INVALID_HTTP_TOKEN: 'unsendable-request',
  ERR_UNESCAPED_CHARACTERS: 'unsendable-request',
  ERR_HTTP_INVALID_HEADER_VALUE: 'unsendable-request',
  UND_ERR_HEADERS_OVERFLOW: 'head-too-large',
  HPE_HEADER_OVERFLOW: 'head-too-large',
  HPE_INVALID_EOF_STATE: 'truncated',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'truncated',
  UND_ERR_DESTROYED: 'cancelled',
  UND_ERR_CLOSED: 'cancelled',
  UND_ERR_ABORTED: 'cancelled',
};

/** Codes of a lost connection. */
const LOST: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'UND_ERR_SOCKET',
]);

/** The code of an error of Node or undici; '' where it has none. */
export function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : '';
  return typeof code === 'string' ? code : '';
}

/** The kind of a failure to connect. @param isHandshake whether TCP stood and TLS was being negotiated */
export function connectFailureKind(code: string, isHandshake: boolean): FailureKind {
  if (OWN_LACK.has(code)) return 'internal';
  if (isHandshake) return 'tls-failed';
  if (code === 'ECONNREFUSED') return 'connect-refused';
  return code === 'ETIMEDOUT' ? 'connect-timeout' : 'connect-failed';
}

/**
 * The kind of failure of a lost connection. A reused connection that ends before any byte of a response was stale: the
 * endpoint closed it while the request was on its way (RFC 9112 section 9.5), which is no evidence against it. It does so
 * by FIN, or after an idle time: a reset of a connection in use is a failure of the request. An end within the response
 * head counts as no response.
 */
export function lossKind(facts: Omit<SendFacts, 'wasSent'>): FailureKind {
  if (facts.hasHead) return 'truncated';
  return facts.isReused && !facts.hasReceived && facts.wasCutInUse !== true ? 'stale-connection' : 'reset';
}

function kindOf(error: Error, facts: SendFacts): FailureKind {
  if (error instanceof EndpointError) return error.kind;
  const code = codeOf(error);
  if (Object.hasOwn(KIND_OF_CODE, code)) return KIND_OF_CODE[code]!;
  if (code.startsWith('HPE_') || error.name === 'HTTPParserError') return 'malformed-response';
  // An alert after the handshake: with TLS 1.3, a client learns only then that its certificate is refused.
  if (LOST.has(code) || code.startsWith('ERR_SSL_')) return lossKind(facts);
  return 'internal';
}

/** The failure of an attempt that ended with `error`. */
export function failureOfError(error: unknown, facts: SendFacts): Failure {
  const cause = error instanceof Error ? error : new Error(String(error));
  const isLasting = cause instanceof EndpointError && cause.isLasting;
  return failureOf(kindOf(cause, facts), facts.wasSent, cause, isLasting);
}

/** The failure of an attempt whose connection was not made. @param error null where it has no cause */
export function failureOfDial(error: EndpointError | null): Failure {
  return failureOf(error?.kind ?? 'internal', false, error, error?.isLasting);
}
