// Policy: changes the path and query that endpoints get, and maps their references back to what the client called them.
// A scanned head stays in byte ranges: only its first line is built again. Thread: both.

import type { FieldList } from '../../core/head.ts';
import { groupsOf, parseLinearRegex, type Replacement } from '../../core/linear-regex.ts';
import { type OptionSchemas, type OptionsOf, type ParsedOption, quoted } from '../../core/option-schema.ts';
import type { Policy, PolicyAnswer, PolicyExchange } from '../../core/policy/policy.ts';
import type { CompileContext } from '../../core/policy/policy-definition.ts';
import { decodeToMatch, pathToMatch } from '../../core/request-path.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import { valueReader } from '../../core/template-values.ts';
import { builtIn } from './built-in.ts';
import { type CookieMap, mapCookie, mapReference, mapRefresh, type ReferenceMap } from './mapped-references.ts';
import { type TargetRewrite, TargetRewriter } from './target-rewriting.ts';

const NAME = 'rewrite';
const PREFIX_FIELD = 'X-Forwarded-Prefix';
const NONE_WORD = 'none';

/** Data of the policy in a Snapshot. */
export interface RewriteData {
  readonly rewrite: TargetRewrite;
  /** Hosts besides the endpoint's address whose URLs are mapped; null where references stay. */
  readonly location: readonly string[] | null;
  readonly cookies: { readonly path: boolean; readonly domains: readonly (readonly [string, string])[] } | null;
}

/** The part of an exchange that only built-in policies use. */
interface RewrittenExchange extends PolicyExchange {
  /** Path and query to send in place of the client's so far. */
  readonly target: string | null;
  replaceResponseLines(name: string, values: readonly string[]): void;
}

export const rewrite = builtIn({
  name: NAME,
  scope: 'route',
  stage: 'shape',
  needs: ['change-target', 'reply'],
  options: (schemas) => ({ rewrite: rewriteOptions(schemas).optional() }),
  compile: ({ rewrite: options }, context): RewriteData | null => {
    if (options === undefined) return null;
    checkCombination(options, context);
    return compileRewrite(options, context);
  },
  create: (data) => new Rewriting(data),
  explain: (data, { request }) => {
    const rewritten = new TargetRewriter(data.rewrite).rewrite(request.target);
    return rewritten === null ? 'refuses the path, which may lead out of addPrefix' : `sends ${rewritten.target}`;
  },
});

/** Effect of a route's rewrite on a request, for display. */
export interface DisplayedRewrite {
  /** Null where the path is refused. */
  readonly target: string | null;
  /** Fields that it sends. */
  readonly fields: FieldList;
}

/** @param target path and query that the route gets */
export function rewriteOf(
  { policies }: { readonly policies: readonly PolicySnapshot[] },
  target: string,
  client: Pick<PolicyExchange, 'connection' | 'request'>,
): DisplayedRewrite {
  const data = policies.find(({ name }) => name === NAME)?.data as RewriteData | undefined;
  if (data === undefined) return { target, fields: [] };
  const rewritten = new TargetRewriter(data.rewrite).rewrite(target);
  const isStripped = rewritten?.isStripped ?? false;
  const fields = isStripped ? [PREFIX_FIELD, prefixOf(client, data.rewrite.stripPrefix)] : [];
  return { target: rewritten?.target ?? null, fields };
}

class Rewriting implements Policy {
  readonly onResponse?: (exchange: PolicyExchange) => undefined;
  readonly #rewriter: TargetRewriter;
  readonly #prefix: string;
  readonly #hosts: readonly string[] | null;
  readonly #cookies: CookieMap | null;

  constructor({ rewrite: data, location, cookies }: RewriteData) {
    this.#rewriter = new TargetRewriter(data);
    this.#prefix = data.stripPrefix;
    this.#hosts = location;
    const restorePath = (path: string): string => this.#rewriter.restore(path);
    this.#cookies = cookies && { restorePath: cookies.path ? restorePath : null, domains: new Map(cookies.domains) };
    if (location !== null || cookies !== null) {
      this.onResponse = (exchange) => this.#mapResponse(exchange as RewrittenExchange);
    }
  }

  onRequest(exchange: PolicyExchange): PolicyAnswer {
    const { target } = exchange as RewrittenExchange;
    const given = target ?? exchange.request.target;
    const rewritten = this.#rewriter.rewrite(given);
    if (rewritten === null) return { cause: 'ambiguous-path' };
    if (rewritten.target !== given) exchange.setTarget(rewritten.target);
    if (rewritten.isStripped) exchange.setRequestField(PREFIX_FIELD, prefixOf(exchange, this.#prefix));
    return undefined;
  }

  #mapResponse(exchange: RewrittenExchange): undefined {
    if (this.#hosts !== null) this.#mapReferences(exchange, this.#hosts);
    const cookies = this.#cookies;
    if (cookies !== null) mapLines(exchange, 'Set-Cookie', (line) => mapCookie(line, cookies));
  }

  #mapReferences(exchange: RewrittenExchange, hosts: readonly string[]): void {
    const { response } = exchange;
    if (!REFERENCE_FIELDS.some((name) => response?.field(name.toLowerCase()) !== undefined)) return;
    const map = this.#referenceMap(exchange, hosts);
    for (const name of REFERENCE_FIELDS) {
      const mapped = name === 'Refresh' ? mapRefresh : mapReference;
      mapLines(exchange, name, (line) => mapped(line, map));
    }
  }

  #referenceMap(exchange: RewrittenExchange, hosts: readonly string[]): ReferenceMap {
    const { endpoint } = exchange;
    return {
      ownHosts: endpoint === null || endpoint.socketPath !== '' ? hosts : [endpoint.id.toLowerCase(), ...hosts],
      scheme: readScheme(exchange),
      authority: readHost(exchange),
      restorePath: (path) => this.#rewriter.restore(path),
    };
  }
}

