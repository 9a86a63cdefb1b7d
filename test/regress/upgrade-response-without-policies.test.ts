// Responses to an Upgrade request passed policies by: the sticky cookie and responseHeaders were missing on a 101 and on
// a refusal. Thread: main.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { startFairlead } from '../support/fairlead.ts';
import { RawClient } from '../support/raw-client.ts';
import { fin, ScriptedOrigin, send } from '../support/scripted-origin.ts';

const UPGRADE =
  'GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const FIELDS = 'Server: secret\r\nX-Old: 1\r\nX-Kept: k\r\n';
const SWITCH = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${FIELDS}\r\n`;
const REFUSAL = `HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n${FIELDS}\r\nno`;

/** The head that a client gets for its Upgrade request, as lower-case lines. */
async function headFor(t: TestContext, fastPath: boolean, answer: string): Promise<string[]> {
  const origin = await ScriptedOrigin.listen();
  t.after(() => origin.close());
  origin.otherwise = [send(answer), ...(answer === REFUSAL ? [fin()] : [])];
  const fairlead = await startFairlead(
    t,
    `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app, responseHeaders: { set: { X-Old: new, X-Added: a }, remove: [Server] } }]
upstreams:
  app:
    endpoints: ["http://127.0.0.1:${origin.port}"]
    health: { heartbeat: false }
    sticky: { cookie: lb, secret: a secret of sixteen characters or more }
`,
  );
  const client = await RawClient.connect({ port: fairlead.port });
  t.after(() => client.socket.destroy());
  client.send(UPGRADE);
  const { head } = await client.readResponse();
  return head.toLowerCase().split('\r\n');
}

for (const fastPath of [true, false]) {
  describe(`fastPath: ${fastPath}`, () => {
    for (const [name, answer] of [
      ['101', SWITCH],
      ['refusal', REFUSAL],
    ] as const) {
      test(`a ${name} has the sticky cookie and the edits of responseHeaders`, async (t) => {
        const head = await headFor(t, fastPath, answer);
        assert.ok(head.includes('x-old: new') && head.includes('x-added: a') && head.includes('x-kept: k'));
        assert.deepEqual(
          head.filter((line) => line === 'x-old: 1' || line.startsWith('server:')),
          [],
        );
        assert.equal(head.filter((line) => line.startsWith('set-cookie: lb=')).length, 1);
      });
    }
  });
}
