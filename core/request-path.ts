// Paths of request targets: the normal form that routes are compared with, and the one that may be sent in place of a
// path as it was received. Pure. Thread: both.

const SLASH = 0x2f;
const DOT = 0x2e;

/** Unreserved characters: their escapes mean the same (RFC 3986 section 6.2.2.2). */
const UNRESERVED = characters('-._~', true);
/** Characters that stand for themselves in a path (pchar, RFC 3986 section 3.3), except ';': it begins a parameter. */
const PLAIN = characters("-._~!$&'()*+,=:@/", true);
/** As PLAIN, without '/': servers decode their escapes, although RFC 3986 distinguishes them. */
const DECODED_TO_MATCH = characters("-._~!$&'()*+,=:@", true);

function characters(signs: string, hasAlphanumerics: boolean): Uint8Array {
  const table = new Uint8Array(128);
  const all = hasAlphanumerics ? `${signs}0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ` : signs;
  for (let at = 0; at < all.length; at++) table[all.charCodeAt(at)] = 1;
  return table;
}

/**
 * Whether a path can only be read in one way and is in normal form: no escape, parameter, backslash, dot segment or
 * empty segment. Most paths are.
 */
export function isPlainPath(path: string): boolean {
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code > 0x7f || PLAIN[code] === 0) return false;
    if (code === SLASH && isOddSegment(path, at + 1)) return false;
  }
  return true;
}

/** Whether a segment that begins at `at` is empty (and not the last one), `.` or `..`. */
function isOddSegment(path: string, at: number): boolean {
  const code = path.charCodeAt(at);
  if (code === SLASH) return true;
  if (code !== DOT) return false;
  const end = path.charCodeAt(at + 1) === DOT ? at + 2 : at + 1;
  return end === path.length || path.charCodeAt(end) === SLASH;
}

/** A path as routes are compared with it: escapes decoded where they have no meaning, no dot or empty segments. */
export function pathToMatch(path: string): string {
  return isPlainPath(path) ? path : withoutDotSegments(mergeSlashes(decodeToMatch(path)));
}

/**
 * The path to send in place of a received one (RFC 3986 section 6.2.2): unreserved characters decoded, other escapes in
 * upper case, characters that no path may have escaped, dot segments resolved, slashes merged.
 */
export function normalizedPath(path: string): string {
  return isPlainPath(path) ? path : withoutDotSegments(mergeSlashes(decode(path, UNRESERVED)));
}

/** Escapes in one form: characters without a meaning of their own decoded, all others escaped in upper case. */
export function decodeToMatch(path: string): string {
  return decode(path, DECODED_TO_MATCH);
}

/** An escape, a `%` that begins none, or a character that RFC 3986 excludes from paths and the scanner accepts. */
const ESCAPE = /%[0-9A-Fa-f]{2}|[%"<>[\\\]^`{|}]/g;

function decode(path: string, decoded: Uint8Array): string {
  return path.replace(ESCAPE, (found) => {
    if (found.length === 1) return escaped(found);
    const code = Number.parseInt(found.slice(1), 16);
    return code < 0x80 && decoded[code] === 1 ? String.fromCharCode(code) : found.toUpperCase();
  });
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

export function mergeSlashes(path: string): string {
  return path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;
}

/** Resolves `.` and `..` (RFC 3986 section 5.2.4). A `..` above the root is dropped. */
export function withoutDotSegments(path: string): string {
  if (!path.includes('/.')) return path;
  const segments = path.split('/');
  const kept: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const isDots = segment === '.' || segment === '..';
    if (segment === '..' && kept.length > 1) kept.pop();
    if (!isDots) kept.push(segment);
    else if (index === segments.length - 1) kept.push('');
  }
  return kept.join('/');
}
