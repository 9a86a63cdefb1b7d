// Matches of routes as text, in the notation of the configuration file. Thread: both.

import type { NamedMatch, RouteMatch, TcpConditions, ValueMatch } from './snapshot/route.ts';

/** The conditions of a match except `not`, on one line; '' where it has none. */
export function matchText({ hosts, paths, methods, headers, query, others }: RouteMatch): string {
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['host', hosts],
    ['subdomains', others?.isOneLabel === true ? ['one'] : []],
    ['path', paths.map(pathText)],
    ['method', methods],
    ['header', headers.map(namedText)],
    ['query', query.map(namedText)],
    ['cookie', others?.cookies.map(namedText) ?? []],
    ['client', others?.clients ?? []],
    ['protocol', others?.protocols ?? []],
  ];
  return parts.flatMap(([name, texts]) => (texts.length === 0 ? [] : `${name} ${texts.join(', ')}`)).join(' and ');
}

/** The conditions of a TCP route, on one line; '' where it has none. */
export function tcpMatchText({ clients, serverNames, alpn }: TcpConditions): string {
  const client = clients.length === 0 ? [] : [`client ${clients.join(', ')}`];
  const name = serverNames.length === 0 ? [] : [`serverName ${serverNames.join(', ')}`];
  const protocol = alpn.length === 0 ? [] : [`alpn ${alpn.join(', ')}`];
  return [...name, ...protocol, ...client].join(' and ');
}

/** A path: text is a prefix. */
export function pathText(match: ValueMatch): string {
  if (match.kind === 'present') return '/';
  return match.kind === 'prefix' ? match.value : `{ ${match.kind}: ${match.value} }`;
}

/** A value: text is the whole value. */
function valueText(match: ValueMatch): string {
  if (match.kind === 'present') return 'true';
  return match.kind === 'exact' ? match.value : `{ ${match.kind}: ${match.value} }`;
}

export function namedText({ name, match }: NamedMatch): string {
  return `${name}: ${valueText(match)}`;
}
