// Benchmark cases: request, protocol and number of workers. Thread: main.

const SMALL_BYTES = 18;
const KIB = 1024;

/** Connections of the load over HTTP/2, and requests at a time on each. */
export interface Http2Load {
  readonly connections: number;
  readonly streams: number;
}

/** One row of the results. */
export interface BenchCase {
  readonly name: string;
  readonly title: string;
  /** Path at the origin. */
  readonly path: string;
  /** Bytes of the response's body; asserted before the load begins. */
  readonly answerBytes: number;
  /** Fields beside Host (and Content-Length). */
  readonly fields: readonly string[];
  /** Bytes of the request's body; 0 is a GET. */
  readonly postBytes: number;
  readonly isTls: boolean;
  /** The load over HTTP/2; null for HTTP/1.1. */
  readonly http2: Http2Load | null;
  /** Handshake of each request, on a new connection; null where connections are as `fields` and `http2` say. */
  readonly handshakes: 'full' | 'resumed' | null;
  readonly workers: number;
  readonly hasAccessLog: boolean;
  /** Level of gzip that the proxy applies; 0 for no compression. */
  readonly gzipLevel: number;
}

/** With Host, the eleven fields of a page's follow-up request by a browser. */
const BROWSER_FIELDS: readonly string[] = [
  'Connection: keep-alive',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: en-GB,en;q=0.7,de;q=0.3',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Referer: https://www.example.com/catalogue/chairs?page=2',
  'Cookie: session=7f3a9c1e5b2d4860a1c3e5f708192a3b; theme=dark; consent=1',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Site: same-origin',
];

const SMALL: BenchCase = {
  name: 'small',
  title: 'small response, few request headers',
  path: '/small',
  answerBytes: SMALL_BYTES,
  fields: [],
  postBytes: 0,
  isTls: false,
  http2: null,
  handshakes: null,
  workers: 1,
  hasAccessLog: false,
  gzipLevel: 0,
};

const MULTIPLEXED: Http2Load = { connections: 8, streams: 16 };
const LARGE: Http2Load = { connections: 4, streams: 4 };

/** Over TLS, as browsers speak HTTP/2; Connection has no place there. */
const HTTP2: BenchCase = {
  ...SMALL,
  name: 'h2',
  title: "HTTP/2, a browser's requests, 16 at a time on a connection",
  fields: BROWSER_FIELDS.slice(1),
  isTls: true,
  http2: MULTIPLEXED,
};

export const CASES: readonly BenchCase[] = [
  SMALL,
  { ...SMALL, name: 'browser', title: "small response, a browser's eleven request headers", fields: BROWSER_FIELDS },
  { ...SMALL, name: '64k', title: '64 KiB responses', path: '/64k', answerBytes: 64 * KIB },
  { ...SMALL, name: '1m', title: '1 MiB responses', path: '/1m', answerBytes: KIB * KIB },
  { ...SMALL, name: 'post', title: 'POST of 16 KiB, small response', path: '/post', postBytes: 16 * KIB },
  {
    ...SMALL,
    name: 'gzip',
    title: '64 KiB of JSON, compressed by the proxy with gzip',
    path: '/json',
    answerBytes: 64 * KIB,
    fields: ['Accept-Encoding: gzip'],
    gzipLevel: 4,
  },
  { ...SMALL, name: 'connect', title: 'small, a new connection for each request', fields: ['Connection: close'] },
  { ...SMALL, name: 'tls', title: 'small, TLS with keep-alive', isTls: true },
  {
    ...SMALL,
    name: 'tls-connect',
    title: 'small, a new TLS connection with a full handshake for each request',
    isTls: true,
    handshakes: 'full',
  },
  {
    ...SMALL,
    name: 'tls-resume',
    title: 'small, a new TLS connection that resumes a session for each request',
    isTls: true,
    handshakes: 'resumed',
  },
  { ...SMALL, name: 'log', title: 'small, JSON access log on', hasAccessLog: true },
  { ...SMALL, name: 'workers', title: 'small, two workers on both cores', workers: 2 },
  HTTP2,
  {
    ...HTTP2,
    name: 'h2-single',
    title: "HTTP/2, a browser's requests, one at a time on a connection",
    http2: { connections: 64, streams: 1 },
  },
  { ...HTTP2, name: 'h2-clear', title: "HTTP/2 in cleartext, a browser's requests", isTls: false },
  { ...HTTP2, name: 'h2-post', title: 'HTTP/2, POST of 16 KiB', path: '/post', postBytes: 16 * KIB },
  { ...HTTP2, name: 'h2-64k', title: 'HTTP/2, 64 KiB responses', path: '/64k', answerBytes: 64 * KIB, http2: LARGE },
  { ...HTTP2, name: 'h2-1m', title: 'HTTP/2, 1 MiB responses', path: '/1m', answerBytes: KIB * KIB, http2: LARGE },
];

/** Files of the origin by name and size. It reads a POST to its end and answers with `small`. */
export const ORIGIN_FILES: readonly { readonly name: string; readonly bytes: number }[] = [
  { name: 'small', bytes: SMALL_BYTES },
  { name: 'post', bytes: SMALL_BYTES },
  { name: '64k', bytes: 64 * KIB },
  { name: 'json', bytes: 64 * KIB },
  { name: '1m', bytes: KIB * KIB },
];
