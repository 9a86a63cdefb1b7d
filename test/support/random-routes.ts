// Seeded configurations with all kinds of routes, and requests that nearly match them. Thread: both.

import { randomBelow, type Random } from '../../core/random.ts';

const HOSTS = ['a.test', '*.a.test', 'x.a.test', 'b.test', '*.test'] as const;
const PATHS = ['/', '/v1', '/v1/', '/v1/x', '/static', '/static/css/', '/%76', '/v1%2fx', '/v1;x'] as const;
const REGEXES = ['^/v[0-9]+/', '(?i)^/V1(/|$)', 'css$'] as const;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'] as const;
const VERSIONS = ['1', '2', '12', 'one two'] as const;
const LISTENERS = ['web', 'side'] as const;

const ASKED_HOSTS = [
  'a.test',
  'A.Test',
  'a.test:8080',
  'a.test.',
  'x.a.test',
  'y.x.a.test',
  'b.test',
  'c.test',
  'test',
];
const ASKED_PATHS =
  '/ /v1 /v1/ /v10 /V1 /v1/x /v1/x/y /v1/../v1 /v1//x /%761 /%76/1 /v1%2fx //v1 /v1/..;/x /v1;x /static/%2e%2e/v1/x /static /static/ /static/css //static /other'.split(
    ' ',
  );
const ASKED_QUERIES = [
  '',
  '',
  '?',
  '?q=1',
  '?q=2',
  '?q',
  '?q=12&q=1',
  '?Q=1',
  '?debug&q=%31',
  '?q=one+two',
  '?x=1&amp;q=1',
];

/** Upstreams of `randomConfig`, each named after its balancer. */
export const ROUTED_UPSTREAMS = [
  'round-robin',
  'hash-header',
  'hash-path',
  'hash-query',
  'hash-ip',
  'least-request',
] as const;

/** A client's request. */
export interface AskedRequest {
  readonly listener: string;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** `Name: value`, without Host. */
  readonly headers: readonly string[];
}

function pickOf<Item>(random: Random, items: readonly Item[]): Item {
  return items[randomBelow(random, items.length)]!;
}

function someOf<Item>(random: Random, items: readonly Item[]): Item[] {
  const first = pickOf(random, items);
  const second = pickOf(random, items);
  return random.next() < 0.7 || first === second ? [first] : [first, second];
}

/** One condition of a match, or none. */
function maybe<Part>(random: Random, share: number, part: () => Part): Part | undefined {
  return random.next() < share ? part() : undefined;
}

function pathOf(random: Random): unknown {
  if (random.next() < 0.1) return { regex: pickOf(random, REGEXES) };
  const path = pickOf(random, PATHS);
  return random.next() < 0.3 ? { exact: path } : path;
}

function valueOf(random: Random): unknown {
  const kind = random.next();
  if (kind < 0.3) return true;
  const value = pickOf(random, VERSIONS);
  return kind < 0.6 ? { prefix: value } : value;
}

function matchOf(random: Random) {
  return {
    listener: maybe(random, 0.15, () => someOf(random, LISTENERS)),
    host: maybe(random, 0.7, () => someOf(random, HOSTS)),
    path: maybe(random, 0.8, () => (random.next() < 0.7 ? pathOf(random) : [pathOf(random), pathOf(random)])),
    method: maybe(random, 0.5, () => someOf(random, METHODS)),
    header: maybe(random, 0.25, () => ({ [pickOf(random, ['x-version', 'X-Debug'])]: valueOf(random) })),
    query: maybe(random, 0.25, () => ({ [pickOf(random, ['q', 'debug'])]: valueOf(random) })),
    cookie: maybe(random, 0.06, () => ({ beta: valueOf(random) })),
    client: maybe(random, 0.08, () => pickOf(random, ['127.0.0.0/8', '192.0.2.0/24'])),
    protocol: maybe(random, 0.06, () => pickOf(random, ['http1', 'http2', 'grpc'])),
    not: maybe(random, 0.1, () => ({
      path: pathOf(random),
      method: maybe(random, 0.5, () => someOf(random, METHODS)),
    })),
  };
}

/** A route that identifies itself: by a request header, a media type, or its redirect target. */
function routeOf(random: Random, index: number): object {
  const name = `r${index}`;
  const match = matchOf(random);
  const kind = random.next();
  if (kind < 0.12) return { name, match, respond: { status: 240 + index, contentType: `text/${name}`, body: name } };
  if (kind < 0.24) return { name, match, redirect: { status: pickOf(random, [301, 307]), to: `/to/${name}` } };
  const host = pickOf(random, ['preserve', 'preserve', 'endpoint', 'fixed.test']);
  return {
    name,
    match,
    upstream: pickOf(random, ROUTED_UPSTREAMS),
    host,
    requestHeaders: { set: { 'x-route': name } },
  };
}

/**
 * A configuration object with two listeners and up to forty routes; its JSON is YAML.
 * @param addressesOf returns the endpoints of an upstream as URLs
 */
export function randomConfig(random: Random, fastPath: boolean, addressesOf: (upstream: string) => string[]): object {
  const routes = Array.from({ length: 10 + randomBelow(random, 30) }, (_, index) => routeOf(random, index));
  const upstreams = ROUTED_UPSTREAMS.map((name) => {
    const endpoints = addressesOf(name).map((url, index) => ({
      url,
      weight: 1 + ((index + randomBelow(random, 4)) % 5),
    }));
    const retry = { attempts: 0 };
    const health = { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } };
    return [name, { balance: balanceOf(name, random), endpoints, health, retry }] as const;
  });
  return {
    workers: 1,
    fastPath,
    listeners: LISTENERS.map((name) => ({ name, bind: '127.0.0.1:0' })),
    routes,
    upstreams: Object.fromEntries(upstreams),
  };
}

function balanceOf(name: string, random: Random): unknown {
  const keys: Readonly<Record<string, string>> = {
    'hash-header': 'header:x-user',
    'hash-path': 'path',
    'hash-query': 'query:q',
    'hash-ip': 'client-ip',
  };
  const key = keys[name];
  if (key === undefined) return name;
  return { strategy: 'consistent-hash', key, tableSize: 1021, seed: randomBelow(random, 1000) };
}

export function randomRequest(random: Random): AskedRequest {
  const headers = [
    maybe(random, 0.5, () => `X-Version: ${pickOf(random, VERSIONS)}`),
    maybe(random, 0.3, () => `x-debug: ${pickOf(random, ['', '1', 'yes'])}`),
    maybe(random, 0.8, () => `X-User: ${randomBelow(random, 50)}`),
    maybe(random, 0.1, () => 'X-Forwarded-For: 192.0.2.1'),
    maybe(random, 0.3, () => `Cookie: a=1; beta=${pickOf(random, VERSIONS)}`),
    maybe(random, 0.1, () => 'Content-Type: application/grpc'),
  ];
  return {
    listener: pickOf(random, LISTENERS),
    method: pickOf(random, METHODS),
    target: pickOf(random, ASKED_PATHS) + pickOf(random, ASKED_QUERIES),
    host: pickOf(random, ASKED_HOSTS),
    headers: headers.filter((line) => line !== undefined),
  };
}
