// Filters, timeouts and matches of HTTPRoute rules as settings of routes. Thread: main.

import { type ApiObject, listAt, numberAt, textAt, valueAt } from '../../discovery/kubernetes/api-object.ts';
import { literalText } from '../provider.ts';
import { mirrorShare } from './request-mirror.ts';

/** Settings of a route, or why they can't be had. */
export type Settings =
  | { readonly ok: true; readonly settings: ApiObject }
  | { readonly ok: false; readonly cause: string; readonly reason?: 'IncompatibleFilters' };

/** Filters that no rule may have beside a redirect: the request reaches no backend. */
const NOT_BESIDE_REDIRECT = ['URLRewrite', 'RequestMirror'];

/** Settings of all filters of a rule. @param prefix of the path that matched; '' where none did @param port of the listener */
export function filterSettings(rule: unknown, prefix: string, port: number): Settings {
  const settings: Record<string, unknown> = {};
  const types = new Set<string>();
  for (const filter of listAt(rule, 'filters')) {
    const type = textAt(filter, 'type');
    if (types.has(type) && type !== 'RequestMirror') return { ok: false, cause: `the filter ${type} is given twice` };
    types.add(type);
    const found = filterOf(filter, prefix, port);
    if (!found.ok) return found;
    Object.assign(settings, found.settings);
  }
  const excluded = types.has('RequestRedirect') ? NOT_BESIDE_REDIRECT.find((type) => types.has(type)) : undefined;
  if (excluded !== undefined) {
    return { ok: false, cause: `RequestRedirect and ${excluded} exclude each other`, reason: 'IncompatibleFilters' };
  }
  return { ok: true, settings: { ...settings, ...timeoutsOf(rule) } };
}

/** Filters that an upstream applies, so that each of several backends may have its own. */
const UPSTREAM_FILTERS = ['RequestHeaderModifier', 'ResponseHeaderModifier'];

/** A rule whose only backend has filters that act on a whole route has them itself. */
export function withFiltersOfOnlyBackend(rule: unknown): unknown {
  const refs = listAt(rule, 'backendRefs');
  const [filters, moved] = partition(listAt(refs[0], 'filters'), (one) =>
    UPSTREAM_FILTERS.includes(textAt(one, 'type')),
  );
  if (refs.length !== 1 || moved.length === 0) return rule;
  const backendRefs = [{ ...(refs[0] as ApiObject), filters }];
  return { ...(rule as ApiObject), backendRefs, filters: [...listAt(rule, 'filters'), ...moved] };
}

function partition<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

/** Settings of the filters of one of several backends, which edit fields alone. */
export function backendSettings(ref: unknown): Settings {
  const settings: Record<string, unknown> = {};
  for (const filter of listAt(ref, 'filters')) {
    const type = textAt(filter, 'type');
    if (!UPSTREAM_FILTERS.includes(type)) {
      return { ok: false, cause: `the filter ${type} of one of several backends is not supported` };
    }
    const found = filterOf(filter, '', 0);
    if (found.ok) Object.assign(settings, found.settings);
  }
  return { ok: true, settings };
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** `request` bounds all attempts, and so does `backendRequest`: an attempt can't be longer. Zero is no timeout. */
function timeoutsOf(rule: unknown): ApiObject {
  const given = ['request', 'backendRequest'].flatMap((key) => {
    const written = textAt(rule, 'timeouts', key);
    if (!/^(?:\d{1,5}(?:h|ms|m|s)){1,4}$/.test(written)) return [];
    const parts = [...written.matchAll(/(\d+)(h|ms|m|s)/g)];
    return [parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNIT_MS[unit!]!, 0)];
  });
  if (given.length === 0) return {};
  const bounds = given.filter((ms) => ms > 0);
  return { timeouts: { response: bounds.length === 0 ? 'none' : `${Math.min(...bounds)}ms` } };
}

function filterOf(filter: unknown, prefix: string, port: number): Settings {
  const type = textAt(filter, 'type');
  if (type === 'RequestHeaderModifier') {
    return { ok: true, settings: { requestHeaders: fieldEdits(valueAt(filter, 'requestHeaderModifier')) } };
  }
  if (type === 'ResponseHeaderModifier') {
    return { ok: true, settings: { responseHeaders: fieldEdits(valueAt(filter, 'responseHeaderModifier')) } };
  }
  if (type === 'RequestRedirect') return redirectOf(valueAt(filter, 'requestRedirect'), prefix, port);
  if (type === 'URLRewrite') return rewriteOf(valueAt(filter, 'urlRewrite'), prefix);
  if (type === 'CORS') return corsOf(valueAt(filter, 'cors'));
  if (type === 'RequestMirror') return mirrorShare(filter) === null ? NO_SHARE : NO_SETTINGS;
  return { ok: false, cause: `the filter ${type} is not supported` };
}

/** Mirrors need the upstreams of their backends: see request-mirror.ts. */
const NO_SETTINGS: Settings = { ok: true, settings: {} };
const NO_SHARE: Settings = {
  ok: false,
  cause: 'RequestMirror takes a percent from 0 to 100 or a fraction up to 1, and not both',
};

function fieldEdits(given: unknown): ApiObject {
  const fields = (key: string): ApiObject =>
    Object.fromEntries(listAt(given, key).map((one) => [textAt(one, 'name'), literalText(textAt(one, 'value'))]));
  const edits = { set: fields('set'), add: fields('add') };
  const remove = listAt(given, 'remove');
  const used = Object.entries(edits).filter(([, one]) => Object.keys(one).length > 0);
  return { ...Object.fromEntries(used), ...(remove.length > 0 && { remove }) };
}

