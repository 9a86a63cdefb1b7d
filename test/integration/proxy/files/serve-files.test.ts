// Static files in a whole Fairlead, on each path of HTTP/1.1 and over HTTP/2, with the policies of their route. Thread: main.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import zlib from 'node:zlib';
import { CLIENT_WAYS, type Received, type Send, sendOver, tlsOf } from '../../../support/client-ways.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../../support/fairlead.ts';

const BIG = randomBytes(3_000_000);
const SCRIPT = 'console.log("a script");\n'.repeat(200);

async function textOf({ body }: Received): Promise<string> {
  return Buffer.concat(await body.toArray()).toString('latin1');
}

for (const way of CLIENT_WAYS) {
  describe(`files on the path ${way}`, () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-site-'));
    const root = path.join(folder, 'public');
    const cleanups: (() => unknown)[] = [];
    const t = { after: (run: () => unknown) => cleanups.unshift(run) } as unknown as TestContext;
    let fairlead: RunningFairlead;
    let send: Send;

    before(async () => {
      mkdirSync(path.join(root, 'docs'), { recursive: true });
      writeFileSync(`${root}/index.html`, '<h1>home</h1>');
      writeFileSync(`${root}/docs/index.html`, '<h1>docs</h1>');
      writeFileSync(`${root}/app.js`, SCRIPT);
      writeFileSync(`${root}/ready.js`, SCRIPT);
      writeFileSync(`${root}/ready.js.br`, zlib.brotliCompressSync(SCRIPT));
      writeFileSync(`${root}/big.bin`, BIG);
      writeFileSync(`${root}/empty.txt`, '');
      writeFileSync(`${folder}/secret.txt`, 'secret');
      fairlead = await startFairlead(
        t,
        `
workers: 1
fastPath: ${way !== 'node:http'}
admin: { bind: "127.0.0.1:0" }
accessLog: { format: json, output: ${folder}/access.log }
listeners: [{ name: web, bind: "127.0.0.1:0"${tlsOf(way, folder)} }]
routes:
  - name: site
    files: { root: ${root}, spaFallback: index.html, precompressed: true, cacheControl: { "*.html": no-cache, "*": max-age=60 } }
    compress: { types: [text/*] }
    responseHeaders: { set: { x-site: one } }
`,
      );
      send = sendOver(way, fairlead.port, t);
    });

    after(async () => {
      for (const cleanup of cleanups) await cleanup();
      rmSync(folder, { recursive: true });
    });

    test('answer with status, fields and body', async () => {
      const home = await send('/');
      assert.equal(await textOf(home), '<h1>home</h1>');
      const { etag, 'content-length': length, 'content-type': type, 'cache-control': cache } = home.headers;
      assert.deepEqual([home.status, length, type, cache], [200, '13', 'text/html; charset=utf-8', 'no-cache']);
      assert.equal(home.headers['x-site'], 'one');
      const again = await send('/', { 'if-none-match': String(etag) });
      assert.deepEqual([again.status, await textOf(again), again.headers['etag']], [304, '', etag]);
      const view = await send('/users/7');
      assert.deepEqual([view.status, await textOf(view)], [200, '<h1>home</h1>']);
      const empty = await send('/empty.txt');
      assert.deepEqual([empty.status, empty.headers['content-length'], await textOf(empty)], [200, '0', '']);
    });

    test('answer HEAD without a body, and other methods with 405', async () => {
      const head = await send('/big.bin', {}, 'HEAD');
      assert.deepEqual(
        [head.status, head.headers['content-length'], await textOf(head)],
        [200, String(BIG.length), ''],
      );
      const post = await send('/app.js', {}, 'POST');
      assert.deepEqual([post.status, post.headers['allow']], [405, 'GET, HEAD']);
      assert.match(await textOf(post), /method-not-allowed/);
    });

    test('answer with parts', async () => {
      const part = await send('/big.bin', { range: 'bytes=1000000-1999999' });
      assert.deepEqual([part.status, part.headers['content-range']], [206, `bytes 1000000-1999999/${BIG.length}`]);
      assert.ok(Buffer.concat(await part.body.toArray()).equals(BIG.subarray(1_000_000, 2_000_000)));
      const none = await send('/big.bin', { range: 'bytes=9000000-' });
      assert.deepEqual([none.status, await textOf(none)], [416, '']);
      assert.equal((await send('/big.bin', { 'if-match': '"other"' })).status, 412);
    });

    test('are compressed by the policy, or sent as they were compressed', async () => {
      const dynamic = await send('/app.js', { 'accept-encoding': 'br' });
      const { etag, 'content-encoding': coding, 'accept-ranges': ranges, vary } = dynamic.headers;
      assert.deepEqual(
        [coding, ranges, vary, String(etag).startsWith('W/')],
        ['br', undefined, 'Accept-Encoding', true],
      );
      assert.equal(zlib.brotliDecompressSync(Buffer.from(await textOf(dynamic), 'latin1')).toString(), SCRIPT);
      const again = await send('/app.js', { 'accept-encoding': 'br', 'if-none-match': String(etag) });
      assert.deepEqual([again.status, again.headers['etag']], [304, etag]);
      const ready = await send('/ready.js', { 'accept-encoding': 'gzip;q=0.5, br' });
      assert.deepEqual([ready.headers['content-encoding'], ready.headers['accept-ranges']], ['br', 'bytes']);
      assert.equal(zlib.brotliDecompressSync(Buffer.from(await textOf(ready), 'latin1')).toString(), SCRIPT);
    });

    test('are redirected to where they are directories, and 404 where they are missing', async () => {
      const docs = await send('/docs?x=1');
      assert.deepEqual([docs.status, docs.headers['location']], [301, '/docs/?x=1']);
      assert.equal(await textOf(await send('/docs/')), '<h1>docs</h1>');
      for (const target of [
        '/missing.js',
        '/.git/config',
        '/..%2fsecret.txt',
        '/%2e%2e/secret.txt',
        '/x/..%5c..%5csecret.txt',
      ]) {
        const { status } = await send(target);
        assert.ok([400, 404].includes(status), `${target} ${status}`);
      }
    });

    test('are counted and logged as local traffic, and explained', async () => {
      await textOf(await send('/app.js?logged'));
      const lines = (): string => readFileSync(`${folder}/access.log`, 'utf8');
      await eventually(() => lines().includes('?logged'), 'the log has the request');
      const line = lines()
        .trimEnd()
        .split('\n')
        .findLast((one) => one.includes('?logged'))!;
      const { status, bytesSent, route, upstream } = JSON.parse(line) as Record<string, unknown>;
      assert.deepEqual([status, bytesSent, route], [200, SCRIPT.length, 'site'], line);
      assert.ok(upstream === null || upstream === undefined || upstream === '', line);
      const url = `${way === 'HTTP/2' ? 'https' : 'http'}://a.test/docs`;
      const reply = await fetch(`${fairlead.adminUrl}/api/v1/explain?url=${encodeURIComponent(url)}`);
      const { action } = (await reply.json()) as { action: object };
      assert.deepEqual(action, { kind: 'files', root, file: 'docs/' });
    });

    test('that become shorter while they are sent are cut, and the next request works', async () => {
      if (way === 'HTTP/2') return;
      writeFileSync(`${root}/shrinks.bin`, Buffer.alloc(40_000_000, 'x'));
      const socket = connect(fairlead.port, '127.0.0.1');
      socket.write('GET /shrinks.bin HTTP/1.1\r\nHost: a.test\r\n\r\n');
      await new Promise((resolve) => socket.once('readable', resolve));
      socket.read(1000);
      truncateSync(`${root}/shrinks.bin`, 0);
      const ended = new Promise<number>((resolve) => {
        let bytes = 0;
        socket.on('data', (chunk: Buffer) => (bytes += chunk.byteLength));
        socket.on('error', () => undefined).on('close', () => resolve(bytes));
      });
      assert.ok((await ended) < 40_000_000);
      assert.equal((await send('/')).status, 200);
    });

    test('are closed where clients leave', async () => {
      for (let at = 0; at < 20; at++) (await send('/big.bin')).body.destroy();
      await eventually(() => descriptorsOn(root) === 0, 'no descriptor is left');
    });
  });
}

/** Descriptors of this process on files of a folder. */
function descriptorsOn(folder: string): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}
