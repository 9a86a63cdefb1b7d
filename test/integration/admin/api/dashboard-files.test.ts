// The dashboard's files over real sockets: which paths there are, what their fields say, and that nothing else is to be
// had there. Thread: main.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { AskedServer, errorCode } from '../asked-server.ts';

const FOLDER = path.join(import.meta.dirname, '../../../../admin/dashboard');
/** Files of the folder as they are served, with slashes. */
const NAMES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
  if (name.endsWith('.d.ts')) return [];
  const served = name.replaceAll(path.sep, '/').replace(/\.ts$/, '.js');
  return /\.(?:css|js|svg)$/.test(served) ? [served] : [];
});

let asked: AskedServer;

beforeEach(async () => {
  asked = await AskedServer.start();
});
afterEach(() => asked.server.close());

/** Paths of what the page names. */
async function assetsOfPage(): Promise<string[]> {
  const { text } = await asked.ask('GET', '/dashboard/');
  return [...text.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => `/dashboard/${match[1]!}`);
}

describe('the page', () => {
  test('is where the root leads to, behind a prefix too', async () => {
    for (const target of ['/', '/dashboard']) {
      const answer = await asked.ask('GET', target);
      assert.deepEqual([answer.status, answer.headers.location], [302, 'dashboard/']);
    }
    const page = await asked.ask('GET', '/dashboard/');
    assert.deepEqual([page.status, page.headers['content-type']], [200, 'text/html; charset=utf-8']);
    assert.match(page.text, /^<!doctype html>/);
  });

  test('may run and show nothing but its own files, in no frame of others', async () => {
    const { headers } = await asked.ask('GET', '/dashboard/');
    const policy = (headers['content-security-policy'] as string).split('; ');
    for (const directive of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"])
      assert.ok(policy.includes(directive), directive);
    for (const directive of ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "trusted-types 'none'"])
      assert.ok(policy.includes(directive), directive);
    assert.ok(!policy.some((directive) => /unsafe|\*|https?:/.test(directive)), policy.join('; '));
    assert.deepEqual([headers['x-content-type-options'], headers['referrer-policy']], ['nosniff', 'no-referrer']);
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
  });

  test('has no script or style of its own in its text, and names no other host', async () => {
    const { text } = await asked.ask('GET', '/dashboard/');
    assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|https?:\/\//);
  });

  test('is asked for again each time, and sent only if it is another one', async () => {
    const page = await asked.ask('GET', '/dashboard/');
    const tag = page.headers.etag!;
    assert.equal(page.headers['cache-control'], 'no-cache');
    for (const known of [tag, tag.slice('W/'.length), `"other", ${tag}`, '*']) {
      const answer = await asked.ask('GET', '/dashboard/', { headers: { 'if-none-match': known } });
      assert.deepEqual([answer.status, answer.text, answer.headers['content-length']], [304, '', undefined], known);
      assert.equal(answer.headers.etag, tag);
    }
    assert.equal((await asked.ask('GET', '/dashboard/', { headers: { 'if-none-match': '"other"' } })).status, 200);
  });
});

