// Static files of the dashboard: read once and served from a table of exact paths, which rules out path traversal. They
// contain no data of this machine and need no token; all data comes from the API. Thread: main.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { AdminError, type AdminReply } from './admin-reply.ts';
import { browserModule, uplotModule } from './page-module.ts';

const HOME = '/dashboard/';
/** The folder beside the sources, and beside the compiled files, where its modules are JavaScript. */
const FOLDER = path.join(import.meta.dirname, '../dashboard');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Placeholder in index.html for the folder of the other files, whose name changes with their content. */
const PLACEHOLDER = 'assets/';

/**
 * Cross-site scripting: names and causes come from configurations and endpoints. The page creates no HTML from text, and
 * the browser runs only these files, evaluates no strings, and connects only to this origin.
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
  readonly compressed: Buffer;
  readonly tag: string;
  readonly caching: string;
}

/** Fields of a request that decide about the reply. */
export interface FileRequest {
  readonly ifNoneMatch: string | undefined;
  readonly acceptEncoding: string | undefined;
}

export class DashboardFiles {
  readonly #files = new Map<string, StaticFile>();

  /** Reads all files. @throws errors of the file system: the package is incomplete then */
  constructor() {
    const texts = readTexts();
    const version = digestOf([...texts].flat().join('\0'));
    for (const [name, body] of texts) {
      if (name === 'index.html') continue;
      // New content has a new path, so browsers never revalidate.
      this.#add(`${HOME}${version}/${name}`, name, body, 'public, max-age=31536000, immutable');
    }
    const index = preloading(texts.get('index.html')!, importsOf('main.js', texts)).replaceAll(
      `"${PLACEHOLDER}`,
      `"${version}/`,
    );
    this.#add(HOME, 'index.html', index, 'no-cache');
  }

  /**
   * The reply for one of the files; null for any other path.
   * @throws AdminError 405 for a method other than GET and HEAD
   */
  answer(method: string, requestPath: string, { ifNoneMatch, acceptEncoding }: FileRequest): AdminReply | null {
    const isAway = requestPath === '/' || requestPath === '/dashboard';
    const file = this.#files.get(requestPath);
    if (!isAway && file === undefined) return null;
    if (method !== 'GET' && method !== 'HEAD') {
      throw new AdminError(405, 'method-not-allowed', 'use GET, HEAD', { fields: { Allow: 'GET, HEAD' } });
    }
    // Relative, so that it also works behind a path prefix.
    if (file === undefined)
      return { status: 302, contentType: 'text/plain', body: '', fields: { Location: 'dashboard/' } };
    // Weak: the same tag for both codings (RFC 9110 section 8.8.1).
    const fields = { ...PAGE_FIELDS, ETag: `W/${file.tag}`, 'Cache-Control': file.caching, Vary: 'Accept-Encoding' };
    if (isMatch(ifNoneMatch, file.tag)) return { status: 304, contentType: '', body: '', fields };
    const reply = { status: 200, contentType: file.contentType };
    if (!acceptsGzip(acceptEncoding)) return { ...reply, body: file.body, fields };
    return { ...reply, body: file.compressed, fields: { ...fields, 'Content-Encoding': 'gzip' } };
  }

  #add(at: string, name: string, body: string, caching: string): void {
    const contentType = TYPES[path.extname(name)]!;
    this.#files.set(at, { contentType, body, compressed: gzipSync(body), tag: `"${digestOf(body)}"`, caching });
  }
}

/** Names and texts ordered by name: the folder's files with slashes in their names, and those of the uPlot package. */
function readTexts(): ReadonlyMap<string, string> {
  const own = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
    const served = servedName(name.replaceAll(path.sep, '/'));
    return path.extname(served) in TYPES ? [[served, path.join(FOLDER, name)] as const] : [];
  });
  const places = [
    ...own,
    ['parts/uPlot.esm.js', fileURLToPath(import.meta.resolve('uplot/dist/uPlot.iife.min.js'))] as const,
    ['uPlot.min.css', fileURLToPath(import.meta.resolve('uplot/dist/uPlot.min.css'))] as const,
  ];
  const inOrder = places.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return new Map(inOrder.map(([name, place]) => [name, readModule(place)]));
}

/** A module and all that it imports. */
function importsOf(name: string, texts: ReadonlyMap<string, string>, found = new Set<string>()): ReadonlySet<string> {
  found.add(name);
  for (const [, specifier] of texts.get(name)!.matchAll(/\bfrom '(\.[^']*)';/g)) {
    const imported = path.posix.join(path.posix.dirname(name), specifier!);
    if (!found.has(imported)) importsOf(imported, texts, found);
  }
  return found;
}

/** Names all modules in the page, so that a browser fetches them at once and not import by import. */
function preloading(index: string, modules: ReadonlySet<string>): string {
  const links = [...modules].map((name) => `<link rel="modulepreload" href="${PLACEHOLDER}${name}">\n`);
  return index.replace('<script ', `${links.join('')}<script `);
}

/** Modules are served as JavaScript, from sources too; declarations of types are not served. */
function servedName(name: string): string {
  return name.endsWith('.d.ts') ? name : name.replace(/\.ts$/, '.js');
}

function readModule(place: string): string {
  const text = readFileSync(place, 'utf8');
  if (place.endsWith('.iife.min.js')) return uplotModule(text);
  return place.endsWith('.ts') ? browserModule(text) : text;
}

/** Long enough to distinguish versions of a file; a collision gains an attacker nothing. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** RFC 9110 section 13.1.2: the comparison is weak. */
function isMatch(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((one) => one.trim().replace(/^W\//, ''));
  return tags.includes(tag) || tags.includes('*');
}

/** RFC 9110 section 12.5.3. Without the field the reply isn't compressed: curl would show bytes. */
function acceptsGzip(acceptEncoding = ''): boolean {
  return acceptEncoding.split(',').some((one) => /^\s*gzip\s*(?:;\s*q=(?:1|0\.\d*[1-9]\d*)\s*)?$/i.test(one));
}