const SCHEME_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

function redirectOf(given: unknown, prefix: string, listenerPort: number): Settings {
  const scheme = textAt(given, 'scheme');
  const type = textAt(given, 'path', 'type');
  const isPrefix = type === 'ReplacePrefixMatch';
  if (isPrefix && prefix === '') return NEEDS_PREFIX;
  const regex = isPrefix ? { regex: replacePrefix(prefix, textAt(given, 'path', 'replacePrefixMatch')) } : {};
  const port = numberAt(given, 'port') ?? (scheme === '' ? listenerPort : (SCHEME_PORTS[scheme] ?? listenerPort));
  const isDefault = scheme === '' ? port === 80 || port === 443 : SCHEME_PORTS[scheme] === port;
  const path = type === 'ReplaceFullPath' ? literalText(textAt(given, 'path', 'replaceFullPath')) : '{uri}';
  const host = literalText(textAt(given, 'hostname')) || '{hostname}';
  const to = `${literalText(scheme) || '{scheme}'}://${host}${isDefault ? '' : `:${port}`}${path}`;
  return { ok: true, settings: { redirect: { to, status: numberAt(given, 'statusCode') ?? 302, ...regex } } };
}

function rewriteOf(given: unknown, prefix: string): Settings {
  const host = textAt(given, 'hostname');
  const named = host === '' ? {} : { host: { name: host } };
  const type = textAt(given, 'path', 'type');
  if (type === '') return { ok: true, settings: named };
  if (type === 'ReplaceFullPath') {
    return { ok: true, settings: { ...named, rewrite: { path: textAt(given, 'path', 'replaceFullPath') || '/' } } };
  }
  if (prefix === '') return NEEDS_PREFIX;
  const regex = replacePrefix(prefix, textAt(given, 'path', 'replacePrefixMatch'));
  return { ok: true, settings: { ...named, rewrite: { regex } } };
}

const NEEDS_PREFIX: Settings = { ok: false, cause: 'ReplacePrefixMatch needs a match with PathPrefix' };

/** `/v1` and `/v1/x` become `/v2` and `/v2/x`; without a replacement, `/` and `/x`. */
function replacePrefix(prefix: string, given: string): ApiObject {
  const replacement = given.replace(/\/+$/, '').replaceAll('$', '$$$$');
  const escaped = prefix === '/' ? '' : prefix.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return { match: `^${escaped}(/|$)`, replace: replacement === '' ? '/' : `${replacement}$1` };
}

const SAFE_METHODS = ['GET', 'HEAD', 'POST'];
const ALL_METHODS = [...SAFE_METHODS, 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** Of the specification, in seconds. */
const DEFAULT_MAX_AGE = 5;

function corsOf(given: unknown): Settings {
  const texts = (key: string): string[] => listAt(given, key).map(String);
  const [origins, methods, headers] = [texts('allowOrigins'), texts('allowMethods'), texts('allowHeaders')];
  if (origins.length === 0) return { ok: false, cause: 'the filter CORS has no allowOrigins' };
  const exposed = texts('exposeHeaders');
  const cors = {
    origins,
    methods: methods.includes('*') ? ALL_METHODS : methods.length === 0 ? SAFE_METHODS : methods,
    ...(!headers.includes('*') && { headers }),
    ...(exposed.length > 0 && { exposed }),
    credentials: valueAt(given, 'allowCredentials') === true,
    maxAge: `${numberAt(given, 'maxAge') ?? DEFAULT_MAX_AGE}s`,
  };
  return { ok: true, settings: { cors } };
}

/** Conditions of a match, and what decides its place. */
export interface RuleMatch {
  readonly match: ApiObject;
  /** Of PathPrefix without a final slash; '' for other kinds. */
  readonly prefix: string;
  readonly pathKind: 'exact' | 'regex' | 'prefix';
  readonly pathLength: number;
  readonly hasMethod: boolean;
  readonly headers: number;
  readonly query: number;
}

export function ruleMatch(written: unknown): RuleMatch {
  const type = textAt(written, 'path', 'type') || 'PathPrefix';
  const value = textAt(written, 'path', 'value') || '/';
  const prefix = type === 'PathPrefix' ? value.replace(/\/+$/, '') || '/' : '';
  const path =
    type === 'Exact' ? { exact: value } : type === 'RegularExpression' ? { regex: `^(?:${value})$` } : { prefix };
  const header = valueMatches(listAt(written, 'headers'), (name) => name.toLowerCase());
  const query = valueMatches(listAt(written, 'queryParams'), (name) => name);
  const method = textAt(written, 'method');
  return {
    match: {
      ...(prefix !== '/' && { path }),
      ...(Object.keys(header).length > 0 && { header }),
      ...(Object.keys(query).length > 0 && { query }),
      ...(method !== '' && { method }),
    },
    prefix,
    pathKind: type === 'Exact' ? 'exact' : type === 'RegularExpression' ? 'regex' : 'prefix',
    pathLength: type === 'PathPrefix' ? prefix.length : value.length,
    hasMethod: method !== '',
    headers: Object.keys(header).length,
    query: Object.keys(query).length,
  };
}

/** The first of several conditions for one name counts. */
function valueMatches(list: readonly unknown[], nameOf: (name: string) => string): ApiObject {
  const found: Record<string, unknown> = {};
  for (const one of list) {
    const value = textAt(one, 'value');
    const isRegex = textAt(one, 'type') === 'RegularExpression';
    found[nameOf(textAt(one, 'name'))] ??= isRegex ? { regex: `^(?:${value})$` } : { exact: value };
  }
  return found;
}
