// Values, redirects, responses, error pages and splits over sockets, on both HTTP/1.1 paths. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type AppServer, startApps } from '../support/app-server.ts';
import { PATHS, startFairlead } from '../support/fairlead.ts';
import { RawClient } from '../support/raw-client.ts';

const PAGE = '<h1>{status} {reason}</h1><p>{path}</p>'.padEnd(2000, ' ');

function configOf(isFast: boolean, [stable, next]: readonly AppServer[], page: string): string {
  return `
workers: 1
fastPath: ${isFast}
listeners:
  - { name: web, bind: "127.0.0.1:0", errorPages: { 404: { body: "no {path}" } } }
routes:
  - { match: { path: /fields }, upstream: stable, requestHeaders: { set: { X-Copy: "{header.x-in}", X-Where: "{endpoint}" } },
      responseHeaders: { set: { X-Client: "{clientAddress}", X-None: "{cookie.none}" } } }
  - { match: { path: /moved }, redirect: { to: "https://{hostname}:8443{uri}" } }
  - { match: { path: /hello }, respond: { body: "{method} {query}" } }
  - { match: { path: /file }, respond: { file: "${page}" } }
  - match: { path: /errors }
    upstream: stable
    compress: { codings: [gzip] }
    retry: { attempts: 0, on: [connect-failure] }
    errorPages: { 503: { file: "${page}" } }
    interceptErrors: [503]
  - { match: { path: /split }, split: { upstreams: [{ upstream: stable, weight: 3 }, { upstream: next, weight: 1 }], override: "header:x-to" },
      requestHeaders: { set: { X-Copy: route } }, responseHeaders: { set: { X-Both: route } } }
  - { match: { host: never.test }, respond: {} }
upstreams:
  stable: { endpoints: ["http://${stable!.address}"], health: { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } } }
  next: { endpoints: ["http://${next!.address}"], health: { heartbeat: false },
          requestHeaders: { set: { X-Copy: next, X-Where: "{endpoint}" } }, responseHeaders: { set: { X-Both: next, X-One: next } } }
`;
}

for (const isFast of PATHS) {
  // size: the cases share one proxy, and each is a subtest
  test(`fastPath: ${isFast}`, async (t) => {
    const sockets = new Set<unknown>();
    const apps = await startApps(t, 2);
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-pages-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const page = join(folder, 'page.html');
    writeFileSync(page, PAGE);
    for (const app of apps) {
      app.handler = (request, response) => {
        sockets.add(request.socket);
        if (request.url === '/errors') {
          response.writeHead(503, { 'Content-Type': 'text/plain', ETag: '"a"', 'Content-Length': 9, 'X-Own': '1' });
          response.end(request.method === 'HEAD' ? undefined : 'app error');
          return;
        }
        const { 'x-copy': copy = '-', 'x-where': where = '-' } = request.headers;
        response.end([app.name, copy, where].join(' '));
      };
    }
    const { port } = await startFairlead(t, configOf(isFast, apps, page));

    async function send(target: string, fields: readonly string[] = [], method = 'GET') {
      const client = await RawClient.connect({ port });
      try {
        const lines = [`${method} ${target} HTTP/1.1`, 'Host: a.test:81', 'Connection: close', ...fields, '', ''];
        client.send(lines.join('\r\n'));
        return await client.readResponse(method);
      } finally {
        client.destroy();
      }
    }

    await t.test('values are set on requests and responses', async () => {
      const { head, body } = await send('/fields', ['X-In: {host}']);
      assert.equal(body, `${apps[0]!.name} {host} ${apps[0]!.address}`);
      assert.match(head, /^X-Client: 127\.0\.0\.1$/im);
      assert.doesNotMatch(head, /^X-None:/im);
    });

    await t.test('redirects keep the request, and responses are rendered', async () => {
      const moved = await send('/moved/a%20b?c=d');
      assert.equal(moved.status, 308);
      assert.match(moved.head, /^Location: https:\/\/a\.test:8443\/moved\/a%20b\?c=d$/im);
      assert.equal((await send('/hello?x=1')).body, 'GET x=1');
      const file = await send('/file');
      assert.match(file.head, /^Content-Type: text\/html; charset=utf-8$/im);
      assert.equal(file.body, PAGE);
    });

    await t.test('requests without a route get the page of the listener', async () => {
      const { status, body } = await send('/none?x');
      assert.deepEqual([status, body], [404, 'no /none']);
    });

    await t.test('an error of an endpoint is replaced, compressed, and its connection used again', async () => {
      sockets.clear();
      for (let i = 0; i < 3; i++) {
        const { status, head, body } = await send('/errors');
        assert.equal(status, 503);
        assert.equal(body, PAGE.replace('{status} {reason}', '503 Service Unavailable').replace('{path}', '/errors'));
        assert.match(head, /^X-Own: 1$/im);
        assert.doesNotMatch(head, /^(?:ETag|Content-Encoding):/im);
      }
      assert.equal(sockets.size, 1);
      const coded = await send('/errors', ['Accept-Encoding: gzip']);
      assert.match(coded.head, /^Content-Encoding: gzip$/im);
      assert.match(gunzipSync(Buffer.from(coded.body, 'latin1')).toString(), /503 Service Unavailable/);
    });

    await t.test('an intercepted HEAD has no body, and not the length of the endpoint', async () => {
      const { status, head, body } = await send('/errors', [], 'HEAD');
      assert.deepEqual([status, body], [503, '']);
      assert.match(head, /^Content-Type: text\/html/im);
      assert.doesNotMatch(head, /^Content-Length: 9$/im);
    });

    await t.test('a split has exact shares, and testers name an upstream', async () => {
      const names: string[] = [];
      for (let i = 0; i < 8; i++) names.push((await send('/split')).body.split(' ')[0]!);
      assert.equal(names.filter((name) => name === apps[1]!.name).length, 2);
      const named = await send('/split', ['X-To: next']);
      assert.equal(named.body.split(' ')[0], apps[1]!.name);
    });

    await t.test('an upstream of a split edits fields after the route, and those of its responses before', async () => {
      const answers = [await send('/split', ['X-To: stable']), await send('/split', ['X-To: next'])];
      const [stable, next] = apps;
      assert.deepEqual(
        answers.map(({ body }) => body),
        [`${stable!.name} route -`, `${next!.name} next ${next!.address}`],
      );
      const fieldsOf = (head: string): string[] => [...head.matchAll(/^X-(?:Both|One): .*$/gim)].map(([line]) => line);
      assert.deepEqual(
        answers.map(({ head }) => fieldsOf(head).toSorted()),
        [['X-Both: route'], ['X-Both: route', 'X-One: next']],
      );
    });
  });
}