const REFERENCE_FIELDS = ['Location', 'Content-Location', 'Refresh'] as const;
const readScheme = valueReader('scheme', '');
const readHost = valueReader('host', '');

/** Maps the endpoint's lines of a name, where any changes; those of other policies stay. */
function mapLines(exchange: RewrittenExchange, name: string, map: (line: string) => string): void {
  const fields = exchange.response?.endToEndFields() ?? [];
  const lines: string[] = [];
  let hasChanged = false;
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at]!.toLowerCase() !== name.toLowerCase()) continue;
    const mapped = map(fields[at + 1]!);
    hasChanged ||= mapped !== fields[at + 1];
    lines.push(mapped);
  }
  if (hasChanged) exchange.replaceResponseLines(name, lines);
}

/** A trusted proxy's own prefix comes first: it removed it before. */
function prefixOf({ connection, request }: Pick<PolicyExchange, 'connection' | 'request'>, prefix: string): string {
  const outer = connection.isTrusted ? request.field('x-forwarded-prefix') : undefined;
  return outer !== undefined && /^\/[^\s,]*$/.test(outer) ? outer.replace(/\/$/, '') + prefix : prefix;
}

// ---- options

const DOMAIN_META = { expects: 'a domain, or none', example: 'example.com' };
const META = { expects: 'a mapping such as { stripPrefix: /api }', example: '{ stripPrefix: /api }' };

/** A replacement in a path. @param subject that the expression is compared with */
export function regexOption({ z, text }: OptionSchemas, subject: string) {
  return z
    .strictObject({
      match: text(parseLinearRegex, { expects: 'a regular expression', example: "'^/users/([0-9]+)$'" }).describe(
        `Regular expression (RE2 syntax), compared with ${subject}.`,
      ),
      replace: text(parseReplacement, { expects: 'a text', example: '/people/$1' }).describe(
        'Text in place of the first match. `$1` to `$9` are groups, `$0` is the match, `$$` a dollar sign.',
      ),
    })
    .meta({ expects: 'a mapping with match and replace', example: "{ match: '^/old', replace: /new }" });
}

/** Reports a group that the expression doesn't have. @param path of the replacement */
export function checkGroups(
  { match, replace }: { readonly match: string; readonly replace: Replacement },
  path: readonly string[],
  report: CompileContext['report'],
): void {
  const groups = groupsOf(match);
  const most = Math.max(0, ...replace.filter((part) => typeof part === 'number'));
  if (!groups.ok || most <= groups.value) return;
  const message = `$${most} is not a group of the expression, which has ${groups.value}`;
  report({ code: 'FL3008', message, path, mark: `$${most}` });
}

function rewriteOptions(schemas: OptionSchemas) {
  const { z, text, host } = schemas;
  const path = (example: string) => text(parsePath, { expects: 'a path', example });
  return z
    .strictObject({
      stripPrefix: path('/api')
        .describe('Removes this prefix of whole segments from the path, and sends it as `X-Forwarded-Prefix`.')
        .optional(),
      addPrefix: path('/v2').describe('Puts this prefix before the path.').optional(),
      path: path('/index.html').describe('Replaces the whole path.').optional(),
      regex: regexOption(schemas, 'the path after `stripPrefix`').describe('Replaces a part of the path.').optional(),
      query: queryOptions(schemas).optional(),
      location: z
        .union([z.boolean().transform((isOn) => (isOn ? [] : null)), z.array(host())])
        .meta({ expects: 'true, false, or a list of hosts', example: '[app.internal]' })
        .prefault(false)
        .describe(
          'Maps `Location`, `Content-Location` and `Refresh` of responses back: URLs of the endpoint, and of these further hosts, get the scheme and host of the client, and paths the prefix that was removed.',
        ),
      cookiePath: z.boolean().default(false).describe('Maps `Path` of cookies back.'),
      cookieDomain: z
        .record(z.string(), z.string().meta(DOMAIN_META).describe('Domain in its place, or `none`.'))
        .meta({ expects: 'a mapping of domains to domains such as { app.internal: example.com }' })
        .describe('Replaces `Domain` of cookies; `none` removes it, so that the cookie belongs to the host alone.')
        .optional(),
    })
    .meta(META)
    .describe('Changes the path and query that endpoints get.');
}

