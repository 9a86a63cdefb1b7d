// The sites, and the requests that are played through both forms of each. Known differences are argued in README.md.
// Thread: main.

import type { MigratedSite } from './migrated-site.ts';

type Difference = readonly [peer: string, fairlead: string];

/** Types of files: nginx leaves out the charset, and has the obsolete type of scripts. */
const HTML: Difference = ['text/html', 'text/html; charset=utf-8'];
const SCRIPT: Difference = ['application/javascript', 'text/javascript; charset=utf-8'];

/** Browsers encode names and passwords as UTF-8 only if they are asked to. */
const CHALLENGE = { 'www-authenticate': ['Basic realm="staff"', 'Basic realm="staff",charset="UTF-8"'] } as const;

const JSON_ACCEPTED = { 'accept-encoding': 'gzip' };

export const SITES: readonly MigratedSite[] = [
  {
    name: 'node-app',
    peer: 'nginx',
    requests: [
      { target: '/', host: 'shop.test' },
      { target: '/a%20b/c?d=e&f', host: 'www.shop.test', fields: { cookie: 'a=1; b=2', 'x-own': 'yes' } },
      { method: 'POST', target: '/orders', host: 'shop.test', body: 'one=1' },
      { method: 'DELETE', target: '/orders/7', host: 'shop.test' },
      { target: '/status/418', host: 'shop.test' },
      { target: '/cookie', host: 'shop.test' },
      { method: 'HEAD', target: '/plain', host: 'shop.test' },
    ],
  },
  {
    name: 'two-apps',
    peer: 'nginx',
    requests: [
      { target: '/', times: 4 },
      { target: '/status/500', times: 2 },
    ],
  },
  {
    name: 'gateway',
    peer: 'nginx',
    requests: [
      { target: '/health' },
      { target: '/' },
      { target: '/api/users/7?x' },
      { target: '/api/orders/7/' },
      { target: '/api/other' },
      {
        target: '/api/users/../orders/1',
        differs: { line: ['GET /api/users/../orders/1', 'GET /api/orders/1'] },
      },
    ],
  },
  {
    name: 'compressed-api',
    peer: 'nginx',
    requests: [
      { target: '/big.json', fields: JSON_ACCEPTED },
      { target: '/big.json' },
      { target: '/small.json', fields: JSON_ACCEPTED },
      { target: '/big.png', fields: JSON_ACCEPTED },
      { target: '/big.json', fields: { 'accept-encoding': 'gzip;q=0' } },
      { target: '/tagged.json', fields: JSON_ACCEPTED },
      { target: '/events', fields: JSON_ACCEPTED },
      { method: 'HEAD', target: '/big.json', fields: JSON_ACCEPTED },
    ],
  },
  {
    name: 'https-only',
    peer: 'nginx',
    requests: [
      { target: '/', host: 'shop.test' },
      { target: '/a%2Fb?c=d', host: 'shop.test:8080' },
      {
        target: '/.well-known/acme-challenge/token',
        host: 'shop.test',
        differs: { 'content-type': ['text/plain', 'application/octet-stream'] },
      },
      { method: 'POST', target: '/form', host: 'shop.test', body: 'x' },
    ],
  },
  {
    name: 'single-page',
    peer: 'nginx',
    requests: [
      { target: '/', differs: { 'content-type': HTML } },
      { target: '/users/7', differs: { 'content-type': HTML } },
      { target: '/assets/app.js', differs: { 'content-type': SCRIPT } },
      { target: '/api/users' },
      {
        target: '/assets/app.js',
        fields: { range: 'bytes=0-3' },
        differs: { 'content-type': SCRIPT, 'accept-ranges': ['', 'bytes'] },
      },
      {
        target: '/assets/missing.js',
        differs: {
          status: ['200', '404'],
          'content-type': ['text/html', ''],
          'last-modified': ['Tue,01 Jan 2030 00:00:00 GMT', ''],
          etag: ['strong', ''],
          'accept-ranges': ['bytes', ''],
          body: ['<h1>home</h1>', ''],
        },
      },
    ],
  },
  {
    name: 'static-site',
    peer: 'nginx',
    requests: [
      { target: '/', differs: { 'content-type': HTML } },
      { target: '/docs/', differs: { 'content-type': HTML } },
      { target: '/docs', differs: { location: ['http://site.test:PORT/docs/', '/docs/'] } },
      { target: '/missing' },
      { target: '/assets/app.js', differs: { 'content-type': SCRIPT } },
      { target: '/assets/app.js', fields: { 'if-modified-since': 'Tue, 01 Jan 2030 00:00:00 GMT' } },
      {
        target: '/assets/app.js',
        fields: { 'if-modified-since': 'Thu, 01 Jan 2099 00:00:00 GMT' },
        differs: {
          status: ['200', '304'],
          'content-type': ['application/javascript', ''],
          'cache-control': ['public,immutable', ''],
          'accept-ranges': ['bytes', ''],
          body: ['let a = 1;', ''],
        },
      },
      { target: '/assets/app.js', fields: { 'if-none-match': '*' } },
      {
        target: '/assets/app.js',
        fields: { range: 'bytes=-4' },
        differs: { 'content-type': SCRIPT, 'accept-ranges': ['', 'bytes'] },
      },
      { target: '/assets/app.js', fields: { range: 'bytes=999999-' } },
      { method: 'HEAD', target: '/', differs: { 'content-type': HTML } },
      { method: 'POST', target: '/', body: 'x', differs: { allow: ['', 'GET,HEAD'] } },
      { target: '/..%2fsecret.txt', differs: { status: ['400', '404'] } },
      { target: '/%2e%2e/%2e%2e/etc/passwd', differs: { status: ['400', '404'] } },
      {
        target: '/.hidden',
        differs: {
          status: ['200', '404'],
          'content-type': ['text/plain', ''],
          'last-modified': ['Tue,01 Jan 2030 00:00:00 GMT', ''],
          etag: ['strong', ''],
          'accept-ranges': ['bytes', ''],
          body: ['hidden', ''],
        },
      },
    ],
  },
  {
    name: 'precompressed',
    peer: 'nginx',
    requests: [
      {
        target: '/assets/app.js',
        fields: JSON_ACCEPTED,
        differs: { 'content-type': SCRIPT, 'accept-ranges': ['', 'bytes'] },
      },
      { target: '/assets/app.js', differs: { 'content-type': SCRIPT } },
      {
        target: '/index.html',
        fields: JSON_ACCEPTED,
        differs: { 'content-type': HTML, vary: ['', 'Accept-Encoding'] },
      },
    ],
  },
  {
    name: 'strict-headers',
    peer: 'nginx',
    requests: [{ target: '/' }, { target: '/status/404' }, { target: '/closed' }],
  },
  {
    name: 'framework-assets',
    peer: 'nginx',
    requests: [{ target: '/_next/static/x.js' }, { target: '/' }, { target: '/_next/image' }],
  },
  {
    name: 'event-intake',
    peer: 'nginx',
    requests: [
      { target: '/api/store/' },
      { target: '/api/42/envelope/' },
      { target: '/api/0/relays/x' },
      { target: '/api/0/projects/' },
      { target: '/api/04/' },
    ],
  },
  {
    name: 'inner-admin',
    peer: 'nginx',
    requests: [{ target: '/admin/' }, { target: '/admin/x' }, { target: '/status/' }, { target: '/' }],
  },
  { name: 'with-backup', peer: 'nginx', requests: [{ target: '/' }, { target: '/', times: 3 }] },
  {
    name: 'canonical-host',
    peer: 'nginx',
    requests: [
      { target: '/a?b=c', host: 'www.blog.test' },
      { target: '/a?b=c', host: 'blog.test' },
      { target: '/', host: 'anna.author.test' },
      { target: '/', host: 'author.test' },
      { target: '/', host: 'other.test' },
    ],
  },
  {
    name: 'uploads',
    peer: 'nginx',
    requests: [
      { method: 'POST', target: '/', body: 'x'.repeat(2048) },
      { method: 'PUT', target: '/', body: 'x'.repeat(2049) },
    ],
  },
  {
    name: 'login-limit',
    peer: 'nginx',
    requests: [
      {
        target: '/login',
        times: 5,
        differs: { app: ['200 a,200 a,200 a,503 -,503 -', '200 a,200 a,200 a,429 -,429 -'] },
      },
      { target: '/other', times: 5 },
    ],
  },
  {
    name: 'staff',
    peer: 'nginx',
    requests: [
      { target: '/' },
      { target: '/staff/', differs: CHALLENGE },
      { target: '/staff/', fields: { authorization: `Basic ${btoa('anna:open sesame')}` } },
      { target: '/staff/', fields: { authorization: `Basic ${btoa('anna:wrong')}` }, differs: CHALLENGE },
      { target: '/staff/', fields: { authorization: `Basic ${btoa('nobody:open sesame')}` }, differs: CHALLENGE },
      { target: '/staff/', fields: { authorization: 'Bearer token' }, differs: CHALLENGE },
    ],
  },
  {
    name: 'sorry-page',
    peer: 'nginx',
    requests: [
      {
        target: '/',
        comparesPage: true,
        differs: { 'content-type': HTML, etag: ['strong', ''], 'cache-control': ['', 'no-store'] },
      },
    ],
  },
  {
    name: 'hosts',
    peer: 'haproxy',
    requests: [
      { target: '/x', host: 'www.corp.test' },
      { target: '/x', host: 'WWW.Corp.test' },
      { target: '/x', host: 'console.corp.test' },
      { target: '/x', host: 'other.corp.test', differs: { status: ['503', '404'] } },
    ],
  },
  {
    name: 'media-host',
    peer: 'haproxy',
    requests: [
      { target: '/a.png', host: 'static.media.test' },
      { target: '/static/a.png', host: 'media.test' },
      { target: '/staticky', host: 'media.test' },
      { target: '/', host: 'media.test', times: 3 },
    ],
  },
  {
    name: 'to-https',
    peer: 'haproxy',
    requests: [
      { target: '/', host: 'corp.test' },
      { target: '/a?b=%20', host: 'corp.test' },
      { method: 'POST', target: '/form', host: 'corp.test', body: 'x' },
    ],
  },
  {
    name: 'api-pair',
    peer: 'haproxy',
    requests: [{ target: '/', times: 4 }, { method: 'POST', target: '/', body: 'abc', times: 2 }, { target: '/plain' }],
  },
  {
    name: 'monitor',
    peer: 'haproxy',
    requests: [{ target: '/alive' }, { target: '/v0/users' }, { target: '/' }],
  },
  {
    name: 'header-edits',
    peer: 'haproxy',
    requests: [
      { target: '/', fields: { 'x-debug': '1', 'x-client': '6.6.6.6', 'x-tag': 'mine' } },
      { target: '/status/404' },
    ],
  },
  {
    name: 'closed-paths',
    peer: 'haproxy',
    requests: [
      { target: '/internal/x' },
      { method: 'PUT', target: '/x', body: 'y' },
      { target: '/office/' },
      { target: '/internals' },
      { target: '/' },
    ],
  },
  {
    name: 'testers',
    peer: 'haproxy',
    requests: [
      { target: '/' },
      { target: '/', fields: { 'x-version': '2' } },
      { target: '/', fields: { 'x-version': '20' } },
      { target: '/', fields: { cookie: 'a=1; beta=yes' } },
      { target: '/?preview=1' },
      { target: '/?preview=10' },
    ],
  },
  {
    name: 'compressed-pages',
    peer: 'haproxy',
    requests: [
      { target: '/big.json', fields: JSON_ACCEPTED },
      { target: '/big.json', differs: { vary: ['', 'Accept-Encoding'] } },
      { target: '/big.png', fields: JSON_ACCEPTED },
      { target: '/tagged.json', fields: JSON_ACCEPTED, differs: { 'accept-ranges': ['bytes', ''] } },
      {
        method: 'HEAD',
        target: '/big.json',
        fields: JSON_ACCEPTED,
        differs: { 'content-encoding': ['', 'gzip'], vary: ['', 'Accept-Encoding'] },
      },
    ],
  },
  {
    name: 'all-down',
    peer: 'haproxy',
    requests: [
      { target: '/', differs: { status: ['503', '502'] } },
      { method: 'POST', target: '/', body: 'x', differs: { status: ['503', '502'] } },
    ],
  },
  { name: 'weights', peer: 'haproxy', requests: [{ target: '/', times: 8 }] },
  {
    name: 'sticky',
    peer: 'haproxy',
    requests: [
      {
        target: '/',
        differs: {
          'set-cookie': ['srv=VALUE; path=/', 'srv=VALUE; Path=/; HttpOnly; SameSite=Lax'],
          'cache-control': ['', 'private'],
        },
      },
      {
        target: '/plain',
        times: 4,
        keepsCookie: true,
        differs: { 'set-cookie': ['srv=VALUE; path=/', 'srv=VALUE; Path=/; HttpOnly; SameSite=Lax'] },
      },
    ],
  },
];
