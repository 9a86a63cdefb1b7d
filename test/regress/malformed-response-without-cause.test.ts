// Logs said `malformed-response` and nothing more: they name the rule, the field, and the protocol of an endpoint that
// speaks another one. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '../support/fairlead.ts';
import { RawClient } from '../support/raw-client.ts';
import { fin, ScriptedOrigin, send } from '../support/scripted-origin.ts';
import { shareFairlead } from '../support/shared-fairlead.ts';

const PLAIN = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** The text of the log line about the endpoint at `port`, after one request. The access log has the same reason. */
async function lineAfter(t: TestContext, port: number, request: string, fastPath: boolean): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-malformed-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const output = path.join(folder, 'access.log');
  const fairlead = await shareFairlead(
    `fastPath: ${fastPath}`,
    `
workers: 1
accessLog: { output: "${output}" }
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: ["http://127.0.0.1:${port}"]
    health: { heartbeat: false }
    retry: { attempts: 0 }
`,
  );
  const client = await RawClient.connect({ port: fairlead.port });
  client.send(request);
  await client.whenEnded();
  const find = (): string => fairlead.log.find(({ text }) => text.includes('sent an invalid response'))?.text ?? '';
  await eventually(() => find() !== '', 'a line about the invalid response');
  await eventually(() => readFileSync(output, 'utf8').endsWith('\n'), 'a line of the access log');
  const { failureReason } = JSON.parse(readFileSync(output, 'utf8')) as { failureReason?: string };
  assert.ok(find().endsWith(`sent an invalid response: ${failureReason}`), `${failureReason} in ${find()}`);
  return find().replace(/127\.0\.0\.1:\d+/, 'ENDPOINT');
}

async function scripted(t: TestContext, wire: string): Promise<number> {
  const origin = await ScriptedOrigin.listen();
  t.after(() => origin.close());
  origin.otherwise = [send(wire), fin()];
  return origin.port;
}

for (const fastPath of [true, false]) {
  describe(`fastPath: ${fastPath}`, () => {
    test('the rule and the field of a malformed head', async (t) => {
      const port = await scripted(t, 'HTTP/1.1 200 OK\r\nX-Good: 1\r\nX-Bad: a\0b\r\n\r\n');
      const line = await lineAfter(t, port, PLAIN, fastPath);
      assert.equal(line, 'endpoint app/ENDPOINT sent an invalid response: bad-value in field X-Bad');
    });

    test('the rule of a malformed body', async (t) => {
      const port = await scripted(t, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
      const line = await lineAfter(t, port, PLAIN, fastPath);
      assert.equal(line, 'endpoint app/ENDPOINT sent an invalid response: bad-chunk-size in the chunked body');
    });

    test('the largest field of a head that is too large', async (t) => {
      const port = await scripted(t, `HTTP/1.1 200 OK\r\nX-Small: 1\r\nX-Large: ${'x'.repeat(100_000)}\r\n\r\n`);
      assert.match(await lineAfter(t, port, PLAIN, fastPath), /: head-too-large: the largest field is X-Large$/);
    });

    test('an endpoint that speaks HTTP/2 only', async (t) => {
      const server = http2.createServer();
      server.on('sessionError', () => undefined);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo;
      assert.match(await lineAfter(t, port, PLAIN, fastPath), /the endpoint speaks HTTP\/2 only$/);
    });

    test('an endpoint that answers with a TLS alert', async (t) => {
      const port = await scripted(t, '\x15\x03\x01\0\x02\x02\x46');
      assert.match(await lineAfter(t, port, PLAIN, fastPath), /the endpoint speaks TLS on this port \(use https:\/\//);
    });

    test('a malformed answer to an Upgrade', async (t) => {
      const port = await scripted(
        t,
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n',
      );
      const line = await lineAfter(t, port, UPGRADE, fastPath);
      assert.match(line, /the endpoint switched to a protocol that was not requested$/);
    });
  });
}
