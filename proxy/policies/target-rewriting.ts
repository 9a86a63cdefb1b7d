// Rewriting of request targets, and its inverse for paths that endpoints name in responses. Everything that comes from a
// client stays within the path or the query that it came in. Pure. Thread: both.

import { linearRegex, type LinearRegex, type Replacement } from '../../core/linear-regex.ts';
import { pathReadings } from '../../core/path-readings.ts';
import { isPlainPath, normalizedPath, pathToMatch } from '../../core/request-path.ts';

/** Data of a rewrite in a Snapshot. */
export interface TargetRewrite {
  /** In normal form, without a slash at the end; '' for none. */
  readonly stripPrefix: string;
  readonly addPrefix: string;
  /** Replaces the whole path; '' for none. */
  readonly path: string;
  readonly regex: { readonly match: string; readonly replacement: Replacement } | null;
  /** Null where the query stays. */
  readonly query: {
    /** Names and values, percent-encoded. */
    readonly set: readonly (readonly [name: string, value: string])[];
    /** Names, decoded. */
    readonly remove: readonly string[];
  } | null;
}

export interface RewrittenTarget {
  readonly target: string;
  /** Whether the prefix was there, and was removed. */
  readonly isStripped: boolean;
}

export class TargetRewriter {
  readonly #rewrite: TargetRewrite;
  readonly #regex: LinearRegex | null;
  readonly #removed: ReadonlySet<string>;

  constructor(rewrite: TargetRewrite) {
    this.#rewrite = rewrite;
    this.#regex = rewrite.regex === null ? null : linearRegex(rewrite.regex.match);
    this.#removed = new Set([
      ...(rewrite.query?.remove ?? []),
      ...(rewrite.query?.set ?? []).map(([name]) => decodedName(name)),
    ]);
  }

  /** @returns null for a path that servers may read as one outside of the added prefix */
  rewrite(target: string): RewrittenTarget | null {
    if (!target.startsWith('/')) return { target, isStripped: false };
    const mark = target.indexOf('?');
    const path = mark < 0 ? target : target.slice(0, mark);
    const rewritten = this.#path(path);
    if (rewritten === null) return null;
    const query = mark < 0 ? '' : target.slice(mark);
    return { target: rewritten.path + this.#query(query), isStripped: rewritten.isStripped };
  }

  /** The path of a client's request that is rewritten to `path`; `path` itself where none is, or it isn't known. */
  restore(path: string): string {
    const { stripPrefix, addPrefix, path: fixed, regex } = this.#rewrite;
    if (fixed !== '' || regex !== null || !isWithin(path, addPrefix)) return path;
    const rest = path.slice(addPrefix.length);
    return rest === '' && stripPrefix === '' ? '/' : stripPrefix + rest;
  }

  #path(received: string): { readonly path: string; readonly isStripped: boolean } | null {
    const { stripPrefix, addPrefix, path: fixed, regex } = this.#rewrite;
    if (fixed !== '') return { path: fixed, isStripped: false };
    if (stripPrefix === '' && addPrefix === '' && regex === null) return { path: received, isStripped: false };
    let path = withoutOddSegments(received);
    const stripped = stripPrefix === '' ? null : withoutPrefix(path, stripPrefix);
    if (stripped !== null) path = stripped;
    if (regex !== null) path = asPath(this.#regex!.replace(path, regex.replacement) ?? path);
    if (addPrefix !== '') path = addPrefix + path;
    if (addPrefix !== '' && !isPlainPath(path) && !staysWithin(path, addPrefix)) return null;
    return { path, isStripped: stripped !== null };
  }

  #query(query: string): string {
    const { query: edits } = this.#rewrite;
    if (edits === null) return query;
    const kept =
      query === ''
        ? []
        : query
            .slice(1)
            .split('&')
            .filter((part) => !this.#removed.has(nameOf(part)));
    const added = edits.set.map(([name, value]) => `${name}=${value}`);
    const parts = [...kept, ...added];
    return parts.length === 0 ? '' : `?${parts.join('&')}`;
  }
}

/** Dot segments and empty segments are resolved before a path is cut and joined: they would climb out of a prefix. */
function withoutOddSegments(path: string): string {
  if (isPlainPath(path)) return path;
  const normalized = normalizedPath(path);
  return countOf(path, '/') === countOf(normalized, '/') && !/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)
    ? path
    : normalized;
}

function countOf(text: string, character: string): number {
  return text.split(character).length;
}

/** The path below a prefix; null where it isn't below it. */
function withoutPrefix(path: string, prefix: string): string | null {
  if (isWithin(path, prefix)) return asPath(path.slice(prefix.length));
  if (isPlainPath(path)) return null;
  const matched = pathToMatch(path);
  return isWithin(matched, prefix) ? asPath(matched.slice(prefix.length)) : null;
}

/** Whether a path is a prefix of whole segments, or below it. '' has every path. */
function isWithin(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/' || prefix === '');
}

/** One slash at the beginning: an endpoint could take the segment after two for a host. */
function asPath(text: string): string {
  return text.replace(/^\/*/, '/');
}

/** Whether all readings of a path are within a prefix. */
function staysWithin(path: string, prefix: string): boolean {
  const matched = pathToMatch(prefix);
  return pathReadings(path)?.every((reading) => isWithin(reading, matched)) ?? false;
}

function nameOf(part: string): string {
  const equals = part.indexOf('=');
  return decodedName(equals < 0 ? part : part.slice(0, equals));
}

/** As servers read it: `a%5Bb%5D` and `a[b]` are one name. */
function decodedName(text: string): string {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
