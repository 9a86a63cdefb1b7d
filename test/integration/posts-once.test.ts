// A POST is processed at most once, wherever in the request or the response an endpoint resets (docs/algorithms.md 4).
// Recording endpoints on raw sockets, offsets from a fixed seed. Both paths. Thread: main.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { type Random, randomBelow, seededRandom } from '../../core/random.ts';
import { PATHS, startFairlead } from '../support/fairlead.ts';
import { resetSocket } from '../../net/reset-socket.ts';

const POSTS = 300;
const BODY = 'x'.repeat(200);
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone';
/** Longer than a request with our fields and its response, so that some connections aren't cut. */
const MOST_BYTES = 900;

/**
 * Accepts requests and resets each connection after a random number of bytes, including those of responses. Records the
 * name of every completely received request: these are processed.
 */
async function recordingEndpoint(t: TestContext, random: Random, processed: string[]): Promise<string> {
  const server = createServer((socket) => take(socket, randomBelow(random, MOST_BYTES), processed));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function take(socket: Socket, cutAt: number, processed: string[]): void {
  let text = '';
  let passed = 0;
  socket.on('error', () => undefined);
  if (cutAt === 0) resetSocket(socket);
  socket.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, Math.max(0, cutAt - passed));
    passed += chunk.length;
    text += kept.toString('latin1');
    text = processWhole(socket, text, processed, cutAt - passed);
    if (passed >= cutAt) resetSocket(socket);
  });
}

/** @param left bytes of the response that are sent before the cut */
function processWhole(socket: Socket, text: string, processed: string[], left: number): string {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return text;
  const end = headEnd + 4 + BODY.length;
  if (text.length < end) return text;
  processed.push(/^x-name: (.*)$/im.exec(text)![1]!.trim());
  if (left >= ANSWER.length) socket.write(ANSWER);
  else socket.write(ANSWER.slice(0, Math.max(0, left)), () => resetSocket(socket));
  return text.slice(end);
}

/** The status of a POST, 0 without a complete response. */
function post(port: number, name: string): Promise<number> {
  return new Promise((resolve) => {
    const headers = { 'x-name': name, 'content-length': BODY.length };
    const asked = request({ port, host: '127.0.0.1', agent: false, method: 'POST', headers });
    asked.on('error', () => resolve(0));
    asked.on('response', (response) => {
      response.resume();
      response.on('error', () => resolve(0));
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    asked.end(BODY);
  });
}

for (const fastPath of PATHS) {
  test(`no POST is processed twice with the fast path ${fastPath ? 'on' : 'off'}`, async (t) => {
    const random = seededRandom(20_261_121);
    const processed: string[] = [];
    const endpoints = await Promise.all([0, 1, 2].map(() => recordingEndpoint(t, random, processed)));
    const fairlead = await startFairlead(
      t,
      `
workers: 2
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [${endpoints.map((address) => `"http://${address}"`).join(', ')}]
    health: { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } }
    retry: { attempts: 3, on: [connect-failure, reset, timeout, 502, 503, 504], budget: { ratio: 1, min: 1000 } }
`,
    );
    const statuses = new Map<string, number>();
    const names = Array.from({ length: POSTS }, (_, index) => `post-${index}`);
    const senders = Array.from({ length: 6 }, async () => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        statuses.set(name, await post(fairlead.port, name));
      }
    });
    await Promise.all(senders);
    assert.deepEqual(
      processed.filter((name, at) => processed.indexOf(name) !== at),
      [],
    );
    const ok = [...statuses].filter(([, status]) => status === 200).map(([name]) => name);
    assert.ok(ok.every((name) => processed.includes(name)));
    assert.ok(ok.length > 20 && ok.length < POSTS - 100, `${ok.length} of ${POSTS} went well`);
    assert.ok(processed.length > ok.length, 'some were processed, but their responses were cut');
  });
}
