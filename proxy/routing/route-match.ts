// Comparison of one match with a request. Pure; `explain` uses the same functions as the request path. Thread: both.

import { isIP } from 'node:net';
import type { RequestHead } from '../../core/head.ts';
import { compileCidrs } from '../../core/cidr.ts';
import { cookieValue } from '../../core/cookie.ts';
import { type LinearRegex, linearRegex } from '../../core/linear-regex.ts';
import type { ClientProtocol, NamedMatch, OtherConditions, RouteMatch, ValueMatch } from '../../core/snapshot/route.ts';
import { isPlainPath, pathToMatch } from '../../core/request-path.ts';
import { authorityHost, canonicalIPv6 } from '../../net/host-port.ts';

/** Conditions of a match, in the order in which they are compared. */
export type MatchPart =
  | 'listener'
  | 'host'
  | 'path'
  | 'method'
  | 'header'
  | 'query'
  | 'cookie'
  | 'client'
  | 'protocol'
  | 'not';

/** The facts of a request that matches compare, extracted once. */
export interface RoutingFacts {
  readonly head: RequestHead;
  readonly listenerName: string;
  /** Lower case, without port and trailing dot. */
  readonly host: string;
  /** In normal form (core/request-path.ts), or another reading of it. */
  readonly path: string;
  /** Whether the received path was in normal form, so that it has one reading. */
  readonly isPlain: boolean;
  readonly query: string;
  /** Seen through trusted proxies; '' on a Unix socket. */
  readonly clientAddress: string;
}

/** Extracts the facts from a head. */
export function factsOf(head: RequestHead, listenerName: string, clientAddress: string): RoutingFacts {
  const { target } = head;
  const received = pathOf(target);
  const isPlain = isPlainPath(received);
  return {
    head,
    listenerName,
    host: hostOf(head.authority),
    path: isPlain ? received : pathToMatch(received),
    isPlain,
    query: target.slice(received.length + 1),
    clientAddress,
  };
}

/** The path of a target, without its query. */
export function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}

/** The first condition of `match` that the request fails, or null if it matches. */
export function firstMismatch(match: RouteMatch, facts: RoutingFacts): MatchPart | null {
  if (match.listeners.length > 0 && !match.listeners.includes(facts.listenerName)) return 'listener';
  if (match.hosts.length > 0 && !match.hosts.some((pattern) => matchesHost(pattern, facts.host))) return 'host';
  if (match.paths.length > 0 && !match.paths.some((wanted) => matchesPath(wanted, facts.path))) return 'path';
  return restMismatch(match, facts);
}

function restMismatch(match: RouteMatch, facts: RoutingFacts): MatchPart | null {
  if (match.methods.length > 0 && !match.methods.includes(facts.head.method)) return 'method';
  if (!match.headers.every((wanted) => matchesField(wanted, facts.head))) return 'header';
  if (!match.query.every((wanted) => matchesQuery(wanted, facts.query))) return 'query';
  return match.others === undefined ? null : otherMismatch(match.others, match.hosts, facts);
}

function otherMismatch(others: OtherConditions, hosts: readonly string[], facts: RoutingFacts): MatchPart | null {
  const { cookies, clients, protocols, not } = others;
  if (others.isOneLabel === true && !hosts.some((pattern) => matchesOneLabel(pattern, facts.host))) return 'host';
  if (cookies.length > 0) {
    const field = facts.head.field('cookie');
    if (!cookies.every((wanted) => matchesOptional(wanted.match, cookieValue(field, wanted.name)))) return 'cookie';
  }
  if (clients.length > 0 && !blocksOf(others)(facts.clientAddress)) return 'client';
  if (protocols.length > 0) {
    const spoken = protocolsOf(facts.head);
    if (!protocols.some((protocol) => spoken.includes(protocol))) return 'protocol';
  }
  return not.some((unwanted) => firstMismatch(unwanted, facts) === null) ? 'not' : null;
}

/** Compiled once for each Snapshot, and dropped with it. */
const compiledBlocks = new WeakMap<OtherConditions, (address: string) => boolean>();

function blocksOf(others: OtherConditions): (address: string) => boolean {
  let blocks = compiledBlocks.get(others);
  if (blocks === undefined) compiledBlocks.set(others, (blocks = compileCidrs(others.clients)));
  return blocks;
}

/** The version of HTTP, and what the request runs over it. */
export function protocolsOf(head: RequestHead): readonly ClientProtocol[] {
  const version: ClientProtocol = head.version === '2.0' ? 'http2' : 'http1';
  // application/grpc, application/grpc+proto; not application/grpc-web, which is ordinary HTTP.
  if (/^application\/grpc(?:$|[+; ])/i.test(head.field('content-type') ?? '')) return [version, 'grpc'];
  return /(?:^|[ \t,])websocket(?:$|[ \t,])/i.test(head.field('upgrade') ?? '') ? [version, 'websocket'] : [version];
}

/** Whether the conditions besides host and path match. */
export function matchesRest(match: RouteMatch, facts: RoutingFacts): boolean {
  if (match.listeners.length > 0 && !match.listeners.includes(facts.listenerName)) return false;
  return restMismatch(match, facts) === null;
}

/** Host of an authority for matching: lower case, without port and trailing dot; IPv6 in brackets and canonical form. */
export function hostOf(authority: string): string {
  const host = authorityHost(authority).toLowerCase();
  if (host.startsWith('[') && isIP(host.slice(1, -1)) === 6) return canonicalIPv6(host.slice(1, -1));
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

function matchesHost(pattern: string, host: string): boolean {
  if (pattern.startsWith('*.')) return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1));
  return pattern === host;
}

function matchesOneLabel(pattern: string, host: string): boolean {
  const dot = host.indexOf('.');
  return pattern.startsWith('*.') ? dot > 0 && host.slice(dot) === pattern.slice(1) : pattern === host;
}

/** A prefix matches whole segments: /v1 matches /v1 and /v1/x, not /v10. One that ends in a slash matches paths below it. */
function matchesPath(wanted: ValueMatch, path: string): boolean {
  if (wanted.kind !== 'prefix') return matchesValue(wanted, path);
  if (!path.startsWith(wanted.value)) return false;
  return wanted.value.endsWith('/') || path.length === wanted.value.length || path[wanted.value.length] === '/';
}

function matchesField(wanted: NamedMatch, head: RequestHead): boolean {
  return matchesOptional(wanted.match, head.field(wanted.name));
}

function matchesOptional(match: ValueMatch, value: string | undefined): boolean {
  return value !== undefined && matchesValue(match, value);
}

function matchesQuery(wanted: NamedMatch, query: string): boolean {
  if (query === '') return false;
  const values = new URLSearchParams(query).getAll(wanted.name);
  return values.some((value) => matchesValue(wanted.match, value));
}

function matchesValue(match: ValueMatch, value: string): boolean {
  switch (match.kind) {
    case 'exact':
      return value === match.value;
    case 'prefix':
      return value.startsWith(match.value);
    case 'regex':
      return regexOf(match).test(value);
    default:
      return true;
  }
}

/** Compiled once for each Snapshot, and dropped with it. */
const compiledRegexes = new WeakMap<ValueMatch, LinearRegex>();

function regexOf(match: Extract<ValueMatch, { kind: 'regex' }>): LinearRegex {
  let regex = compiledRegexes.get(match);
  if (regex === undefined) compiledRegexes.set(match, (regex = linearRegex(match.value)));
  return regex;
}
