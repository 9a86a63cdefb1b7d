// Requests in progress over undici's HTTP/2 when their client is destroyed: undici throws in an event of the socket, and the
// process ended. It happened to heartbeats of endpoints that had stopped. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { http } from '../../health/checkers/http-check.ts';
import { targetAt } from '../support/heartbeat-target.ts';

const ROUNDS = 20;
/** A reset of the connection is an error of the endpoint's stream. */
const ignore = (): void => undefined;

/** Endpoints that take a request and never answer it. */
const ENDPOINTS: readonly (readonly [string, () => Server])[] = [
  ['whose process is stopped', () => createServer((socket) => socket.resume())],
  [
    'that speaks HTTP/2',
    () => createHttp2Server().on('stream', (stream) => stream.on('error', ignore)) as unknown as Server,
  ],
];

for (const [name, create] of ENDPOINTS) {
  test(`a heartbeat that is given up, of an endpoint ${name}, leaves the process alone`, async (t) => {
    const server = create().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const target = targetAt({ port: (server.address() as AddressInfo).port }, { path: '/up' });
    const checked = { ...target, upstream: { ...target.upstream, protocol: 'http2' as const } };
    for (let round = 0; round < ROUNDS; round += 1) {
      const check = http.run(checked, () => assert.fail('it was cancelled'));
      const [socket] = (await once(server, 'connection')) as [Socket];
      while (check.phase() !== 'waiting for the response') await turn();
      // The request goes out after the connection is known.
      for (let turns = 0; turns < round; turns += 1) await turn();
      const closed = new Promise((resolve) => void socket.once('close', resolve));
      check.cancel();
      await closed;
    }
  });
}

test('undici speaks HTTP/2 in heartbeats alone', async () => {
  const root = new URL('../../', import.meta.url);
  const clients: string[] = [];
  for await (const file of glob('{discovery,control,health,proxy,providers,admin,bin,net}/**/*.ts', { cwd: root })) {
    const text = readFileSync(new URL(file, root), 'utf8');
    if (!text.includes("from 'undici'")) continue;
    for (const [, options] of text.matchAll(/new (?:Agent|Pool|Client)\((.*?)\);/gs)) {
      clients.push(file);
      // Its default is true. A pooled connection of the data plane has it in `clientOptions`.
      assert.match(options!, /allowH2: (?:false|upstream)|clientOptions\(/, file);
    }
  }
  assert.ok(clients.length >= 6, clients.join());
});
