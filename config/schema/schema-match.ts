// Schema of `match`: the conditions of routes. Thread: main.

import { isIP } from 'node:net';
import { z } from 'zod';
import { parseLinearRegex } from '../../core/linear-regex.ts';
import { decodeToMatch, pathToMatch } from '../../core/request-path.ts';
import type { ValueMatch } from '../../core/snapshot/route.ts';
import { canonicalIPv6 } from '../../net/host-port.ts';
import { isHost, isHostName } from '../../net/host-name.ts';
import { quoted, type Parsed } from '../values/parsed.ts';
import { cidr, name, oneOrMany, parsedText, token } from './schema-values.ts';

function parseHostPattern(text: string): Parsed<string> {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) === 6) return { ok: true, value: canonicalIPv6(bare) };
  const isWildcard = text.startsWith('*.');
  if (isWildcard ? isHostName(text.slice(2)) : isHost(text)) return { ok: true, value: text.toLowerCase() };
  const forms = 'write api.example.com, or *.example.com for every subdomain';
  const suggestion = hostMeantBy(text);
  const hint = suggestion === undefined ? hintForHost(text) : `; did you mean ${suggestion}?`;
  return { ok: false, message: `${quoted(text)} is not a host pattern: ${forms}${hint}`, suggestion };
}