describe('its files', () => {
  test('are those of the folder and of uPlot, cached for good under a path that changes with them', async () => {
    const assets = await assetsOfPage();
    const folder = path.posix.dirname(assets[0]!);
    assert.match(folder, /^\/dashboard\/[0-9a-f]{16}$/);
    assert.ok(assets.every((asset) => asset.startsWith(`${folder}/`)));
    const names = [...NAMES, 'parts/uPlot.esm.js', 'uPlot.min.css'];
    assert.ok(names.length > 15);
    for (const name of names) {
      const answer = await asked.ask('GET', `${folder}/${name}`);
      assert.equal(answer.status, 200, name);
      assert.equal(answer.headers['cache-control'], 'public, max-age=31536000, immutable');
      assert.match(answer.headers['content-type']!, /^(?:text\/(?:css|javascript); charset=utf-8|image\/svg\+xml)$/);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      const digest = createHash('sha256').update(answer.text).digest('hex');
      assert.ok(digest.startsWith(answer.headers.etag!.slice('W/"'.length, -1)), name);
    }
    // Files for the compiler only are not served.
    for (const name of ['types.ts', 'main.ts', 'parts/uPlot.esm.d.ts', 'tsconfig.json', 'index.html'])
      assert.equal((await asked.ask('GET', `${folder}/${name}`)).status, 404, name);
  });

  test('import nothing that is not served, and are fetched at once', async () => {
    const folder = path.posix.dirname((await assetsOfPage())[0]!);
    const served = new Set([...NAMES, 'parts/uPlot.esm.js']);
    const { text: page } = await asked.ask('GET', '/dashboard/');
    const links = page.matchAll(/<link rel="modulepreload" href="[^/]+\/([^"]+)">/g);
    const preloaded = new Set([...links].map((match) => match[1]!));
    assert.ok(preloaded.has('parts/uPlot.esm.js'));
    for (const name of NAMES.filter((one) => one.endsWith('.js'))) {
      const { text } = await asked.ask('GET', `${folder}/${name}`);
      // All are named in the page, so that a browser needn't read one to find the next.
      assert.ok(name === 'types.js' || preloaded.has(name), name);
      for (const [, imported] of text.matchAll(/^(?:import|export|\}) .*?from '(.*)';$/gm)) {
        assert.match(imported!, /^\.\.?\//, name);
        const target = path.posix.join(path.posix.dirname(name), imported!);
        assert.ok(served.has(target), `${name}: ${imported}`);
      }
    }
  });

  test('are compressed for clients that accept it', async () => {
    const asset = (await assetsOfPage()).find((one) => one.endsWith('.css'))!;
    const plain = await asked.ask('GET', asset);
    assert.deepEqual([plain.headers['content-encoding'], plain.headers.vary], [undefined, 'Accept-Encoding']);
    for (const [accepted, isGzip] of [
      ['gzip', true],
      ['br;q=1, gzip;q=0.5', true],
      ['gzip;q=0, br', false],
      ['x-gzip-not', false],
    ] as const) {
      const { headers } = await asked.ask('HEAD', asset, { headers: { 'accept-encoding': accepted } });
      assert.equal(headers['content-encoding'] === 'gzip', isGzip, accepted);
      assert.equal(Number(headers['content-length']) < Buffer.byteLength(plain.text), isGzip, accepted);
      assert.equal(headers.etag, plain.headers.etag);
    }
  });

  test('are all that is to be had: no path leads out of them', async () => {
    const folder = path.posix.dirname((await assetsOfPage())[0]!);
    const paths = [
      `${folder}/`,
      `${folder}/../../../package.json`,
      `${folder}/..%2f..%2f..%2fpackage.json`,
      `${folder}/%2e%2e/%2e%2e/admin-server.ts`,
      `${folder}/main.js%00.css`,
      `${folder}//main.js`,
      `${folder}\\main.js`,
      `${folder}/uPlot.cjs.js`,
      '/dashboard/main.js',
      '/dashboard/../package.json',
      '/dashboard/0000000000000000/main.js',
      '/dashboardx',
    ];
    for (const target of paths) {
      const answer = await asked.ask('GET', target);
      assert.deepEqual([answer.status, errorCode(answer)], [404, 'not-found'], target);
      assert.equal(answer.headers['cache-control'], 'no-store');
    }
  });

  test('are read and not changed', async () => {
    const [asset] = await assetsOfPage();
    for (const target of ['/', '/dashboard/', asset!]) {
      const answer = await asked.post(target, {});
      assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET, HEAD'], target);
    }
    const [head, whole] = [await asked.ask('HEAD', asset!), await asked.ask('GET', asset!)];
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal(head.headers['content-length'], String(Buffer.byteLength(whole.text)));
  });
});

describe('where tokens are configured', () => {
  const SECRET = 'a-token-of-the-tests';
  const digest = createHash('sha256').update(SECRET).digest('hex');

  test('the files need none, what they show does, and it says who asks', async () => {
    await asked.server.close();
    asked = await AskedServer.start({ tokens: [{ name: 'eyes', role: 'read', digest }] });
    assert.equal((await asked.ask('GET', '/dashboard/')).status, 200);
    for (const asset of await assetsOfPage()) assert.equal((await asked.ask('GET', asset)).status, 200, asset);
    assert.equal((await asked.ask('GET', '/api/v1/caller')).status, 401);
    const headers = { authorization: `Bearer ${SECRET}` };
    const caller = (await asked.ask('GET', '/api/v1/caller', { headers })).json();
    assert.deepEqual(caller, { who: 'the admin API (token eyes)', role: 'read' });
  });

  test('pages of other sites are refused all the same', async () => {
    for (const headers of [{ host: 'evil.example' }, { origin: 'http://evil.example' }] as Record<string, string>[])
      assert.equal((await asked.ask('GET', '/dashboard/', { headers })).status, 403);
  });
});
