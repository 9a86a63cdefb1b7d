// The dashboard's static files: read once, served from a table of exact paths, so that no path leads anywhere else
// (traversal). They say nothing of this machine and need no token; what they show comes from the API. Thread: main.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AdminError, type AdminReply } from './admin-reply.ts';

const HOME = '/dashboard/';
/** The same place beside the sources and beside what is compiled of them: the build copies it. */
const FOLDER = path.join(import.meta.dirname, '../dashboard');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** What stands in index.html for the folder of the others: its real name changes with their content. */
const PLACEHOLDER = 'assets/';

/**
 * Cross-site scripting: names and causes come from configurations and endpoints. The page makes no HTML of text, and
 * the browser runs nothing but these files, takes no string for code, and sends nothing anywhere but here.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const PAGE_FIELDS = {
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

interface StaticFile {
  readonly contentType: string;
  readonly body: string;
  readonly tag: string;
  readonly caching: string;
}

export class DashboardFiles {
  readonly #files = new Map<string, StaticFile>();

  /** Reads all of them. @throws what the file system throws: the package is not whole then */
  constructor() {
    const texts = readTexts();
    const version = digestOf([...texts].flat().join('\0'));
    for (const [name, body] of texts) {
      if (name === 'index.html') continue;
      // Another content is another path: it never has to be asked for again.
      this.#add(`${HOME}${version}/${name}`, name, body, 'public, max-age=31536000, immutable');
    }
    const index = texts.get('index.html')!.replaceAll(`"${PLACEHOLDER}`, `"${version}/`);
    this.#add(HOME, 'index.html', index, 'no-cache');
  }

  /**
   * The answer to a request for one of the files; null where the path is none of ours.
   * @throws AdminError 405 for a method that doesn't read
   */
  answer(method: string, requestPath: string, ifNoneMatch: string | undefined): AdminReply | null {
    const isAway = requestPath === '/' || requestPath === '/dashboard';
    const file = this.#files.get(requestPath);
    if (!isAway && file === undefined) return null;
    if (method !== 'GET' && method !== 'HEAD') {
      throw new AdminError(405, 'method-not-allowed', 'use GET, HEAD', { fields: { Allow: 'GET, HEAD' } });
    }
    // Relative, so that it holds behind a prefix too.
    if (file === undefined)
      return { status: 302, contentType: 'text/plain', body: '', fields: { Location: 'dashboard/' } };
    const fields = { ...PAGE_FIELDS, ETag: file.tag, 'Cache-Control': file.caching };
    if (isMatch(ifNoneMatch, file.tag)) return { status: 304, contentType: '', body: '', fields };
    return { status: 200, contentType: file.contentType, body: file.body, fields };
  }

  #add(at: string, name: string, body: string, caching: string): void {
    const contentType = TYPES[path.extname(name)]!;
    this.#files.set(at, { contentType, body, tag: `"${digestOf(body)}"`, caching });
  }
}

/** Names and texts, in the order of the names: the folder's own files, and those of uPlot from its package. */
function readTexts(): ReadonlyMap<string, string> {
  const own = readdirSync(FOLDER).filter((name) => path.extname(name) in TYPES);
  const places = [
    ...own.map((name) => [name, path.join(FOLDER, name)] as const),
    ['uPlot.esm.js', fileURLToPath(import.meta.resolve('uplot/dist/uPlot.esm.js'))] as const,
    ['uPlot.min.css', fileURLToPath(import.meta.resolve('uplot/dist/uPlot.min.css'))] as const,
  ];
  const inOrder = places.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return new Map(inOrder.map(([name, place]) => [name, readFileSync(place, 'utf8')]));
}

/** Long enough to tell versions of a file apart; nobody gains by forging one. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** RFC 9110 section 13.1.2: the comparison is weak. */
function isMatch(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((one) => one.trim().replace(/^W\//, ''));
  return tags.includes(tag) || tags.includes('*');
}