/** The pattern that a form of another program means: a URL, a leading dot, or a port. */
function hostMeantBy(text: string): string | undefined {
  const bare = text
    .replace(/^https?:\/\//i, '')
    .replace(/\/.*$/, '')
    .replace(/:\d+$/, '')
    .replace(/^\./, '*.');
  const isPattern = bare.startsWith('*.') ? isHostName(bare.slice(2)) : isHost(bare);
  return isPattern && bare !== text ? bare.toLowerCase() : undefined;
}

function hintForHost(text: string): string {
  if (text === '*' || text === '_') return '; remove the key to match every host';
  return /^[~^]|\$$|[\\()|]/.test(text) ? '; hosts have no regular expressions' : '';
}

/** Refuses wildcards, placeholders and regular expressions of other programs, which would be compared literally. */
function literalPath(text: string): Parsed<string> | null {
  const star = /^(\/[^*?#]*)\*+$/.exec(text)?.[1];
  const refuse = (what: string, advice: string, suggestion?: string): Parsed<string> => {
    return { ok: false, message: `${quoted(text)} ${what}: ${advice}`, suggestion };
  };
  const aPrefix = `write a prefix of whole segments, ${star ?? 'such as /api/'}`;
  const aRegex = "{ regex: '^/api/[^/]+$' }";
  if (star !== undefined) return refuse('has a wildcard, which paths do not support', aPrefix, star);
  if (text.includes('*') && !/[\\^$()[\]|+]|\.\*/.test(text)) {
    return refuse('has a wildcard, which paths do not support', `${aPrefix}, or ${aRegex}`);
  }
  if (/^[~^]|\$$|\.[*+]|\\[.dws/]|\[[^\]]*\]|\(.*\|.*\)|\(\?/.test(text)) {
    const source = text.replace(/^~\*?\s*/, '').replaceAll("'", "''");
    return refuse('looks like a regular expression', 'write it as such', `{ regex: '${source}' }`);
  }
  if (/\{[^}]*\}|\/:[A-Za-z_]/.test(text)) {
    return refuse('has a placeholder, which paths do not support', `${aPrefix}, or ${aRegex}`);
  }
  if (text.includes('|/')) {
    const paths = text.split(/\|(?=\/)/).map(quoted);
    return refuse('joins paths with |, which is compared literally', `write a list, [${paths.join(', ')}]`);
  }
  return null;
}

/** Parses a path in the form of a request target: printable US-ASCII without query or fragment (RFC 3986 section 3.3). */
function parsePath(text: string): Parsed<string> {
  const literal = literalPath(text);
  if (literal !== null) return literal;
  if (/^\/[\x21-\x7e]*$/.test(text) && !/[?#]/.test(text)) return inNormalForm(text);
  const rule =
    'begin with /, percent-encode characters outside ASCII, and omit ? and # (match the query with the key query)';
  return { ok: false, message: `${quoted(text)} is not a path: ${rule}` };
}

/** Requests are compared in normal form, and so are routes. Dot and empty segments in a route are mistakes. */
function inNormalForm(text: string): Parsed<string> {
  const value = pathToMatch(text);
  if (value === decodeToMatch(text)) return { ok: true, value };
  const rule = 'requests are compared without dot segments and empty segments';
  return { ok: false, message: `${quoted(text)} never matches: ${rule}; write ${value}`, suggestion: value };
}

const path = parsedText(parsePath, { expects: 'a path', example: '/v1/' });
/** Clients send host names in SNI, and never addresses (RFC 6066 section 3). */
function parseServerName(text: string): Parsed<string> {
  const isWildcard = text.startsWith('*.');
  if (isHostName(isWildcard ? text.slice(2) : text)) return { ok: true, value: text.toLowerCase() };
  const forms = 'write db.example.com, or *.example.com for every subdomain';
  const suggestion = serverNameMeantBy(text);
  const hint = suggestion === undefined ? hintForServerName(text) : `; did you mean ${suggestion}?`;
  return { ok: false, message: `${quoted(text)} is not a server name: ${forms}${hint}`, suggestion };
}

function serverNameMeantBy(text: string): string | undefined {
  const meant = hostMeantBy(text);
  return meant === undefined || isIP(meant) !== 0 ? undefined : meant;
}

function hintForServerName(text: string): string {
  if (isIP(text) !== 0) return '; clients that connect to an address send no server name: remove the key to match them';
  return hintForHost(text).replaceAll('host', 'server name');
}

const value = z.string().meta({ expects: 'text', example: '"1"' });

/** RE2's syntax: matched in time linear in the text. */
const regex = parsedText(parseLinearRegex, { expects: 'a regular expression', example: "'^/users/[0-9]+$'" });

/** A mapping with exactly one kind of comparison. */
function comparison<Item extends z.ZodType<string>>(item: Item) {
  const ways = z.strictObject({
    exact: item.optional().describe('Matches this value exactly.'),
    prefix: item.optional().describe('Matches values that begin with this.'),
    regex: regex
      .optional()
      .describe('Matches values in which this regular expression matches. Anchor it with `^` and `$`.'),
  });
  return ways
    .transform((given, context): ValueMatch => {
      const [entry, ...others] = Object.entries(given as Partial<Record<'exact' | 'prefix' | 'regex', string>>);
      if (entry !== undefined && others.length === 0) {
        return { kind: entry[0] as 'exact' | 'prefix' | 'regex', value: entry[1] };
      }
      const message = 'exactly one of exact, prefix and regex is required';
      context.issues.push({ code: 'custom', message, input: given, params: { code: 'FL3007' } });
      return z.NEVER;
    })
    .meta({ expects: 'a mapping with exact, prefix or regex' });
}

const pathMatch = z
  .union([path.transform((prefix): ValueMatch => ({ kind: 'prefix', value: prefix })), comparison(path)])
  .meta({ expects: 'a path prefix, { exact: path }, { prefix: path } or { regex: expression }', example: '/v1/' });

const valueMatch = z
  .union([
    z.literal(true).transform((): ValueMatch => ({ kind: 'present' })),
    value.transform((exact): ValueMatch => ({ kind: 'exact', value: exact })),
    comparison(value),
  ])
  .meta({
    expects: 'text, { exact: text }, { prefix: text }, { regex: expression }, or true for "present"',
    example: '"1"',
  })
  .describe('Expected value; a text is compared with the whole value.');

const method = token('a method', 'GET')
  .transform((text) => text.toUpperCase())
  .meta({ expects: 'a method', example: 'GET' });

/** Conditions that `match` and `not` share. */
const conditions = {
  host: oneOrMany(parsedText(parseHostPattern, { expects: 'a host', example: 'api.example.com' }))
    .describe('Host or hosts: exact, or `*.` and a domain for its subdomains of any depth.')
    .optional(),
  serverName: oneOrMany(parsedText(parseServerName, { expects: 'a server name', example: 'db.example.com' }))
    .describe(
      'Server name or names that clients request in their TLS handshake (SNI), for listeners with `mode: tcp`: exact, or `*.` and a domain for its subdomains of any depth. A route without it takes clients without a name, too.',
    )
    .optional(),
  alpn: oneOrMany(
    z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/)
      .meta({ expects: 'the name of a protocol', example: 'h2' }),
  )
    .describe(
      'Protocol or protocols of ALPN such as `h2`, for listeners with `mode: tcp`: one of them is offered by the client, or agreed on where the listener terminates TLS. A route without it takes all clients.',
    )
    .optional(),
  path: oneOrMany(pathMatch)
    .describe(
      'Path or paths. A text is a prefix of whole segments: `/v1` matches `/v1` and `/v1/x`, not `/v10`; `/v1/` matches only paths below it. `{ exact: /x }` matches only `/x`. Regular expressions have the syntax of RE2.',
    )
    .optional(),
  method: oneOrMany(method).describe('Method or methods.').optional(),
  header: z
    .record(token('the name of a header field', 'x-version'), valueMatch)
    .meta({ expects: 'a mapping of names to values such as { x-version: "2" }' })
    .describe('Header fields by name; all must match. `true` matches any value.')
    .optional(),
  query: z
    .record(z.string(), valueMatch)
    .meta({ expects: 'a mapping of names to values such as { debug: "1" }' })
    .describe('Query parameters by name; all must match. `true` matches any value.')
    .optional(),
  cookie: z
    .record(token('the name of a cookie', 'beta'), valueMatch)
    .meta({ expects: 'a mapping of names to values such as { beta: "1" }' })
    .describe('Cookies by name; all must match. `true` matches any value.')
    .optional(),
  client: oneOrMany(cidr())
    .describe("Addresses of clients; those of `trustedProxies` are replaced by their clients'.")
    .optional(),
  protocol: oneOrMany(
    z
      .enum(['http1', 'http2', 'grpc', 'websocket'])
      .meta({ expects: 'http1, http2, grpc or websocket', example: 'grpc' }),
  )
    .describe(
      'Protocol or protocols: the HTTP version of the client, gRPC (content type `application/grpc`), or WebSocket (`Upgrade: websocket`).',
    )
    .optional(),
};

const unwanted = z
  .strictObject(conditions)
  .refine((given) => Object.values(given).some((part) => part !== undefined), {
    error: 'a condition is required: without one, no request would match',
    params: { code: 'FL3008' },
  })
  .meta({ expects: 'a mapping such as { path: /public/ }', example: '{ path: /public/ }' });

export const match = z
  .strictObject({
    ...conditions,
    subdomains: z
      .enum(['any', 'one'])
      .meta({ expects: 'any or one', example: 'one' })
      .describe('Labels that `*.` in `host` of this match stands for: any number, the default, or exactly one.')
      .optional(),
    listener: oneOrMany(name()).describe('Listener or listeners by name; all if absent.').optional(),
    not: oneOrMany(unwanted)
      .describe(
        'Conditions, or a list of them, under which the route does not match: requests for which all parts of one of them hold.',
      )
      .optional(),
  })
  .meta({ expects: 'a mapping such as { host: api.example.com, path: /v1/ }' })
  .describe('Conditions, all of which must match. Without them every request matches.');
