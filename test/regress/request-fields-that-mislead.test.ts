// X_Forwarded_For passed beside the X-Forwarded-For that Fairlead sets, an empty X-Forwarded-For of a trusted proxy became
// ", 127.0.0.1", and an empty reply had a Content-Type. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLIENT_PATHS, type ClientPath, startPath } from '../support/three-paths.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a.test\r\n';
const MISLEADING = 'X_Forwarded_For: 6.6.6.6\r\nx-real_ip: 6.6.6.6\r\nX-Kept: a_b\r\n';

async function headFor(t: Parameters<typeof startPath>[0], path: ClientPath, fields: string, listener: string) {
  const { origin, connect } = await startPath(t, path, '', listener);
  const client = await connect();
  client.send(`${REQUEST}${fields}\r\n`);
  // A second time: repeated heads are compared instead of scanned.
  const { status } = await client.readResponse();
  if (status === 200) {
    client.send(`${REQUEST}${fields}\r\n`);
    assert.equal((await client.readResponse()).status, 200);
  }
  return { status, head: origin.requests.at(-1)?.head ?? '' };
}

for (const path of CLIENT_PATHS) {
  describe(`fields with an underscore on ${path}`, () => {
    test('are dropped by default, and others are kept', async (t) => {
      const { head } = await headFor(t, path, MISLEADING, '');
      assert.doesNotMatch(head, /6\.6\.6\.6/);
      assert.match(head, /^X-Kept: a_b\r$/m);
      assert.match(head, /^X-Forwarded-For: 127\.0\.0\.1\r$/m);
    });

    test('are refused with 400 where the listener says so', async (t) => {
      assert.equal((await headFor(t, path, MISLEADING, 'underscoreFields: refuse')).status, 400);
      assert.equal((await headFor(t, path, 'Cookie: a_b=1\r\n', 'underscoreFields: refuse')).status, 200);
    });

    test('are forwarded where the listener says so', async (t) => {
      const { head } = await headFor(t, path, MISLEADING, 'underscoreFields: pass');
      assert.match(head, /^X_Forwarded_For: 6\.6\.6\.6\r$/m);
    });
  });

  describe(`empty forwarding fields of a trusted proxy on ${path}`, () => {
    for (const [value, expected] of [
      ['', '127.0.0.1'],
      [' , ', '127.0.0.1'],
      ['192.0.2.7, ', '192.0.2.7, 127.0.0.1'],
      [', 192.0.2.7', '192.0.2.7, 127.0.0.1'],
    ] as const) {
      test(`X-Forwarded-For of ${JSON.stringify(value)} is continued as ${expected}`, async (t) => {
        const trusted = 'trustedProxies: [127.0.0.0/8]';
        const fields = `X-Forwarded-For: ${value}\r\nX-Forwarded-Proto:\r\n`;
        const { head } = await headFor(t, path, fields, trusted);
        assert.equal(/^X-Forwarded-For: (.*)\r$/m.exec(head)?.[1], expected);
        assert.match(head, /^X-Forwarded-Proto: https?\r$/m);
      });
    }
  });

  test(`an empty reply has no Content-Type, on ${path}`, async (t) => {
    const { connect } = await startPath(t, path, 'routes: [{ respond: { status: 204 } }]');
    const client = await connect();
    client.send(`${REQUEST}\r\n`);
    const { status, head } = await client.readResponse();
    assert.equal(status, 204);
    assert.doesNotMatch(head, /^content-(?:type|length):/im);
  });

  test(`a route matches IPv6 hosts in every spelling, on ${path}`, async (t) => {
    const routes = 'routes: [{ match: { host: ["[::1]", "2001:DB8::0:1"] }, upstream: app }]';
    const { connect } = await startPath(t, path, routes);
    const statuses: number[] = [];
    for (const host of ['[::1]', '[::1]:8080', '[0:0:0:0:0:0:0:1]', '[2001:db8::1]', '[::2]', 'a.test']) {
      const client = await connect();
      client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      statuses.push((await client.readResponse()).status);
    }
    assert.deepEqual(statuses, [200, 200, 200, 200, 404, 404]);
  });
}
