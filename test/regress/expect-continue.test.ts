// Expect: 100-continue was answered by Fairlead, so that a client sent its body before the endpoint could refuse it, and
// a request's head waited for the first byte of its body. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answer, bodyRead, hang, send } from '../support/scripted-origin.ts';
import { CLIENT_PATHS, startPath } from '../support/three-paths.ts';

const HEAD = 'POST /upload HTTP/1.1\r\nHost: a.test\r\n';
const FRAMINGS = { length: 'Content-Length: 5\r\n', chunked: 'Transfer-Encoding: chunked\r\n' } as const;
const BODIES = { length: 'hello', chunked: '5\r\nhello\r\n0\r\n\r\n' } as const;
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

for (const path of CLIENT_PATHS) {
  for (const framing of ['length', 'chunked'] as const) {
    describe(`a request with an expectation and a ${framing} body, on ${path}`, () => {
      const request = `${HEAD}${FRAMINGS[framing]}Expect: 100-continue\r\n\r\n`;

      test("the endpoint's 100 is relayed, and not sent before it", async (t) => {
        const { origin, connect } = await startPath(t, path);
        let sendContinue = (): void => undefined;
        const moment = new Promise<void>((resolve) => (sendContinue = resolve));
        origin.play(() => moment, send(CONTINUE), bodyRead(), send(answer('done')));
        const client = await connect();
        client.send(request);
        const received = await origin.request(0);
        assert.match(received.head, /^Expect: 100-continue\r$/im);
        await pause(30);
        assert.equal(client.unread, '');
        sendContinue();
        assert.equal((await client.readResponse()).status, 100);
        client.send(BODIES[framing]);
        const response = await client.readResponse();
        assert.deepEqual([response.status, response.body], [200, 'done']);
        assert.match(response.head, /^Connection: keep-alive\r$/m);
        assert.match(received.body.toString(), /hello/);
      });

      test("the endpoint's refusal reaches the client before it sends its body", async (t) => {
        const { origin, connect } = await startPath(t, path);
        origin.play(send('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno'));
        const client = await connect();
        client.send(request);
        const response = await client.readResponse();
        assert.deepEqual([response.status, response.body], [417, 'no']);
        assert.match(response.head, /^Connection: close\r$/m);
        assert.equal(await client.readToEnd(), '');
      });

      test('a local reply reaches the client before it sends its body', async (t) => {
        const { origin, connect } = await startPath(t, path, 'routes: [{ match: { path: /other }, upstream: app }]');
        const client = await connect();
        client.send(request);
        const response = await client.readResponse();
        assert.equal(response.status, 404);
        assert.match(response.head, /^Connection: close\r$/m);
        assert.equal(origin.requests.length, 0);
      });

      test('a client that does not wait for the 100 is served', async (t) => {
        const { origin, connect } = await startPath(t, path);
        const client = await connect();
        client.send(request + BODIES[framing]);
        assert.equal((await client.readResponse()).status, 200);
        assert.match((await origin.request(0)).body.toString(), /hello/);
      });
    });

    test(`a head is sent before the first byte of its ${framing} body arrives, on ${path}`, async (t) => {
      const { origin, connect } = await startPath(t, path);
      origin.play(send(answer('early')), hang());
      const client = await connect();
      client.send(`${HEAD}${FRAMINGS[framing]}\r\n`);
      const received = await origin.request(0);
      assert.match(received.head, /^POST \/upload HTTP\/1\.1\r\n/);
      assert.doesNotMatch(received.head, /^Expect:/im);
      const response = await client.readResponse();
      assert.deepEqual([response.status, response.body], [200, 'early']);
    });
  }

  test(`an unknown expectation is refused, on ${path}`, async (t) => {
    const { origin, connect } = await startPath(t, path);
    const client = await connect();
    client.send(`${HEAD}Expect: tea\r\nContent-Length: 5\r\n\r\n`);
    assert.equal((await client.readResponse()).status, 417);
    assert.equal(origin.requests.length, 0);
  });

  test(`an expectation without a body is not forwarded, on ${path}`, async (t) => {
    const { origin, connect } = await startPath(t, path);
    const client = await connect();
    client.send(`${HEAD}Expect: 100-continue\r\nContent-Length: 0\r\n\r\n`);
    assert.equal((await client.readResponse()).status, 200);
    assert.doesNotMatch((await origin.request(0)).head, /^Expect:/im);
  });

  test(`an empty chunked body stays chunked, on ${path}`, async (t) => {
    const { origin, connect } = await startPath(t, path);
    const client = await connect();
    client.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
    assert.equal((await client.readResponse()).status, 200);
    const { head } = await origin.request(0);
    assert.match(head, /^Transfer-Encoding: chunked\r$/im);
    assert.doesNotMatch(head, /^Content-Length:/im);
  });
}
