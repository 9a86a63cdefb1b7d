// Runs every recipe of docs/recipes.md, with requests that show that it does what its text says. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { eventually } from '../../support/fairlead.ts';
import { helloOf } from '../../support/client-hello.ts';
import { EchoClient, GrpcEcho } from '../../support/grpc-echo.ts';
import { RawClient } from '../../support/raw-client.ts';
import { appsOf, type Echo, RecipeBench, statusesOf } from './recipe-bench.ts';

const PAGE = readFileSync(new URL('../../../docs/recipes.md', import.meta.url), 'utf8');

type Check = (start: (files?: Readonly<Record<string, string>>) => Promise<RecipeBench>) => Promise<void>;

/** By the heading of the recipe. */
const CHECKS: Readonly<Record<string, Check>> = {
  'Balance several app servers': async (start) => {
    const bench = await start();
    assert.deepEqual(appsOf(await bench.askMany(30, '/')), ['3000', '3001', '3002']);
    await bench.app(3000).kill();
    const answers = await bench.askMany(10, '/');
    assert.deepEqual([statusesOf(answers), appsOf(answers)], [[200], ['3001', '3002']]);
  },

  'Serve gRPC to programs and to browsers': async (start) => {
    const bench = await start();
    const { port } = bench.app(3000);
    await bench.app(3000).kill();
    const echo = await GrpcEcho.listen(port);
    const client = new EchoClient(bench.fairlead.port, null);
    const call = await client.call('unary');
    const denied = await client.call('slow');
    const headers = { 'content-type': 'application/grpc-web', origin: 'https://app.example.com' };
    const web = await bench.ask('/test.Echo/Unary', { method: 'POST', headers, body: '\0\0\0\0\u0002hi' });
    client.close();
    echo.close();
    assert.deepEqual([call.code, denied.code], [0, 7]);
    assert.equal(web.headers['access-control-allow-origin'], 'https://app.example.com');
    assert.ok(web.text.startsWith('\0\0\0\0\u0002hi'));
    assert.match(web.text, /grpc-status: 0/);
  },

  'Serve several sites': async (start) => {
    const bench = await start();
    for (const [host, app] of [
      ['shop.example.com', '3000'],
      ['blog.example.com', '3001'],
      ['my.blog.example.com', '3001'],
    ] as const) {
      assert.equal((await bench.echo('/', { headers: { host } })).app, app);
    }
    assert.equal((await bench.ask('/', { headers: { host: 'other.example.com' } })).status, 404);
  },

  'Write a site once': async (start) => {
    const bench = await start();
    assert.equal((await bench.echo('/api/items')).app, '3000');
    const page = await bench.ask('/index.html');
    assert.equal(page.headers['x-content-type-options'], 'nosniff');
    assert.equal((await bench.ask('/api', { headers: { host: 'other.example.com' } })).status, 404);
    const tooLarge = await bench.ask('/api', { method: 'POST', body: 'x'.repeat(1_048_577) });
    assert.equal(tooLarge.status, 413);
  },

  'Keep a client at its endpoint': async (start) => {
    const bench = await start();
    const first = await bench.ask('/');
    const cookie = first.headers['set-cookie']![0]!.split(';')[0]!;
    const answers = await bench.askMany(6, '/', { headers: { cookie } });
    assert.deepEqual(appsOf(answers), appsOf([first]));
    await bench.app(Number(appsOf([first])[0])).kill();
    assert.deepEqual(statusesOf(await bench.askMany(3, '/', { headers: { cookie } })), [200]);
  },

  'Send the same key to the same cache': async (start) => {
    const bench = await start();
    for (const target of ['/a', '/b', '/c']) assert.equal(appsOf(await bench.askMany(4, target)).length, 1);
    assert.deepEqual(appsOf(await bench.askMany(40, (index) => `/${index}`)), ['3000', '3001', '3002']);
  },

  'Use weights and a backup': async (start) => {
    const bench = await start();
    await bench.askMany(12, '/');
    assert.deepEqual([bench.app(3000).served, bench.app(3001).served, bench.app(3002).served], [3, 9, 0]);
    await bench.app(3000).kill();
    await bench.app(3001).kill();
    assert.deepEqual(statusesOf(await bench.askMany(3, '/')), [200]);
    await eventually(() => bench.app(3002).served > 0, 'the backup is in use');
  },

  'Compress responses': async (start) => {
    const bench = await start();
    bench.app(3000).handler = (request, response) => {
      const isStream = request.url === '/events';
      response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
      response.end(JSON.stringify('long '.repeat(1000)));
    };
    const accepted = { headers: { 'accept-encoding': 'gzip' } };
    const whole = await bench.ask('/');
    const compressed = await bench.ask('/', accepted);
    assert.equal(compressed.headers['content-encoding'], 'gzip');
    assert.ok(compressed.body.length < whole.body.length / 4);
    assert.deepEqual(gunzipSync(compressed.body), whole.body);
    assert.equal((await bench.ask('/events', accepted)).headers['content-encoding'], undefined);
  },

  'Let another origin call the API': async (start) => {
    const bench = await start();
    const origin = 'https://app.example.com';
    const preflight = await bench.ask('/', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'content-type' },
    });
    assert.equal(preflight.headers['access-control-allow-origin'], origin);
    assert.equal(preflight.headers['access-control-allow-credentials'], 'true');
    assert.equal(bench.app(3000).served, 0);
    assert.equal((await bench.ask('/', { headers: { origin } })).headers['access-control-allow-origin'], origin);
    const other = await bench.ask('/', { headers: { origin: 'https://other.example' } });
    assert.equal(other.headers['access-control-allow-origin'], undefined);
  },

  'Restrict a path to internal addresses': async (start) => {
    const bench = await start();
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    assert.equal((await bench.ask('/admin/users', from('10.1.2.3'))).status, 200);
    for (const target of ['/admin/users', '/%61dmin/users', '//admin/users', '/x/../admin']) {
      assert.equal((await bench.ask(target, from('192.0.2.1'))).status, 403, target);
    }
    assert.equal((await bench.ask('/', from('192.0.2.1'))).status, 200);
  },

  'Relay sessions of a database': async (start) => {
    const bench = await start();
    assert.deepEqual(appsOf(await bench.askMany(3, '/')), ['3000']);
    await bench.app(3000).kill();
    await eventually(async () => appsOf(await bench.askMany(1, '/')).join() === '3001', 'the backup gets the sessions');
  },

  'Share a port between servers with certificates of their own': async (start) => {
    const bench = await start();
    const port = bench.portOf('port');
    const web = await RawClient.connect({ port, tls: { servername: 'shop.example.com' } });
    web.send('GET / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n');
    const { status, body } = await web.readResponse();
    const { app, headers } = JSON.parse(body) as Echo;
    assert.deepEqual([status, app, headers['x-forwarded-for']], [200, '3000', '127.0.0.1']);
    // The server of this recipe speaks no TLS: it gets the hello as it is, and refuses it.
    const git = await RawClient.connect({ port });
    git.send((await helloOf({ servername: 'git.example.com' })).toString('latin1'));
    assert.match(await git.readToEnd(), /^HTTP\/1.1 400/);
    git.socket.destroy();
  },

  'Stand behind another load balancer': async (start) => {
    const bench = await start();
    const { headers } = await bench.echo('/', {
      headers: { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https' },
    });
    assert.equal(headers['x-forwarded-for'], '192.0.2.7, 127.0.0.1');
    assert.equal(headers['x-forwarded-proto'], 'https');
    assert.equal(headers['x-real-ip'], '192.0.2.7');
  },

  'Stand behind a load balancer for TCP': async (start) => {
    const bench = await start();
    const statusFor = async (client: string, path: string): Promise<number> => {
      const connection = await RawClient.connect({ port: bench.fairlead.port });
      connection.send(`PROXY TCP4 ${client} 192.0.2.1 4000 80\r\nGET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const { status, body } = await connection.readResponse();
      if (status === 200) assert.equal((JSON.parse(body) as Echo).headers['x-forwarded-for'], client);
      connection.destroy();
      return status;
    };
    assert.deepEqual([await statusFor('203.0.113.7', '/admin'), await statusFor('192.0.2.7', '/admin')], [200, 403]);
    assert.equal(await statusFor('192.0.2.7', '/'), 200);
    await assert.rejects(bench.ask('/'), 'a connection without a header');
  },

  'Tell the app about the request': async (start) => {
    const bench = await start();
    const answer = await bench.ask('/', { headers: { 'x-debug-sql': '1' } });
    const { headers } = JSON.parse(answer.text) as { headers: Record<string, string> };
    assert.equal(headers['x-original-host'], 'shop.example.com');
    assert.equal(headers['x-route'], 'app');
    assert.equal(headers['x-debug-sql'], undefined);
    assert.equal(answer.headers['x-request-id'], headers['x-request-id']);
    assert.equal(answer.headers['x-powered-by'], undefined);
  },

  'Terminate TLS': async (start) => {
    const bench = await start();
    const answer = await bench.ask('/');
    assert.equal(answer.status, 200);
    assert.match(answer.headers['strict-transport-security'] ?? '', /max-age=\d+/);
  },

  'Answer without an app server': async (start) => {
    const bench = await start();
    assert.match((await bench.ask('/robots.txt')).text, /^User-agent: \*\nDisallow: \/\n$/);
    const moved = await bench.ask('/old');
    assert.deepEqual([moved.status, moved.headers['location']], [301, '/new']);
    assert.equal((await bench.echo('/')).app, '3000');
  },

  'Send every visitor to HTTPS': async (start) => {
    const bench = await start();
    const moved = await bench.ask('/cart?id=7', { method: 'POST', body: 'x' });
    assert.deepEqual([moved.status, moved.headers['location']], [308, 'https://shop.example.com/cart?id=7']);
    assert.equal((await bench.echo('/cart', { listener: 'web' })).url, '/cart');
  },

  'Serve a single-page application and its API': async (start) => {
    const bench = await start({ 'index.html': '<title>app</title>', 'assets/app.1f2e.js': 'run()' });
    const view = await bench.ask('/orders/7');
    assert.deepEqual([view.status, view.text, view.headers['cache-control']], [200, '<title>app</title>', 'no-cache']);
    const asset = await bench.ask('/assets/app.1f2e.js');
    assert.match(asset.headers['cache-control'] ?? '', /immutable/);
    assert.equal((await bench.ask('/assets/none.js')).status, 404);
    assert.equal((await bench.echo('/api/orders')).app, '3000');
  },

  'Limit the rate of a login': async (start) => {
    const bench = await start();
    const answers = await bench.askMany(6, '/login', { method: 'POST', body: 'x' });
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200, 429],
    );
    assert.ok(Number(answers.at(-1)!.headers['retry-after']) > 0);
    assert.equal((await bench.ask('/')).status, 200);
  },

  'Send a part of the traffic to a new version': async (start) => {
    const bench = await start();
    const first = await bench.askMany(40, '/');
    assert.equal(first.filter(({ text }) => text.includes('"app":"3001"')).length, 2);
    const cookie = first[0]!.headers['set-cookie']![0]!.split(';')[0]!;
    assert.deepEqual(appsOf(await bench.askMany(30, '/', { headers: { cookie } })), appsOf([first[0]!]));
    assert.equal((await bench.echo('/', { headers: { 'x-version': 'canary' } })).app, '3001');
  },

  'Try a new version with copies of real requests': async (start) => {
    const bench = await start();
    const copies: string[] = [];
    bench.app(3001).handler = (request, response) => {
      if (request.url === '/order') copies.push(String(request.headers['x-mirrored']));
      response.writeHead(500).end();
    };
    const answer = await bench.ask('/order', { method: 'POST', body: 'two chairs' });
    const { app, headers } = JSON.parse(answer.text) as Echo;
    assert.deepEqual([answer.status, app, headers['x-mirrored']], [200, '3000', undefined]);
    await eventually(() => copies.length === 1, 'the copy arrives');
    assert.deepEqual(copies, ['yes']);
    await bench.app(3001).kill();
    assert.deepEqual(statusesOf(await bench.askMany(3, '/order')), [200]);
  },

  'Show pages of your own for errors': async (start) => {
    const bench = await start();
    bench.app(3000).handler = (_request, response) => response.writeHead(502).end('Traceback (most recent call last)');
    const page = await bench.ask('/', { headers: { accept: 'text/html' } });
    assert.equal(page.status, 502);
    assert.match(page.text, /^<h1>We are back in a moment<\/h1><p>Request [\w-]+<\/p>$/);
    const json = await bench.ask('/', { headers: { accept: 'application/json' } });
    assert.equal((JSON.parse(json.text) as { error: string }).error, 'unavailable');
  },

  'Give slow reports more time': async (start) => {
    const bench = await start();
    bench.app(3000).handler = (_request, response) => setTimeout(() => response.end('late'), 1_500);
    const [report, other] = await Promise.all([bench.ask('/reports/2026'), bench.ask('/')]);
    assert.deepEqual([report.status, other.status], [200, 504]);
  },

  'Put a socket.io application and a Vite dev server behind policies': async (start) => {
    const bench = await start();
    const [chat, ...others] = await bench.askMany(6, '/socket.io/?transport=polling');
    assert.deepEqual(appsOf([chat!, ...others]), ['3000', '3001']);
    const cookie = chat!.headers['set-cookie']![0]!.split(';')[0]!;
    const session = await bench.askMany(6, '/socket.io/?sid=1', { headers: { cookie } });
    assert.deepEqual(appsOf(session), appsOf([chat!]));
    assert.equal((await bench.echo('/main.js')).app, '3002');
  },

  'Write the access log that you need': async (start) => {
    const bench = await start();
    bench.app(3000).handler = (_request, response) => response.writeHead(500).end();
    await bench.ask('/broken', { headers: { 'user-agent': 'test' } });
    await bench.ask('/healthz');
    const lines = (): string[] => readFileSync(path.join(bench.folder, 'access.log'), 'utf8').trimEnd().split('\n');
    await eventually(() => lines().some((line) => line.includes('/broken')), 'the failure is logged');
    const logged = lines().map((line) => JSON.parse(line) as Record<string, unknown>);
    const broken = logged.find(({ what }) => what === '/broken')!;
    assert.deepEqual(Object.keys(broken), ['at', 'who', 'what', 'status', 'agent']);
    assert.deepEqual([broken['who'], broken['status'], broken['agent']], ['127.0.0.1', 500, 'test']);
  },
};

const RECIPES = PAGE.split(/^## /m)
  .slice(1)
  .map((section) => {
    const blocks = [...section.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, yaml]) => yaml!);
    return { heading: section.slice(0, section.indexOf('\n')), blocks };
  });

describe('the recipe', () => {
  for (const { heading, blocks } of RECIPES) {
    test(heading, async (t: TestContext) => {
      assert.equal(blocks.length, 1, 'one configuration');
      const check = CHECKS[heading];
      assert.ok(check !== undefined, 'the test file has a check for it');
      await check((files) => RecipeBench.start(t, blocks[0]!, files));
    });
  }

  test('of every check exists', () => {
    const headings = RECIPES.map(({ heading }) => heading);
    assert.deepEqual(Object.keys(CHECKS).toSorted(), headings.toSorted());
  });
});
