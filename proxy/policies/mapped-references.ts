// References of an endpoint to itself in its responses, mapped to what its clients call it: Location, Content-Location,
// Refresh, and the path and domain of cookies. Pure. Thread: both.

/** The endpoint as it knows itself, and as the client knows it. */
export interface ReferenceMap {
  /** Hosts with a port, in lower case, that are the endpoint's own. */
  readonly ownHosts: readonly string[];
  readonly scheme: string;
  /** The client's. */
  readonly authority: string;
  readonly restorePath: (path: string) => string;
}

const URL_PARTS = /^(?:(https?):)?\/\/([^/?#]*)([^?#]*)(.*)$/is;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

/** Maps a URL or an absolute path. Relative references, and URLs of other hosts, stay. */
export function mapReference(reference: string, map: ReferenceMap): string {
  const parts = URL_PARTS.exec(reference);
  if (parts === null) {
    if (!reference.startsWith('/')) return reference;
    const end = reference.search(/[?#]/);
    const path = end < 0 ? reference : reference.slice(0, end);
    return map.restorePath(path) + reference.slice(path.length);
  }
  const [, scheme = map.scheme, authority = '', path = '', rest = ''] = parts;
  if (!isOwn(authority.toLowerCase(), scheme.toLowerCase(), map)) return reference;
  return `${map.scheme}://${map.authority}${map.restorePath(path === '' ? '/' : path)}${rest}`;
}

function isOwn(authority: string, scheme: string, { ownHosts, authority: client, scheme: clientScheme }: ReferenceMap) {
  const own = withPort(authority, scheme);
  return (
    ownHosts.includes(own) ||
    ownHosts.includes(authority) ||
    own === withPort(client.toLowerCase(), scheme) ||
    own === withPort(client.toLowerCase(), clientScheme)
  );
}

function withPort(authority: string, scheme: string): string {
  return /:\d+$/.test(authority) ? authority : `${authority}:${DEFAULT_PORTS[scheme] ?? ''}`;
}

/** The value of a Refresh field: seconds, and a URL. */
export function mapRefresh(value: string, map: ReferenceMap): string {
  const parts = /^(\s*\d+(?:\.\d*)?\s*[;,]\s*url\s*=\s*)(["']?)(.*?)(\2\s*)$/i.exec(value);
  if (parts === null) return value;
  const [, before = '', quote = '', reference = '', after = ''] = parts;
  return before + quote + mapReference(reference, map) + after;
}

export interface CookieMap {
  /** Null where paths stay. */
  readonly restorePath: ((path: string) => string) | null;
  /** Domains in lower case, without a leading dot, and those in their place; '' removes the attribute. */
  readonly domains: ReadonlyMap<string, string>;
}

/** Maps Path and Domain of a Set-Cookie line (RFC 6265 section 4.1); the rest stays byte for byte. */
export function mapCookie(line: string, map: CookieMap): string {
  const [pair = '', ...attributes] = line.split(';');
  return [pair, ...attributes.flatMap((attribute) => mappedAttribute(attribute, map) ?? [])].join(';');
}

/** @returns null for an attribute that is removed */
function mappedAttribute(attribute: string, { restorePath, domains }: CookieMap): string | null {
  const equals = attribute.indexOf('=');
  if (equals < 0) return attribute;
  const name = attribute.slice(0, equals).trim().toLowerCase();
  const value = attribute.slice(equals + 1).trim();
  if (name === 'path' && restorePath !== null && value.startsWith('/')) {
    return `${attribute.slice(0, equals)}=${cookiePath(value, restorePath)}`;
  }
  const domain = name === 'domain' ? domains.get(value.toLowerCase().replace(/^\./, '')) : undefined;
  if (domain === undefined) return attribute;
  return domain === '' ? null : `${attribute.slice(0, equals)}=${domain}`;
}

/** A cookie of the whole application is one of the whole prefix, without a slash that would exclude the prefix itself. */
function cookiePath(path: string, restorePath: (path: string) => string): string {
  const restored = restorePath(path);
  return path === '/' && restored.length > 1 ? restored.replace(/\/$/, '') : restored;
}
