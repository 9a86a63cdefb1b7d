// Schema of `routes`: matches, actions and header edits. Thread: main.

import { isIP } from 'node:net';
import { z } from 'zod';
import { canonicalIPv6 } from '../../net/host-port.ts';
import { decodeToMatch, pathToMatch } from '../../core/request-path.ts';
import type { HostField, ValueMatch } from '../../core/snapshot/route.ts';
import { isHost, isHostName } from '../values/host-name.ts';
import { quoted, type Parsed } from '../values/parsed.ts';
import { routeLimits } from './schema-client.ts';
import { routeRetry } from './schema-retry.ts';
import { routeTimeouts } from './schema-upstreams.ts';
import { policies, policyKeys } from './schema-policies.ts';
import { count, fieldValue, filePath, name, oneOrMany, parsedText, template, token } from './schema-values.ts';

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
  return /^[~^]|\$$|[\\()|]/.test(text) ? '; regular expressions are not supported' : '';
}

/** Refuses wildcards, placeholders and regular expressions of other programs, which would be compared literally. */
function literalPath(text: string): Parsed<string> | null {
  const star = /^(\/[^*?#]*)\*+$/.exec(text)?.[1];
  const refuse = (what: string, suggestion?: string): Parsed<string> => {
    const advice = `write a prefix of whole segments, ${suggestion ?? 'such as /api/'}`;
    return { ok: false, message: `${quoted(text)} ${what}: ${advice}`, suggestion };
  };
  if (star !== undefined) return refuse('has a wildcard, which paths do not support', star);
  if (text.includes('*') && !/[\\^$()[\]|+]|\.\*/.test(text))
    return refuse('has a wildcard, which paths do not support');
  if (/^[~^]|\$$|\.[*+]|\\[.dws/]|\[[^\]]*\]|\(.*\|.*\)|\(\?/.test(text)) {
    return refuse('is a regular expression, which paths do not support');
  }
  if (/\{[^}]*\}|\/:[A-Za-z_]/.test(text)) return refuse('has a placeholder, which paths do not support');
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
const value = z.string().meta({ expects: 'text', example: '"1"' });

/** A mapping with exactly one kind of comparison. */
function comparison<Item extends z.ZodType<string>>(item: Item) {
  const ways = z.strictObject({
    exact: item.optional().describe('Matches this value exactly.'),
    prefix: item.optional().describe('Matches values that begin with this.'),
  });
  return ways
    .transform((given, context): ValueMatch => {
      const { exact, prefix } = given as { exact?: string; prefix?: string };
      if (exact !== undefined && prefix === undefined) return { kind: 'exact', value: exact };
      if (prefix !== undefined && exact === undefined) return { kind: 'prefix', value: prefix };
      const message = 'exactly one of exact and prefix is required';
      context.issues.push({ code: 'custom', message, input: given, params: { code: 'FL3007' } });
      return z.NEVER;
    })
    .meta({ expects: 'a mapping with exact or prefix' });
}

const pathMatch = z
  .union([path.transform((prefix): ValueMatch => ({ kind: 'prefix', value: prefix })), comparison(path)])
  .meta({ expects: 'a path prefix, { exact: path } or { prefix: path }', example: '/v1/' });

const valueMatch = z
  .union([
    z.literal(true).transform((): ValueMatch => ({ kind: 'present' })),
    value.transform((exact): ValueMatch => ({ kind: 'exact', value: exact })),
    comparison(value),
  ])
  .meta({ expects: 'text, { exact: text }, { prefix: text }, or true for "present"', example: '"1"' })
  .describe('Expected value; a text is compared with the whole value.');

const method = token('a method', 'GET')
  .transform((text) => text.toUpperCase())
  .meta({ expects: 'a method', example: 'GET' });

const match = z
  .strictObject({
    host: oneOrMany(parsedText(parseHostPattern, { expects: 'a host', example: 'api.example.com' }))
      .describe('Host or hosts: exact, or `*.` and a domain for its subdomains of any depth.')
      .optional(),
    path: oneOrMany(pathMatch)
      .describe(
        'Path or paths. A text is a prefix of whole segments: `/v1` matches `/v1` and `/v1/x`, not `/v10`; `/v1/` matches only paths below it. `{ exact: /x }` matches only `/x`.',
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
    listener: oneOrMany(name()).describe('Listener or listeners by name; all if absent.').optional(),
  })
  .meta({ expects: 'a mapping such as { host: api.example.com, path: /v1/ }' })
  .describe('Conditions, all of which must match. Without them every request matches.');

const respond = z
  .strictObject({
    status: count(200, 599).default(200).describe('Status of the response.'),
    body: z
      .string()
      .meta({ expects: 'text', example: 'nothing here' })
      .describe('Body of the response; may have values in braces (docs/policies/values.md). Empty if absent.')
      .optional(),
    file: filePath('maintenance.html')
      .describe('File with the body, read when the configuration is loaded.')
      .optional(),
    values: z
      .boolean()
      .describe('Whether values in braces are replaced. `true` for `body`, and `false` for `file`, if absent.')
      .optional(),
    contentType: fieldValue()
      .describe('Content-Type of the response; if absent, that of the name of `file`, or `text/plain; charset=utf-8`.')
      .optional(),
  })
  .meta({ expects: 'a mapping with status and body', example: '{ status: 404, body: nothing here }' })
  .describe('Responds directly, without an endpoint.');

const redirect = z
  .strictObject({
    status: z
      .literal([301, 302, 303, 307, 308])
      .default(308)
      .describe('Status; 308 and 307 keep the method, 308 and 301 are permanent.'),
    to: template('url', { expects: 'a URL or an absolute path', example: '"https://www.example.com{uri}"' }).describe(
      'Value of `Location`; may have values in braces (docs/policies/redirects.md).',
    ),
  })
  .meta({ expects: 'a mapping with to and status', example: '{ to: "https://www.example.com{uri}", status: 301 }' })
  .describe('Responds with a redirect.');

function parseHostField(text: string): Parsed<string> {
  const withoutPort = text.replace(/:\d{1,5}$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isHost(withoutPort)) return { ok: true, value: text };
  const forms = 'write a name with an optional port, { from: client } or { from: endpoint }';
  return { ok: false, message: `${quoted(text)} is not a host: ${forms}` };
}

/** Words that were the only way to name a source before `from`; as a text they shadow hosts of these names. */
export const HOST_WORDS: ReadonlyMap<string, 'client' | 'endpoint'> = new Map([
  ['preserve', 'client'],
  ['endpoint', 'endpoint'],
]);

function hostOrWord(text: string): HostField {
  const kind = HOST_WORDS.get(text);
  return kind === undefined ? { kind: 'fixed', value: text } : { kind };
}

const fixedHost = parsedText(parseHostField, { expects: 'a host name', example: 'app.internal' });

const hostSource = z
  .strictObject({
    from: z.enum(['client', 'endpoint']).describe("The client's Host, or the endpoint's own address.").optional(),
    name: fixedHost.describe('A fixed host, also one that is named `endpoint` or `preserve`.').optional(),
  })
  .transform(({ from, name: fixed }, context): HostField => {
    if (from !== undefined && fixed === undefined) return { kind: from };
    if (fixed !== undefined && from === undefined) return { kind: 'fixed', value: fixed };
    const message = 'exactly one of from and name is required';
    context.issues.push({ code: 'custom', message, input: { from, fixed }, params: { code: 'FL3007' } });
    return z.NEVER;
  })
  .meta({ expects: 'a mapping with from or name' });

const hostField = z
  .union([fixedHost.transform(hostOrWord), hostSource])
  .meta({ expects: 'a host name, { from: client } or { from: endpoint }', example: '{ from: endpoint }' });

/** Keys of a route of which exactly one is required. */
export const ACTIONS = ['upstream', 'respond', 'redirect'] as const;

/** Keys that have no meaning for a route that answers by itself. */
export const NEEDS_UPSTREAM = ['requestHeaders', 'host', 'limits', 'timeouts', 'retry'] as const;

/** Nested routes are resolved before the schema is applied (config/groups/). */
const nestedRoutes: z.ZodType<unknown[]> = z
  .lazy(() => z.array(route))
  .meta({ expects: 'a list of routes', example: '[{ match: { path: /api/ }, upstream: api }]' });

export const route = z
  .strictObject({
    name: name()
      .describe(
        'Name in logs and metrics; `route-1` and so on if absent. Nested routes get the name of their group before it: `site.api`.',
      )
      .optional(),
    match: match.optional(),
    routes: nestedRoutes
      .describe(
        'Makes this route a group: its routes inherit the conditions of `match`, all of which must hold, and every setting that they do not give themselves; `null` switches an inherited setting off. A request that matches none of them goes on to the routes after the group.',
      )
      .optional(),
    upstream: name()
      .describe('Upstream that receives the requests. Exactly one of `upstream`, `respond` and `redirect` is required.')
      .optional(),
    respond: respond.optional(),
    redirect: redirect.optional(),
    ...policyKeys('route'),
    policies,
    host: hostField
      .prefault({ from: 'client' })
      .describe(
        "Host field sent to the endpoint: the client's (`{ from: client }`), the endpoint's own (`{ from: endpoint }`), or a fixed name.",
      ),
    limits: routeLimits.optional(),
    timeouts: routeTimeouts,
    retry: routeRetry,
  })
  .meta({ id: 'route', expects: 'a route with match and upstream', example: '{ match: { path: / }, upstream: app }' });

export const routes = z
  .array(route)
  .min(1)
  .meta({ expects: 'a list of routes', example: '[{ upstream: app }]' })
  .describe('Routes in order. The first matching route handles the request; a request that matches none gets 404.');

export type RouteConfig = z.output<typeof route>;
