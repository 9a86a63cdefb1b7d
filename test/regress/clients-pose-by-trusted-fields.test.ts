// Fields such as True-Client-IP and X-Original-URL of any client reached endpoints, which take them for those of a proxy.
// Thread: main.

import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { describe, test } from 'node:test';
import { CLIENT_PATHS, type ClientPath, startPath } from '../support/three-paths.ts';
import { endWithTest } from '../support/http2-session.ts';

const POSING = ['True-Client-IP', 'x-original-url', 'CF-Connecting-IP', 'X-Forwarded-Prefix', 'X-Real-IP'];
const KEPT = ['X-Client-Id', 'X-Original', 'X-Forwarded'];
const LINES = [...POSING, ...KEPT].map((name) => `${name}: 6.6.6.6\r\n`).join('');

/** Names of the forged fields that reach the endpoint, with a first head and with one that repeats it. */
async function forgedNames(t: Parameters<typeof startPath>[0], path: ClientPath, listener: string): Promise<string[]> {
  const { origin, connect } = await startPath(t, path, '', listener);
  const client = await connect();
  for (const _ of [1, 2]) {
    client.send(`GET / HTTP/1.1\r\nHost: a.test\r\n${LINES}\r\n`);
    assert.equal((await client.readResponse()).status, 200);
  }
  const namesIn = (head: string) => [...head.matchAll(/^(.+): 6\.6\.6\.6\r$/gm)].map(([, name]) => name!);
  const [first, second] = origin.requests.map(({ head }) => namesIn(head));
  assert.deepEqual(second, first);
  assert.match(origin.requests[0]!.head, /^X-Real-IP: 127\.0\.0\.1\r$/m);
  return first!;
}

for (const path of CLIENT_PATHS) {
  describe(`fields of a proxy on ${path}`, () => {
    test('are removed from an untrusted client', async (t) => {
      assert.deepEqual(await forgedNames(t, path, ''), KEPT);
    });

    test('are passed on from a trusted proxy, X-Real-IP replaced', async (t) => {
      const names = await forgedNames(t, path, 'trustedProxies: [127.0.0.1]');
      assert.deepEqual(names, [...POSING.slice(0, -1), ...KEPT]);
    });

    test('are those of the list where the listener has one', async (t) => {
      const names = await forgedNames(t, path, 'trustedOnlyFields: [x-client-*, X-Forwarded]');
      assert.deepEqual(names, [...POSING.slice(0, -1), 'X-Original']);
    });
  });
}

test('fields of a proxy are removed from an untrusted client on HTTP/2', async (t) => {
  const { origin, port } = await startPath(t, 'engine over TLS');
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  endWithTest(t, session);
  const fields = Object.fromEntries([...POSING, ...KEPT].map((name) => [name.toLowerCase(), '6.6.6.6']));
  const stream = session.request({ ':path': '/', ...fields });
  await new Promise((resolve) => stream.resume().on('end', resolve));
  const names = [...origin.requests[0]!.head.matchAll(/^(.+): 6\.6\.6\.6\r$/gm)].map(([, name]) => name);
  assert.deepEqual(
    names,
    KEPT.map((name) => name.toLowerCase()),
  );
});
