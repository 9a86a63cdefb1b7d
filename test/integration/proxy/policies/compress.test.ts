// Compression in a whole Fairlead, on each path of HTTP/1.1 and over HTTP/2: bodies of all kinds arrive whole, streams stay
// streams, slow clients slow the endpoint down. Thread: main.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, describe, test, type TestContext } from 'node:test';
import zlib from 'node:zlib';
import { CLIENT_WAYS, type Received, type Send, sendOver, tlsOf } from '../../../support/client-ways.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../../support/fairlead.ts';

const SMALL = JSON.stringify({ words: Array.from({ length: 400 }, (_, at) => `word ${at}`) });
const BIG = Buffer.concat(
  Array.from({ length: 64 }, (_, at) => Buffer.concat([randomBytes(16_384), Buffer.alloc(16_384, at)])),
);

/** Endpoint: the target says what it answers. */
function answer(target: string, response: ServerResponse, streams: ServerResponse[]): void {
  const type = { 'content-type': 'application/json' };
  if (target === '/small') response.writeHead(200, { ...type, etag: '"s"', 'content-length': SMALL.length }).end(SMALL);
  else if (target === '/big') response.writeHead(200, { ...type, 'content-length': BIG.length }).end(BIG);
  else if (target === '/chunked') {
    response.writeHead(200, { ...type, trailer: 'x-sum' });
    for (let at = 0; at < BIG.length; at += 100_000) response.write(BIG.subarray(at, at + 100_000));
    response.addTrailers({ 'x-sum': '7' });
    response.end();
  } else if (target === '/empty') response.writeHead(200, type).end();
  else if (target === '/none') response.writeHead(204).end();
  else if (target === '/endless') {
    const more = (): void => {
      while (response.write(randomBytes(65_536)));
    };
    response.writeHead(200, type).on('drain', more);
    more();
    streams.push(response);
  } else {
    const isEvents = target === '/events';
    response.writeHead(200, { 'content-type': isEvents ? 'text/event-stream' : 'application/json' }).write('first ');
    streams.push(response);
  }
}

const decoders = { gzip: zlib.createGunzip, br: zlib.createBrotliDecompress, zstd: zlib.createZstdDecompress } as const;

function decoded({ body, headers }: Received): Readable {
  const coding = headers['content-encoding'] as keyof typeof decoders | undefined;
  return coding === undefined ? body : body.pipe(decoders[coding]());
}

async function whole(stream: Readable): Promise<Buffer> {
  return Buffer.concat(await stream.toArray());
}

/** Reads until `text` has arrived. */
async function readUntil(stream: Readable, text: string): Promise<void> {
  let seen = '';
  while (!seen.includes(text)) {
    const chunk = stream.read() as Buffer | null;
    if (chunk === null) await new Promise((resolve) => stream.once('readable', resolve));
    else seen += chunk.toString();
  }
}

for (const way of CLIENT_WAYS) {
  describe(`compression on the path ${way}`, () => {
    const streams: ServerResponse[] = [];
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-compress-'));
    const app = createServer((request, response) => answer(request.url!, response, streams));
    const cleanups: (() => unknown)[] = [];
    let fairlead: RunningFairlead;
    let send: Send;

    before(async () => {
      await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
      const t = { after: (run: () => unknown) => cleanups.unshift(run) } as unknown as TestContext;
      fairlead = await startFairlead(
        t,
        `
workers: 1
fastPath: ${way !== 'node:http'}
admin: { bind: "127.0.0.1:0" }
listeners: [{ name: web, bind: "127.0.0.1:0"${tlsOf(way, folder)} }]
routes:
  - { name: own, match: { path: /own }, respond: { body: "${'own '.repeat(500)}", contentType: text/plain }, compress: true }
  - { name: app, upstream: app, compress: { types: [application/json, text/*] } }
upstreams:
  app:
    endpoints: ["http://127.0.0.1:${(app.address() as AddressInfo).port}"]
    health: { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } }
`,
      );
      send = sendOver(way, fairlead.port, t);
    });

    after(async () => {
      for (const cleanup of cleanups) await cleanup();
      app.closeAllConnections();
      app.close();
      rmSync(folder, { recursive: true });
    });

    test('delivers bodies of every length and framing in every coding', async () => {
      for (const coding of ['gzip', 'br', 'zstd', 'identity']) {
        for (const [target, body] of [
          ['/small', Buffer.from(SMALL)],
          ['/big', BIG],
          ['/chunked', BIG],
          ['/empty', Buffer.alloc(0)],
          ['/none', Buffer.alloc(0)],
          ['/own', Buffer.from('own '.repeat(500))],
        ] as const) {
          const received = await send(target, { 'accept-encoding': coding });
          const isCoded = target !== '/none' && coding !== 'identity';
          assert.equal(received.headers['content-encoding'], isCoded ? coding : undefined, `${target} ${coding}`);
          if (isCoded && target !== '/own') assert.equal(received.headers['content-length'], undefined);
          assert.ok((await whole(decoded(received))).equals(body), `${target} in ${coding}`);
        }
      }
    });

    test('answers HEAD with the fields of a GET', async () => {
      const received = await send('/small', { 'accept-encoding': 'br' }, 'HEAD');
      const { etag, vary, 'content-encoding': coding, 'content-length': length } = received.headers;
      assert.deepEqual([etag, vary, coding, length], ['W/"s"', 'Accept-Encoding', 'br', undefined]);
      assert.equal((await whole(received.body)).length, 0);
    });

    test('lets streams flow, and leaves events alone', async () => {
      for (const [target, coding] of [
        ['/stream', 'gzip'],
        ['/stream', 'br'],
        ['/stream', 'zstd'],
        ['/events', undefined],
      ]) {
        const received = await send(target!, { 'accept-encoding': coding ?? 'gzip' });
        assert.equal(received.headers['content-encoding'], coding);
        const text = decoded(received);
        await readUntil(text, 'first ');
        const stream = streams.pop()!;
        stream.write('second ');
        await readUntil(text, 'second ');
        stream.end('last');
        await readUntil(text, 'last');
      }
    });

    test('slows the endpoint down for a slow client, and stops with it', async () => {
      const received = await send('/endless', { 'accept-encoding': 'gzip' });
      await new Promise((resolve) => received.body.once('readable', resolve));
      const stream = streams.pop()!;
      const socket = stream.socket!;
      let sent = -1;
      await eventually(async () => {
        const before = sent;
        sent = socket.bytesWritten;
        await new Promise((resolve) => setTimeout(resolve, 60));
        return before === socket.bytesWritten;
      }, 'the endpoint is held back');
      assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes were taken from the endpoint`);
      const closed = new Promise((resolve) => stream.once('close', resolve));
      received.body.destroy();
      await closed;
    });

    test('counts the bytes of both sides', async () => {
      const metrics = await (await fetch(`${fairlead.adminUrl}/metrics`)).text();
      const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
      const bodies = value('fairlead_policy_transformed_bodies_total\\{policy="compress"\\}');
      const [bytesIn, bytesOut] = ['in', 'out'].map((direction) =>
        value(`fairlead_policy_transformed_bytes_total\\{policy="compress",direction="${direction}"\\}`),
      );
      assert.ok(bodies >= 16, `${bodies} bodies`);
      assert.ok(
        bytesIn! > 6 * BIG.length && bytesOut! > bytesIn! / 3 && bytesOut! < bytesIn!,
        `${bytesIn} ${bytesOut}`,
      );
    });
  });
}
