// Values of log fields: names such as `status` or `header.x-tenant`, and how they are read from the record of an exchange.
// Thread: both.

import type { ExchangeRecord } from '../../core/exchange-record.ts';
import { type ParsedOption, quoted } from '../../core/option-schema.ts';
import { TERMINATIONS } from '../../core/termination.ts';
import { parseTraceparent, traceIdOf } from '../../core/trace-context.ts';
import { isoTime } from './log-time.ts';

/** Null where the exchange has no such value. */
export type LogValue = string | number | boolean | null;
type Reader = (record: ExchangeRecord) => LogValue;

/** The value of a field of the log. */
export interface LogSource {
  readonly name: string;
  /** Lower-case name of a header field, or name of a cookie; '' for other values. */
  readonly argument: string;
}

/** Milliseconds with three decimals; -1 for a phase that was not reached. */
function ms(value: number): number {
  return value >= 0 ? Math.round(value * 1000) / 1000 : -1;
}

/** In the order in which the documentation lists them. */
const PLAIN: Readonly<Record<string, Reader>> = {
  time: ({ beganWallMs }) => isoTime(beganWallMs),
  requestId: ({ requestId }) => requestId,
  client: ({ clientAddress }) => clientAddress,
  peer: ({ connection }) => connection.peerAddress,
  peerPort: ({ connection }) => connection.peerPort,
  listener: ({ connection }) => connection.listenerName,
  tls: ({ connection }) => connection.isTls,
  serverName: ({ connection }) => connection.serverName || null,
  alpn: ({ connection }) => connection.alpn || null,
  'proxyProtocol.authority': ({ connection }) => connection.proxied?.authority || null,
  'proxyProtocol.uniqueId': ({ connection }) => connection.proxied?.uniqueId || null,
  'proxyProtocol.alpn': ({ connection }) => connection.proxied?.alpn || null,
  scheme: ({ connection }) => (connection.isTls ? 'https' : 'http'),
  method: ({ head }) => head?.method ?? null,
  host: ({ head }) => head?.authority ?? null,
  target: ({ head }) => head?.target ?? null,
  path: ({ head }) => head?.target.replace(/\?.*$/s, '') ?? null,
  query: ({ head }) => head?.target.replace(/^[^?]*\??/s, '') ?? null,
  version: ({ head }) => head?.version ?? null,
  protocol: ({ head, isSession }) => {
    if (head === null) return isSession === true ? 'tcp' : null;
    return head.version === '2.0' ? 'http2' : 'http1';
  },
  endpointProtocol: ({ endpointProtocol }) => endpointProtocol,
  status: ({ status }) => status,
  bytesReceived: ({ bytesReceived }) => bytesReceived,
  bytesSent: ({ bytesSent }) => bytesSent,
  route: ({ routeName }) => routeName || null,
  upstream: ({ upstream }) => upstream?.name ?? null,
  endpoint: ({ endpoint }) => endpoint?.id ?? null,
  termination: ({ termination }) => termination,
  letters: ({ termination }) => TERMINATIONS[termination].letters,
  requestMs: ({ phases }) => ms(phases.requestMs),
  queueMs: ({ phases }) => ms(phases.queueMs),
  connectMs: ({ phases }) => ms(phases.connectMs),
  responseMs: ({ phases }) => ms(phases.responseMs),
  totalMs: ({ phases }) => ms(phases.totalMs),
  attempts: ({ attempts }) => attempts,
  redispatched: ({ wasRedispatched }) => wasRedispatched,
  retry: ({ retryVerdict }) => retryVerdict,
  failure: ({ failureKind }) => failureKind,
  failureReason: ({ failureReason }) => failureReason ?? null,
  upgraded: ({ wasUpgraded }) => wasUpgraded,
  userAgent: ({ head }) => head?.field('user-agent') ?? null,
  referer: ({ head }) => head?.field('referer') ?? null,
  traceparent: traceparentOf,
  traceId: (record) => {
    const value = traceparentOf(record);
    return value === null ? null : traceIdOf(value);
  },
  spanId: (record) => {
    const value = traceparentOf(record);
    return value === null ? null : (parseTraceparent(value)?.parentId ?? null);
  },
};

/** Values that take a name after a dot. */
const NAMED: Readonly<Record<string, (argument: string) => Reader>> = {
  header:
    (name) =>
    ({ head }) =>
      head?.field(name) ?? null,
  cookie:
    (name) =>
    ({ head }) =>
      cookieIn(head?.field('cookie'), name, /;\s*/),
  responseHeader: (name) => (record) => loggedFieldsOf(record)[name] ?? null,
  responseCookie: (name) => (record) => cookieIn(loggedFieldsOf(record)['set-cookie'], name, /,\s*(?=[^;,\s]+=)|;\s*/),
};

/** The `traceparent` of the request: of the policy that makes or validates it, else a valid one of the client. */
function traceparentOf(record: ExchangeRecord): string | null {
  const sent = record.policyMemo?.('tracing') ?? record.policyMemo?.('trace-context');
  if (typeof sent === 'string') return sent;
  const received = record.head?.field('traceparent');
  return received !== undefined && traceIdOf(received) !== null ? received : null;
}

/** Response fields that the policy `access-log` has kept. */
function loggedFieldsOf(record: ExchangeRecord): Readonly<Record<string, string | undefined>> {
  return (record.policyMemo?.('access-log') ?? {}) as Readonly<Record<string, string | undefined>>;
}

/** The first value of a cookie in a field; null where there is none of the name. */
function cookieIn(field: string | undefined, name: string, separator: RegExp): string | null {
  const pair = field?.split(separator).find((one) => one.startsWith(`${name}=`));
  return pair === undefined ? null : pair.slice(name.length + 1);
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Parses `status`, `header.x-tenant` and the like. */
export function parseLogSource(text: string): ParsedOption<LogSource> {
  if (Object.hasOwn(PLAIN, text)) return { ok: true, value: { name: text, argument: '' } };
  const dot = text.indexOf('.');
  const name = text.slice(0, Math.max(0, dot));
  const argument = text.slice(dot + 1);
  if (Object.hasOwn(NAMED, name) && TOKEN.test(argument)) {
    return { ok: true, value: { name, argument: name.endsWith('eader') ? argument.toLowerCase() : argument } };
  }
  const near = Object.keys(PLAIN).find((one) => one.toLowerCase() === text.toLowerCase());
  const refused = `${quoted(text)} is not a value of an exchange`;
  if (near !== undefined) return { ok: false, message: `${refused}; did you mean ${near}?`, suggestion: near };
  const named = Object.keys(NAMED).map((one) => `${one}.NAME`);
  return { ok: false, message: `${refused}; allowed: ${[...Object.keys(PLAIN), ...named].join(', ')}` };
}

/** Builds the reader of a value, once per worker and revision. */
export function logReader({ name, argument }: LogSource): Reader {
  return argument === '' ? PLAIN[name]! : NAMED[name]!(argument);
}

/** The field of the request or response that a value comes from, in lower case; null for other values. */
export function fieldBehind({ name, argument }: LogSource): string | null {
  if (name === 'header' || name === 'responseHeader') return argument;
  return name === 'userAgent' ? 'user-agent' : name === 'referer' ? 'referer' : null;
}

/** The response field that must be kept for a value; null for other values. */
export function capturedFor({ name, argument }: LogSource): string | null {
  if (name === 'responseHeader') return argument;
  return name === 'responseCookie' ? 'set-cookie' : null;
}
