// The paths that servers may read in one received path. Servers differ in escapes of slashes, backslashes, parameters,
// dot segments and empty segments; a route that guards a prefix must see what the endpoint sees. Pure. Thread: both.

import { decodeToMatch, isPlainPath, mergeSlashes, pathToMatch, withoutDotSegments } from './request-path.ts';

/**
 * Bounds the work for one path, in characters of all readings beyond the first few. A client could double the readings
 * with each kind of spelling that it uses.
 */
const MOST_CHARACTERS = 65_536;
const FEW = 4;
/** No honest path has more, and each is routed. */
const MOST_READINGS = 32;
/** Rounds of repeated decoding: more layers of escapes than any chain of servers removes. */
const MOST_DECODINGS = 4;

/** A step that some servers apply to a path and others don't, in the order in which servers apply them. */
type Step = (path: string) => string;

const STEPS: readonly Step[] = [
  decodeAgain,
  cutAtEnd,
  slashesFromEscapes,
  slashesFromBackslashes,
  withoutParameters,
  withoutAuthority,
  mergeSlashes,
  withoutDotSegments,
  mergeSlashes,
];

/**
 * The readings of a path, the one to match first. Each is a combination of steps: for each step there are servers that
 * apply it and servers that don't.
 * @returns null where there are too many
 */
export function pathReadings(path: string): readonly string[] | null {
  const matched = pathToMatch(path);
  if (isPlainPath(path)) return [matched];
  const readings = new Set([decodeToMatch(path)]);
  for (const step of STEPS) {
    for (const reading of Array.from(readings)) readings.add(step(reading));
    if (readings.size > MOST_READINGS) return null;
    if (readings.size > FEW && readings.size * path.length > MOST_CHARACTERS) return null;
  }
  readings.delete(matched);
  return [matched, ...readings];
}

/** Escapes of escapes, of `;`, and ASCII characters in UTF-8 that is longer than it needs to be (RFC 3629 section 3). */
const DECODED_AGAIN =
  /%25|%3B|%C[01]%[89AB][0-9A-F]|%E0%8[01]%[89AB][0-9A-F]|%F0%80%8[01]%[89AB][0-9A-F]|%[uU]00[0-7][0-9A-Fa-f]/g;

function decodeAgain(path: string): string {
  let before = path;
  for (let round = 0; round < MOST_DECODINGS; round++) {
    if (!before.includes('%')) return before;
    const decoded = decodeToMatch(before.replace(/%25(?=[uU]00)/g, '%').replace(DECODED_AGAIN, decodedOnce));
    if (decoded === before) return before;
    before = decoded;
  }
  return before;
}

function decodedOnce(found: string): string {
  if (found === '%25') return '%';
  if (found === '%3B') return ';';
  const last = Number.parseInt(found.slice(-2), 16);
  if (found[1] === 'u' || found[1] === 'U') return `%${found.slice(-2)}`;
  const above = Number.parseInt(found.slice(-5, -3), 16);
  return `%${(((above & 1) << 6) | (last & 0x3f)).toString(16).padStart(2, '0')}`;
}

/** C strings end at NUL; servers that parse a decoded path again end it at '?' or '#'. */
function cutAtEnd(path: string): string {
  const end = path.search(/%00|%3F|%23/);
  return end < 0 ? path : path.slice(0, end);
}

function slashesFromEscapes(path: string): string {
  return path.includes('%2F') ? path.replaceAll('%2F', '/') : path;
}

/** `decodeToMatch` has escaped every backslash. */
function slashesFromBackslashes(path: string): string {
  return path.includes('%5C') ? path.replaceAll('%5C', '/') : path;
}

/** Servlet containers remove `;name=value` from each segment before they resolve dot segments. */
function withoutParameters(path: string): string {
  return path.includes(';') ? path.replace(/;[^/]*/g, '') : path;
}

/** A target that begins with two slashes, parsed as a relative reference, has an authority (RFC 3986 section 4.2). */
function withoutAuthority(path: string): string {
  return path.startsWith('//') ? path.replace(/^\/+[^/]*/, '') || '/' : path;
}
