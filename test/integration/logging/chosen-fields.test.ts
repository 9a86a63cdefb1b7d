// Chosen fields, filters and trace context of the access log on both paths. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { eventually, PATHS, startFairlead } from '../../support/fairlead.ts';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

for (const fastPath of PATHS) {
  describe(`the access log, fastPath: ${fastPath}`, () => {
    test('has chosen values of requests and responses, without the routes and paths that are left out', async (t) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-fields-'));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      const output = path.join(folder, 'access.log');
      const seen: (string | undefined)[] = [];
      const app = createServer((request, response) => {
        seen.push(request.headers['traceparent'] as string | undefined);
        response.setHeader('X-Cache', 'HIT').setHeader('Set-Cookie', ['a=1', 'sid=new; Path=/']).end(request.url);
      });
      app.listen(0, '127.0.0.1');
      await once(app, 'listening');
      t.after(() => app.close());
      const { port } = await startFairlead(
        t,
        `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes:
  - { match: { path: /local }, respond: { status: 404 } }
  - name: site
    upstream: app
    traceContext: { create: true }
    routes:
      - { match: { path: /quiet }, accessLog: false }
      - { responseHeaders: { set: { x-cache: EDITED } } }
upstreams: { app: { endpoints: ["http://127.0.0.1:${(app.address() as AddressInfo).port}"], health: { heartbeat: false } } }
accessLog:
  output: ${output}
  skip: /healthz
  format:
    name: json
    fields: { path: path, route: route, status: status, cache: responseHeader.x-cache, set: responseCookie.sid, type: responseHeader.content-type, tenant: header.x-tenant, auth: header.authorization, sid: cookie.sid, trace: traceparent }
`,
      );
      const get = async (target: string, headers: Record<string, string> = {}): Promise<void> => {
        const answer = await fetch(`http://127.0.0.1:${port}${target}`, { headers });
        await answer.arrayBuffer();
      };
      await get('/a?x=1', {
        'X-Tenant': 'eu',
        Authorization: 'Basic eA==',
        Cookie: 'b=2; sid=old',
        Traceparent: TRACE,
      });
      await get('/quiet');
      await get('/healthz');
      await get('/b', { Traceparent: 'x' });
      await get('/local');
      const lines = (): string[] => readFileSync(output, 'utf8').split('\n').slice(0, -1);
      await eventually(() => lines().length >= 3, 'three lines');
      const [a, b, local] = lines().map((line) => JSON.parse(line) as Record<string, unknown>);
      const response = { status: 200, cache: 'EDITED', set: 'new', type: null, route: 'site.2' };
      assert.deepEqual(a, { path: '/a', ...response, tenant: 'eu', auth: '<hidden>', sid: 'old', trace: TRACE });
      assert.deepEqual(b, { path: '/b', ...response, tenant: null, auth: null, sid: null, trace: seen.at(-1) });
      assert.match(seen.at(-1)!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      assert.equal(seen[0], TRACE);
      assert.deepEqual([local!['status'], local!['type'], local!['trace']], [404, 'text/plain; charset=utf-8', null]);
      assert.equal(lines().length, 3);
    });
  });
}
