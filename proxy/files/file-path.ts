// The path of a request as a path below the root of a file route. Thread: both.

import { normalizedPath } from '../../core/request-path.ts';

/** A file or directory below the root. */
export interface FilePath {
  /** Decoded names, none of them empty, `.` or `..`, and none with a slash. */
  readonly segments: readonly string[];
  /** Whether the path ends with a slash. */
  readonly isDirectory: boolean;
}

/** The only name with a leading dot that sites publish (RFC 8615). */
const WELL_KNOWN = '.well-known';
const BACKSLASH_OR_CONTROL = /[\\\p{Cc}]/u;

/**
 * Decodes a path once, after the normalisation that routes are compared with. Null for what names no file here: an encoded
 * slash or NUL, a backslash, invalid UTF-8, and names with a leading dot unless `showsDotFiles`.
 * @param target origin-form, with or without a query
 */
export function filePathOf(target: string, showsDotFiles: boolean): FilePath | null {
  const query = target.indexOf('?');
  const path = normalizedPath(query < 0 ? target : target.slice(0, query));
  if (!path.startsWith('/')) return null;
  const segments: string[] = [];
  for (const encoded of path.slice(1).split('/')) {
    const segment = decoded(encoded);
    if (segment === null) return null;
    if (segment.startsWith('.') && !showsDotFiles && segment !== WELL_KNOWN) return null;
    if (segment !== '') segments.push(segment);
  }
  return { segments, isDirectory: path.endsWith('/') };
}

function decoded(segment: string): string | null {
  let name: string;
  try {
    name = decodeURIComponent(segment);
  } catch {
    return null;
  }
  // After one decoding nothing may be left that a file system reads as a step to another directory (path traversal).
  return name.includes('/') || BACKSLASH_OR_CONTROL.test(name) || name === '.' || name === '..' ? null : name;
}

/** Target of the redirect to a directory: the path as the client sent it, with a slash. */
export function directoryTarget(target: string): string {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  // Two leading slashes would name another host (open redirect).
  return `/${path.replace(/^\/+/, '')}/${query < 0 ? '' : target.slice(query)}`;
}
