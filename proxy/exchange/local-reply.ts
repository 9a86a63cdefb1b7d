// Local replies: every response that Fairlead generates. Only this file chooses a status. Thread: both.

import { STATUS_CODES } from 'node:http';
import type { LocalReply, Unparsable } from '../../core/exchange-contract.ts';
import type { Failure, FailureKind } from '../../core/failure.ts';
import type { FieldList, RequestHead } from '../../core/head.ts';
import type { PolicyReply } from '../../core/policy/policy.ts';
import type { Termination } from '../../core/termination.ts';

/** One cause: its status, its code in bodies and logs, its message, and the termination of the exchange. */
interface ReplyCause {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly termination: Termination;
  readonly mustClose: boolean;
  /** Seconds for Retry-After; 0 sends none. */
  readonly retryAfterS: number;
  /** Number of different Retry-After values, from `retryAfterS` on, so that clients don't return at once. */
  readonly spreadS: number;
  /** Further fields. */
  readonly fields: FieldList;
}

function cause(
  status: number,
  code: string,
  message: string,
  termination: Termination,
  more: Partial<Pick<ReplyCause, 'mustClose' | 'retryAfterS' | 'spreadS' | 'fields'>> = {},
): ReplyCause {
  return { status, code, message, termination, mustClose: false, retryAfterS: 0, spreadS: 1, fields: [], ...more };
}

const CLOSES = { mustClose: true };
const SOON = { retryAfterS: 1 };

/** Causes: 4xx are the client's, 5xx the endpoint's or Fairlead's. */
export const REPLY_CAUSES = {
  malformed: cause(400, 'malformed-request', 'The request is not valid HTTP.', 'badRequest', CLOSES),
  'malformed-body': cause(
    400,
    'malformed-body',
    "The request's body is not framed as announced.",
    'badRequest',
    CLOSES,
  ),
  'ambiguous-path': cause(
    400,
    'ambiguous-path',
    'The path can be read in several ways, which lead to different routes.',
    'badRequest',
  ),
  unauthenticated: cause(401, 'unauthenticated', 'This needs a valid user name and password.', 'policyRefused'),
  'auth-busy': cause(503, 'auth-busy', 'Too many sign-ins at once: please try again.', 'policyRefused', SOON),
  'auth-unavailable': cause(503, 'auth-unavailable', 'Access cannot be verified now.', 'policyFailed', SOON),
  'address-denied': cause(403, 'address-denied', 'Your address may not use this service.', 'policyRefused'),
  'no-route': cause(404, 'no-route', 'No route takes this request.', 'noRoute'),
  'file-missing': cause(404, 'file-missing', 'There is no such file.', 'localReply'),
  'file-forbidden': cause(403, 'file-forbidden', 'This file is not served.', 'localReply'),
  'file-failed': cause(500, 'file-failed', 'The file cannot be read.', 'internal'),
  'files-busy': cause(503, 'files-busy', 'Too many files are being sent.', 'localReply', SOON),
  'method-not-allowed': cause(405, 'method-not-allowed', 'Files are read with GET and HEAD.', 'localReply', {
    fields: ['Allow', 'GET, HEAD'],
  }),
  'head-timeout': cause(408, 'head-timeout', 'The request took too long to arrive.', 'clientTimeoutRequest', CLOSES),
  'body-timeout': cause(408, 'body-timeout', "The request's body stalled.", 'clientTimeoutRequest', CLOSES),
  'body-too-large': cause(413, 'body-too-large', "The request's body is over the limit.", 'badRequest', CLOSES),
  'target-too-long': cause(414, 'target-too-long', "The request's target is over the limit.", 'badRequest', CLOSES),
  'expectation-unknown': cause(417, 'expectation-unknown', 'This expectation is not known here.', 'badRequest', CLOSES),
  'expectation-refused': cause(
    417,
    'expectation-refused',
    'Expectations are not met here: send the body at once.',
    'badRequest',
    CLOSES,
  ),
  'coding-unknown': cause(501, 'coding-unknown', 'This transfer coding is not supported.', 'badRequest', CLOSES),
  'head-too-large': cause(431, 'head-too-large', "The request's head is over the limit.", 'badRequest', CLOSES),
  'too-many-fields': cause(431, 'too-many-fields', 'The request has too many header fields.', 'badRequest', CLOSES),
  'no-host': cause(400, 'no-host', 'The request names no host.', 'badRequest'),
  'rate-limited': cause(429, 'rate-limited', 'Too many requests: please slow down.', 'policyRefused'),
  'client-busy': cause(429, 'client-busy', 'Too many requests of one client at once.', 'policyRefused', SOON),
  internal: cause(500, 'internal', 'The balancer failed on this request.', 'internal', CLOSES),
  'policy-failed': cause(500, 'policy-failed', 'A policy failed on this request.', 'policyFailed'),
  'method-not-served': cause(
    501,
    'method-not-served',
    'This method is not served: a reverse proxy opens no tunnels (CONNECT).',
    'badRequest',
    CLOSES,
  ),
  'unsendable-request': cause(400, 'unsendable-request', 'The request cannot be passed on.', 'badRequest', CLOSES),
  'upgrade-unsupported': cause(
    501,
    'upgrade-unsupported',
    'The endpoint accepts no connection upgrade.',
    'badRequest',
    CLOSES,
  ),
  'endpoint-gone': cause(502, 'endpoint-gone', 'The endpoint closed before it answered.', 'endpointGoneHead'),
  'connect-failed': cause(502, 'connect-failed', 'No endpoint could be reached.', 'connectFailed'),
  'malformed-response': cause(502, 'malformed-response', 'The endpoint sent an invalid response.', 'badResponse'),
  'response-too-large': cause(502, 'response-too-large', 'The response is over the limit.', 'badResponse'),
  'no-endpoint': cause(503, 'no-endpoint', 'No endpoint is available.', 'noEndpoint', SOON),
  maintenance: cause(503, 'maintenance', 'Down for maintenance: please come back later.', 'policyRefused'),
  shed: cause(503, 'shed', 'Overloaded: please try again in a moment.', 'shed', { retryAfterS: 1, spreadS: 3 }),
  'queue-full': cause(503, 'queue-full', 'Too many requests are waiting.', 'queueFull', SOON),
  'queue-timeout': cause(503, 'queue-timeout', 'No endpoint became available in time.', 'queueTimeout', SOON),
  'connect-timeout': cause(504, 'connect-timeout', 'Connecting to the endpoint took too long.', 'connectTimeout'),
  'deadline-passed': cause(504, 'deadline-passed', 'The deadline of the call has passed.', 'responseTimeout'),
  'response-timeout': cause(504, 'response-timeout', 'The endpoint did not answer in time.', 'responseTimeout'),
  'version-not-supported': cause(
    505,
    'version-not-supported',
    'This HTTP version is not served.',
    'badRequest',
    CLOSES,
  ),
} as const satisfies Record<string, ReplyCause>;
export type ReplyCauseName = keyof typeof REPLY_CAUSES;

