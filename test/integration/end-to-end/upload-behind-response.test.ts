// Uploads that go on after a complete response, over each pair of protocols: the endpoint receives every byte. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { type LaunchedFairlead, launchFairlead } from '../../support/fairlead.ts';
import { RawClient } from '../../support/raw-client.ts';

const UPLOAD_BYTES = 4 * 1024 * 1024;
const PIECE = Buffer.alloc(65_536, 'x');

/** Answers at once, and counts what the upload has. */
class EarlyEndpoint {
  readonly #servers: readonly (http.Server | http2.Http2Server)[];
  readonly #received: Promise<number>[] = [];

  constructor() {
    const plain = http.createServer((request, response) => {
      this.#receive(request);
      response.end('early');
    });
    const framed = http2.createServer().on('stream', (stream: http2.ServerHttp2Stream) => {
      this.#receive(stream);
      stream.respond({ ':status': 200 });
      stream.end('early');
    });
    this.#servers = [plain, framed];
  }

  /** @returns the ports of HTTP/1.1 and HTTP/2 */
  async listen(): Promise<number[]> {
    for (const server of this.#servers) await once(server.listen(0, '127.0.0.1'), 'listening');
    return this.#servers.map((server) => (server.address() as AddressInfo).port);
  }

  #receive(body: Readable): void {
    let bytes = 0;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#received.push(promise);
    body.on('error', () => undefined);
    body.on('data', (chunk: Buffer) => (bytes += chunk.length));
    body.on('close', () => resolve(bytes));
  }

  /** Bytes of the last upload, once it has ended. */
  async lastBytes(): Promise<number> {
    return this.#received.at(-1)!;
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }
}

/** Sends the rest of an upload, whose first piece was sent. */
async function sendRest(upload: Writable): Promise<void> {
  for (let sent = PIECE.length; sent < UPLOAD_BYTES; sent += PIECE.length) {
    if (!upload.write(PIECE)) await once(upload, 'drain');
  }
}

/** Reads the whole response before it sends the rest: Node's own client sends none then. */
async function overHttp1(client: RawClient, path: string): Promise<string> {
  client.send(`POST ${path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${UPLOAD_BYTES}\r\n\r\n`);
  client.socket.write(PIECE);
  const { head, body } = await client.readResponse();
  assert.doesNotMatch(head, /^Connection: close\r$/im);
  await sendRest(client.socket);
  return body;
}

async function overHttp2(session: http2.ClientHttp2Session, path: string): Promise<string> {
  const stream: Duplex = session.request({ ':method': 'POST', ':path': path });
  stream.write(PIECE);
  const body = Buffer.concat(await stream.toArray()).toString('latin1');
  await sendRest(stream);
  stream.end();
  return body;
}

describe('an upload behind its complete response', () => {
  const endpoint = new EarlyEndpoint();
  let launched: LaunchedFairlead;
  let session: http2.ClientHttp2Session;

  before(async () => {
    const [plain, framed] = await endpoint.listen();
    launched = await launchFairlead(`
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0", http2: true }]
routes:
  - { match: { path: /http1 }, upstream: http1 }
  - { match: { path: /http2 }, upstream: http2 }
upstreams:
  http1: { endpoints: ["http://127.0.0.1:${plain}"], health: { heartbeat: false } }
  http2: { endpoints: ["http://127.0.0.1:${framed}"], protocol: http2, health: { heartbeat: false } }
`);
    session = http2.connect(launched.fairlead.url);
  });

  after(async () => {
    session.destroy();
    await launched.stop();
    endpoint.close();
  });

  for (const path of ['/http1', '/http2']) {
    test(`from an HTTP/1.1 client to ${path}, twice on one connection`, async () => {
      const client = await RawClient.connect({ port: launched.fairlead.port });
      for (let count = 0; count < 2; count += 1) {
        assert.equal(await overHttp1(client, path), 'early');
        assert.equal(await endpoint.lastBytes(), UPLOAD_BYTES);
      }
      client.destroy();
    });

    test(`from an HTTP/2 client to ${path}`, async () => {
      assert.equal(await overHttp2(session, path), 'early');
      assert.equal(await endpoint.lastBytes(), UPLOAD_BYTES);
    });
  }
});