function queryOptions({ z }: OptionSchemas) {
  return z
    .strictObject({
      set: z
        .record(z.string(), z.string().meta({ expects: 'text', example: 'web' }).describe('Value of the parameter.'))
        .meta({ expects: 'a mapping of names to values such as { source: web }' })
        .describe('Parameters to set, in place of those of the same name.')
        .optional(),
      remove: z
        .array(z.string())
        .meta({ expects: 'a list of names such as [debug]' })
        .describe('Names of parameters to remove.')
        .optional(),
    })
    .meta({ expects: 'a mapping with set and remove', example: '{ set: { source: web }, remove: [debug] }' })
    .describe('Edits of the query.');
}

type RewriteOptions = OptionsOf<{ readonly rewrite: ReturnType<typeof rewriteOptions> }>['rewrite'];

function parsePath(text: string): ParsedOption<string> {
  if (!/^\/[\x21-\x7e]*$/.test(text) || /[?#{}]/.test(text)) {
    const rule = 'begin with /, percent-encode characters outside ASCII, and omit ?, # and braces';
    return { ok: false, message: `${quoted(text)} is not a path: ${rule}` };
  }
  const value = pathToMatch(text);
  if (value === decodeToMatch(text)) return { ok: true, value };
  return {
    ok: false,
    message: `${quoted(text)} has dot segments or empty segments: write ${value}`,
    suggestion: value,
  };
}

function parseReplacement(text: string): ParsedOption<Replacement> {
  if (!/^[\x21-\x7e]*$/.test(text) || /[?#]/.test(text)) {
    const rule =
      'percent-encode blanks and characters outside ASCII, and omit ? and # (edit the query with the key query)';
    return { ok: false, message: `${quoted(text)} is not a part of a path: ${rule}` };
  }
  const stray = /\$(?![0-9$])/.exec(text.replaceAll('$$', ''));
  if (stray !== null)
    return { ok: false, message: `${quoted(text)} has a $ without a group: write $1, or $$ for a dollar sign` };
  const parts = text.split(/(\$[0-9$])/).filter((part) => part !== '');
  const value = parts.map((part) => (part === '$$' ? '$' : /^\$\d$/.test(part) ? Number(part[1]) : part));
  return { ok: true, value };
}

function checkCombination(options: RewriteOptions, { report }: CompileContext): void {
  const { stripPrefix, addPrefix, path, regex, cookiePath } = options;
  for (const [key, value] of Object.entries({ stripPrefix, addPrefix, regex })) {
    if (path === undefined || value === undefined) continue;
    const message = `"${key}" has no effect beside "path", which replaces the whole path: keep one of them`;
    report({ code: 'FL3007', message, path: [NAME, key], part: 'key' });
  }
  for (const [key, value] of Object.entries({ stripPrefix, addPrefix })) {
    if (value !== '/') continue;
    report({ code: 'FL3008', message: `"${key}" is the whole path: write a prefix such as /api`, path: [NAME, key] });
  }
  if (cookiePath && stripPrefix === undefined && addPrefix === undefined) {
    const message = '"cookiePath" needs "stripPrefix" or "addPrefix": other rewrites have no inverse';
    report({ code: 'FL3007', message, path: [NAME, 'cookiePath'], part: 'key' });
  }
  if (regex !== undefined) checkGroups(regex, [NAME, 'regex', 'replace'], report);
}

function compileRewrite(options: RewriteOptions, context: CompileContext): RewriteData {
  const { stripPrefix = '', addPrefix = '', path = '', regex, query, location, cookiePath, cookieDomain } = options;
  const domains = compileDomains(cookieDomain ?? {}, context);
  return {
    rewrite: {
      stripPrefix: stripPrefix.replace(/\/$/, ''),
      addPrefix: addPrefix.replace(/\/$/, ''),
      path,
      regex: regex === undefined ? null : { match: regex.match, replacement: regex.replace },
      query:
        query === undefined
          ? null
          : {
              set: Object.entries(query.set ?? {}).map(([name, value]) => [encoded(name), encoded(value)] as const),
              remove: query.remove ?? [],
            },
    },
    location,
    cookies: cookiePath || domains.length > 0 ? { path: cookiePath, domains } : null,
  };
}

const DOMAIN = /^\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;

function compileDomains(domains: Readonly<Record<string, string>>, { report }: CompileContext): [string, string][] {
  return Object.entries(domains).map(([from, to]) => {
    for (const [domain, part] of [[from, 'key'] as const, [to, 'value'] as const]) {
      if (DOMAIN.test(domain.toLowerCase())) continue;
      const message = `${quoted(domain)} is not a domain: write a name such as example.com`;
      report({ code: 'FL3008', message, path: [NAME, 'cookieDomain', from], part });
    }
    return [from.toLowerCase().replace(/^\./, ''), to === NONE_WORD ? '' : to.toLowerCase()];
  });
}

/** For a query: everything but unreserved characters is escaped. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