/** Reason phrases that node:http names differently (RFC 9110 section 15). */
const REASONS: Readonly<Record<number, string>> = {
  413: 'Content Too Large',
};

/** Reason phrase of a status; '' where it has none. */
export function reasonOf(status: number): string {
  return REASONS[status] ?? STATUS_CODES[status] ?? '';
}

/** The reply for a cause, in JSON or text depending on Accept. `head` is null if it could not be parsed. */
export function localReply(name: ReplyCauseName, head: RequestHead | null, requestId: string): LocalReply {
  const { status, code, message, mustClose, retryAfterS, spreadS, fields: more } = REPLY_CAUSES[name];
  const isJson = prefersJson(head?.field('accept'));
  const body = isJson
    ? `${JSON.stringify({ error: { status, code, message, requestId } })}\n`
    : `${status} ${STATUS_CODES[status]}\n${message}\nCode: ${code}\nRequest: ${requestId}\n`;
  const fields = [
    'Content-Type',
    isJson ? 'application/json' : 'text/plain; charset=utf-8',
    'Cache-Control',
    'no-store',
  ];
  fields.push(...more, 'X-Request-Id', requestId);
  if (retryAfterS > 0) fields.push('Retry-After', String(retryAfterS + spreadOf(requestId, spreadS)));
  return { status, reason: reasonOf(status), fields, body: Buffer.from(body), mustClose };
}

/** A pseudo-random number below `count`: request ids differ in their last characters. */
function spreadOf(requestId: string, count: number): number {
  return (requestId.charCodeAt(requestId.length - 1) || 0) % count;
}

/** The reply that a route configures: `respond`, or `redirect` with a Location field. */
export function configuredReply(status: number, fields: FieldList, body: Uint8Array): LocalReply {
  return { status, reason: reasonOf(status), fields, body, mustClose: false };
}

/** A reply that a policy returns. */
export function policyReply({ status, fields = [], body = '', mustClose = false }: PolicyReply): LocalReply {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { status, reason: reasonOf(status), fields, body: bytes, mustClose };
}

/** The reply to a request that never became an exchange. */
export function unparsableReply(why: Unparsable, requestId: string): LocalReply {
  return { ...localReply(why, null, requestId), mustClose: true };
}

/** Whether the client accepts JSON and lists neither HTML nor text before it. */
function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const json = accept.search(/application\/(?:[\w.+-]*\+)?json/i);
  if (json < 0) return false;
  const text = accept.search(/text\/(?:html|plain|\*)/i);
  return text < 0 || json < text;
}

const REPLY_OF_FAILURE: Readonly<Record<FailureKind, ReplyCauseName>> = {
  'connect-refused': 'connect-failed',
  'connect-timeout': 'connect-timeout',
  'connect-failed': 'connect-failed',
  'tls-failed': 'connect-failed',
  'stale-connection': 'endpoint-gone',
  'refused-stream': 'endpoint-gone',
  reset: 'endpoint-gone',
  'response-timeout': 'response-timeout',
  'try-timeout': 'response-timeout',
  'idle-timeout': 'response-timeout',
  'malformed-response': 'malformed-response',
  'head-too-large': 'malformed-response',
  truncated: 'endpoint-gone',
  'unsendable-request': 'unsendable-request',
  'upgrade-unsupported': 'upgrade-unsupported',
  cancelled: 'internal',
  internal: 'internal',
};

/** The reply for a failed attempt that no other follows. */
export function replyOfFailure(failure: Failure): ReplyCauseName {
  return REPLY_OF_FAILURE[failure.kind];
}

const CUT_TERMINATIONS: Readonly<Partial<Record<FailureKind, Termination>>> = {
  'idle-timeout': 'endpointTimeoutData',
  'malformed-response': 'badResponseData',
  cancelled: 'clientTimeoutRequest',
};

/** The termination of an exchange whose response was cut. */
export function terminationOfCut(failure: Failure): Termination {
  return CUT_TERMINATIONS[failure.kind] ?? 'endpointGoneData';
}
