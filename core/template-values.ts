// The values that templates may have: their names, the places where each is known, and how it is read. Thread: both.

import { cookieValue } from './cookie.ts';
import type { ClientConnection } from './exchange-contract.ts';
import type { RequestHead } from './head.ts';
import type { EndpointSnapshot } from './snapshot/endpoint.ts';

/** Facts of an exchange that values are read from. A PolicyExchange has them. */
export interface TemplateFacts {
  readonly connection: ClientConnection;
  /** Null where it could not be parsed. */
  readonly request: RequestHead | null;
  readonly requestId: string;
  readonly clientAddress: string;
  readonly routeName: string;
  /** '' before an upstream is known, or where the route has none. */
  readonly upstreamName: string;
  readonly endpoint: EndpointSnapshot | null;
}

/** A local reply, or the intercepted response of an endpoint. */
export interface ReplyFacts {
  readonly status: number;
  /** Reason phrase of the status. */
  readonly reason: string;
  /** Cause, such as `no-endpoint`. */
  readonly cause: string;
}

/**
 * Place of a template, ordered by what is known there. `answer`: the route replies without an upstream. `request`: before
 * an endpoint is chosen. `attempt`: an endpoint was chosen, or has responded. `reply`: a page for a local reply.
 */
export type TemplatePlace = 'answer' | 'request' | 'attempt' | 'reply';

/** Read of a value: '' where the exchange has none. */
type ValueReader = (facts: TemplateFacts, reply?: ReplyFacts) => string;

interface ValueRule {
  /** Places where it is known. */
  readonly places: readonly TemplatePlace[];
  readonly read: (argument: string) => ValueReader;
}

const EVERYWHERE: readonly TemplatePlace[] = ['answer', 'request', 'attempt', 'reply'];

function rule(read: ValueReader, places: readonly TemplatePlace[] = EVERYWHERE): ValueRule {
  return { places, read: () => read };
}

const RULES = {
  scheme: rule(schemeOf),
  host: rule(hostOf),
  hostname: rule((facts) => hostOf(facts).replace(/:\d*$/, '')),
  port: rule(portOf),
  method: rule(({ request }) => request?.method ?? ''),
  path: rule(({ request }) => pathOf(request)),
  query: rule(({ request }) => queryOf(request)),
  uri: rule(({ request }) => request?.target ?? ''),
  clientAddress: rule(({ clientAddress }) => clientAddress),
  clientPort: rule(clientPortOf),
  requestId: rule(({ requestId }) => requestId),
  listener: rule(({ connection }) => connection.listenerName),
  route: rule(({ routeName }) => routeName),
  upstream: rule(({ upstreamName }) => upstreamName, ['request', 'attempt', 'reply']),
  endpoint: rule(({ endpoint }) => endpoint?.id ?? '', ['attempt', 'reply']),
  'proxyProtocol.authority': rule(({ connection }) => connection.proxied?.authority ?? ''),
  'proxyProtocol.uniqueId': rule(({ connection }) => connection.proxied?.uniqueId ?? ''),
  'proxyProtocol.alpn': rule(({ connection }) => connection.proxied?.alpn ?? ''),
  'tls.serverName': rule(({ connection }) => connection.serverName),
  'tls.version': rule(({ connection }) => connection.tlsVersion),
  'tls.client.subject': rule(({ connection }) => connection.certificate?.subject ?? ''),
  'tls.client.issuer': rule(({ connection }) => connection.certificate?.issuer ?? ''),
  'tls.client.san': rule(({ connection }) => connection.certificate?.san ?? ''),
  'tls.client.serial': rule(({ connection }) => connection.certificate?.serial ?? ''),
  'tls.client.fingerprint': rule(({ connection }) => connection.certificate?.fingerprint ?? ''),
  'tls.client.certificate': rule(({ connection }) => connection.certificate?.certificate ?? ''),
  status: rule((_, reply) => String(reply?.status ?? ''), ['reply']),
  reason: rule((_, reply) => reply?.reason ?? '', ['reply']),
  cause: rule((_, reply) => reply?.cause ?? '', ['reply']),
  'header.': { places: EVERYWHERE, read: (name) => (facts) => facts.request?.field(name) ?? '' },
  'cookie.': { places: EVERYWHERE, read: (name) => (facts) => cookieValue(facts.request?.field('cookie'), name) ?? '' },
} as const satisfies Readonly<Record<string, ValueRule>>;

/** Names as they are written; those that end in a dot take an argument. */
export type ValueName = keyof typeof RULES;

export const VALUE_NAMES = Object.keys(RULES) as readonly ValueName[];

/** Places where a value is known. */
export function placesOf(name: ValueName): readonly TemplatePlace[] {
  return RULES[name].places;
}

/** @param argument see TemplateValue */
export function valueReader(name: ValueName, argument: string): ValueReader {
  const { read }: ValueRule = RULES[name];
  return read(argument);
}

/** As X-Forwarded-Proto is sent to endpoints: a trusted proxy's own counts. */
function schemeOf({ connection, request }: TemplateFacts): string {
  const given = connection.isTrusted ? request?.field('x-forwarded-proto')?.toLowerCase() : undefined;
  return given === 'http' || given === 'https' ? given : connection.isTls ? 'https' : 'http';
}

const HOST = /^(?:[\w.~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** The Host field, or X-Forwarded-Host of a trusted proxy, with its port where it has one. */
function hostOf({ connection, request }: TemplateFacts): string {
  if (request === null) return '';
  const given = connection.isTrusted ? request.field('x-forwarded-host') : undefined;
  return given !== undefined && HOST.test(given) ? given : request.authority;
}

/** The port that the client connected to. */
function portOf({ connection, request }: TemplateFacts): string {
  const given = connection.isTrusted ? request?.field('x-forwarded-port') : undefined;
  return given !== undefined && /^\d{1,5}$/.test(given) ? given : String(connection.localPort);
}

/** Unknown where a proxy stands between: its own port is not the client's. */
function clientPortOf({ connection, clientAddress }: TemplateFacts): string {
  return connection.peerAddress === clientAddress && connection.peerPort > 0 ? String(connection.peerPort) : '';
}

function pathOf(request: RequestHead | null): string {
  const target = request?.target ?? '';
  const at = target.indexOf('?');
  return at < 0 ? target : target.slice(0, at);
}

function queryOf(request: RequestHead | null): string {
  const target = request?.target ?? '';
  const at = target.indexOf('?');
  return at < 0 ? '' : target.slice(at + 1);
}
