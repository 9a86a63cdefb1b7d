// Requests as endpoints receive them, byte by byte, on both paths. Thread: main.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { PATHS } from '../../support/fairlead.ts';
import type { ReceivedRequest } from '../../support/request-reader.ts';
import { RawClient } from '../../support/raw-client.ts';
import { answer, bodyRead, fin, ScriptedOrigin, send } from '../../support/scripted-origin.ts';
import { shareFairlead } from '../../support/shared-fairlead.ts';
import { talk, WireClient } from '../../support/wire.ts';

async function bench(t: TestContext, fastPath: boolean, more = '') {
  const origin = await ScriptedOrigin.listen();
  t.after(() => origin.close());
  const fairlead = await shareFairlead(
    `fastPath: ${fastPath}`,
    `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://127.0.0.1:${origin.port}"] } }
${more}
`,
  );
  return { origin, fairlead, port: fairlead.port };
}

async function bodyOf(request: ReceivedRequest): Promise<string> {
  await request.completed;
  return request.body.toString('latin1');
}

/** Lines of a head that have this name, as they came. */
function linesOf(head: string, name: string): string[] {
  return head.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name}:`));
}

for (const fastPath of PATHS) {
  describe(`a request, fastPath: ${fastPath}`, () => {
    test('keeps method, target, Host and end-to-end fields in order; hop-by-hop ones stay behind', async (t) => {
      const { origin, port } = await bench(t, fastPath);
      await talk(
        port,
        'GET /a%2Fb?q=%20x&y HTTP/1.1\r\nHost: shop.test\r\nX-One: 1\r\nKeep-Alive: timeout=5\r\nX-Gone: x\r\n' +
          'X-Two: a\r\nX-Two: b\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nConnection: close, x-gone\r\n\r\n',
      );
      const { head } = await origin.request(0);
      assert.match(head, /^GET \/a%2Fb\?q=%20x&y HTTP\/1\.1\r\n/);
      assert.deepEqual(
        linesOf(head, 'host').map((line) => line.slice(6)),
        ['shop.test'],
      );
      assert.deepEqual(linesOf(head, 'x-one'), ['X-One: 1']);
      assert.equal(linesOf(head, 'x-two').join('|').replaceAll('X-Two: ', ''), 'a|b');
      for (const name of [
        'x-gone',
        'keep-alive',
        'proxy-connection',
        'upgrade',
        'content-length',
        'transfer-encoding',
      ]) {
        assert.deepEqual(linesOf(head, name), [], name);
      }
    });

    test('for the endpoint as a whole (OPTIONS *) reaches it as such', async (t) => {
      const { origin, port } = await bench(t, fastPath);
      await talk(port, 'OPTIONS * HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n');
      await talk(port, 'OPTIONS http://shop.test HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n');
      for (const index of [0, 1]) assert.equal((await origin.request(index)).requestLine, 'OPTIONS * HTTP/1.1');
    });

    test('carries X-Forwarded-* of ours and none of the client', async (t) => {
      const { origin, port } = await bench(t, fastPath);
      await talk(
        port,
        'GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n' +
          'X-Forwarded-Proto: https\r\nX-Request-Id: mine\r\nConnection: close\r\n\r\n',
      );
      const { head } = await origin.request(0);
      const values = (name: string): string[] => linesOf(head, name).map((line) => line.slice(name.length + 1).trim());
      assert.deepEqual(values('x-forwarded-for'), ['127.0.0.1']);
      assert.deepEqual(values('x-forwarded-proto'), ['http']);
      assert.deepEqual(values('x-forwarded-host'), ['shop.test']);
      assert.deepEqual(values('x-forwarded-port'), [String(port)]);
      assert.deepEqual(values('forwarded'), []);
      assert.equal(values('x-request-id').length, 1);
      assert.notEqual(values('x-request-id')[0], 'mine');
    });

    test('with a length keeps it, with chunks keeps chunks', async (t) => {
      const { origin, port } = await bench(t, fastPath);
      await talk(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello');
      const chunks = '3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\n\r\n';
      await talk(
        port,
        `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunks}`,
      );
      await talk(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      const [known, chunked, empty] = await Promise.all([0, 1, 2].map((index) => origin.request(index)));
      assert.deepEqual(linesOf(known!.head, 'content-length').length, 1);
      assert.equal(await bodyOf(known!), 'hello');
      assert.deepEqual(linesOf(chunked!.head, 'content-length'), []);
      assert.equal(linesOf(chunked!.head, 'transfer-encoding').length, 1);
      assert.equal(await bodyOf(chunked!), 'hello');
      assert.equal(linesOf(empty!.head, 'content-length').length, 1);
      assert.equal(origin.requests.length, 3);
    });

    for (const method of ['DELETE', 'OPTIONS', 'GET', 'PROPFIND']) {
      test(`${method} with a body reaches the endpoint as one request`, async (t) => {
        const { origin, port } = await bench(t, fastPath);
        const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
        const size = smuggled.length.toString(16);
        await talk(
          port,
          `${method} / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${size}\r\n${smuggled}\r\n0\r\n\r\n`,
        );
        await talk(
          port,
          `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\nConnection: close\r\n\r\n${smuggled}`,
        );
        await talk(port, 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        assert.equal(origin.requests.length, 3);
        assert.equal(await bodyOf(origin.requests[0]!), smuggled);
        assert.equal(await bodyOf(origin.requests[1]!), smuggled);
      });
    }

    const refused: readonly (readonly [string, string, number])[] = [
      ['Content-Length with Transfer-Encoding', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 400],
      ['two Content-Lengths', 'Content-Length: 5\r\nContent-Length: 5\r\n', 400],
      ['a coding that is not chunked', 'Transfer-Encoding: gzip\r\n', 400],
      ['a nominated Host', 'Connection: close, host\r\n', 400],
      ['a nominated X-Forwarded-For', 'Connection: x-forwarded-for\r\n', 400],
      ['two Hosts', 'Host: b\r\n', 400],
      ['a blank before the colon', 'X-A : b\r\n', 400],
      ['a folded line', 'X-A: b\r\n c\r\n', 400],
      ['a NUL', 'X-A: b\0\r\n', 400],
      ['a bare CR', 'X-A: b\rc\r\n', 400],
      ['too large a head', `X-A: ${'a'.repeat(40_000)}\r\n`, 431],
    ];
    for (const [what, fields, status] of refused) {
      test(`with ${what} is refused with ${status}, the connection closed, and never forwarded`, async (t) => {
        const { origin, port } = await bench(t, fastPath);
        const { text } = await talk(port, `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
        assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
        assert.equal(origin.requests.length, 0);
      });
    }

    test('with too long a target is 414', async (t) => {
      const { origin, port } = await bench(t, fastPath, 'limits: { requestLine: 1KiB }');
      const { text } = await talk(port, `GET /${'a'.repeat(2000)} HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.match(text, /^HTTP\/1\.1 414 /);
      assert.equal(origin.requests.length, 0);
    });

    test('that stalls in its head or its body is 408', async (t) => {
      const { port } = await bench(t, fastPath, 'timeouts: { head: 300ms, bodyIdle: 300ms }');
      const [head, body] = await Promise.all([
        talk(port, 'GET / HTTP/1.1\r\nHo'),
        talk(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf'),
      ]);
      assert.match(head.text, /^HTTP\/1\.1 408 /);
      assert.match(body.text, /^HTTP\/1\.1 408 /);
    });

    test('that expects 100-continue gets it before it sends its body', async (t) => {
      const { origin, port } = await bench(t, fastPath);
      origin.play(send('HTTP/1.1 100 Continue\r\n\r\n'), bodyRead(), send(answer()));
      const client = new WireClient(port);
      t.after(() => client.destroy());
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
      await client.until(/HTTP\/1\.1 100 [^\r]*\r\n\r\n/);
      client.send('hello');
      await client.until(/HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok/);
      assert.equal(await bodyOf(origin.requests[0]!), 'hello');
    });

    test('after another on one connection shares the connection to the endpoint', async (t) => {
      const { origin, port } = await bench(t, fastPath);
      const client = new WireClient(port);
      t.after(() => client.destroy());
      for (let index = 0; index < 5; index++) {
        client.send(`GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`);
        await client.until(/\r\n\r\nok/);
      }
      assert.equal(origin.requests.length, 5);
      assert.equal(origin.connections.length, 1);
    });

    test('pipelined behind another is answered in order', async (t) => {
      const { origin, port } = await bench(t, fastPath);
      origin.play(bodyRead(), send(answer('first')));
      origin.play(bodyRead(), send(answer('second')));
      origin.play(bodyRead(), send(answer('third')));
      const one = 'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc';
      const two = 'GET /2 HTTP/1.1\r\nHost: a\r\n\r\n';
      const three = 'GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
      const { text } = await talk(port, one + two + three);
      assert.deepEqual(text.match(/first|second|third/g), ['first', 'second', 'third']);
      assert.deepEqual(
        origin.requests.map(({ head }) => head.split(' ')[1]),
        ['/1', '/2', '/3'],
      );
    });

    test('whose client resets its connection is aborted at the endpoint', async (t) => {
      const { origin, port } = await bench(t, fastPath);
      origin.play();
      const client = await RawClient.connect({ port });
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await origin.request(0);
      client.reset();
      await origin.connections[0]!.gone;
    });

    test('answered early, with its body still coming, does not disturb the next one', async (t) => {
      const { origin, port } = await bench(t, fastPath);
      origin.play(send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'), fin());
      const { text } = await talk(
        port,
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(100_000)}`,
      );
      assert.match(text, /^HTTP\/1\.1 403 /);
      const next = await talk(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      assert.match(next.text, /^HTTP\/1\.1 200 /);
    });
  });
}
