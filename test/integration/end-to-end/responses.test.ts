// Responses as clients receive them, byte by byte, on both paths. Thread: main.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { PATHS } from '../../support/fairlead.ts';
import { bodyRead, dribble, fin, hang, reset, ScriptedOrigin, send, type Step } from '../../support/scripted-origin.ts';
import { shareFairlead } from '../../support/shared-fairlead.ts';
import { talk, type WireAnswer } from '../../support/wire.ts';

/** @param patience how long an endpoint may keep silent */
async function bench(t: TestContext, fastPath: boolean, patience = '30s') {
  const origin = await ScriptedOrigin.listen();
  t.after(() => origin.close());
  const fairlead = await shareFairlead(
    `fastPath: ${fastPath}`,
    `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: ["http://127.0.0.1:${origin.port}"]
    timeouts: { response: ${patience}, idle: ${patience} }
    health: { passive: { consecutiveFailures: 0 } }
    retry: { attempts: 0 }
`,
  );
  const ask = (method: string, ...steps: Step[]): Promise<WireAnswer> => {
    origin.play(bodyRead(), ...steps);
    return talk(fairlead.port, `${method} / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n`);
  };
  return { origin, ask };
}

/** Head and body of an answer's last response. */
function parts({ text }: WireAnswer): { head: string; body: string } {
  const end = text.indexOf('\r\n\r\n');
  return { head: text.slice(0, end + 2), body: text.slice(end + 4) };
}

function linesOf(head: string, name: string): string[] {
  return head.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name}:`));
}

/** Payload of a chunked body by its chunk sizes: a chunk that holds a single "e" reads like the size of the next one. */
function payloadOf(chunked: string): string {
  let payload = '';
  for (let at = 0; ; ) {
    const lineEnd = chunked.indexOf('\r\n', at);
    const size = Number.parseInt(chunked.slice(at, lineEnd), 16);
    assert.ok(lineEnd > at && size >= 0, `no chunk size at ${at} of ${JSON.stringify(chunked)}`);
    if (size === 0) return payload;
    payload += chunked.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}

for (const fastPath of PATHS) {
  describe(`a response, fastPath: ${fastPath}`, () => {
    test('keeps status, reason, end-to-end fields and their order; hop-by-hop ones stay behind', async (t) => {
      const { ask } = await bench(t, fastPath);
      const answer = await ask(
        'GET',
        send(
          'HTTP/1.1 299 Quite Fine\r\nSet-Cookie: a=1\r\nX-A: b\r\nSet-Cookie: b=2\r\nKeep-Alive: timeout=9\r\n' +
            'X-Gone: y\r\nConnection: keep-alive, X-Gone\r\nContent-Length: 5\r\n\r\nhello',
        ),
      );
      const { head, body } = parts(answer);
      assert.match(head, /^HTTP\/1\.1 299 Quite Fine\r\n/);
      assert.deepEqual(
        linesOf(head, 'set-cookie').map((line) => line.slice(12)),
        ['a=1', 'b=2'],
      );
      assert.equal(linesOf(head, 'x-a').length, 1);
      assert.deepEqual(linesOf(head, 'x-gone'), []);
      assert.equal(linesOf(head, 'content-length').length, 1);
      assert.equal(body, 'hello');
    });

    test('of unknown length stays chunked, with its trailers', async (t) => {
      const { ask } = await bench(t, fastPath);
      const answer = await ask(
        'GET',
        send(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n',
        ),
      );
      const { head, body } = parts(answer);
      assert.equal(linesOf(head, 'transfer-encoding').length, 1);
      assert.deepEqual(linesOf(head, 'content-length'), []);
      assert.match(body, /hello/);
      assert.match(body, /\r\n0\r\nX-Sum: 42\r\n\r\n$/i);
    });

    test('that ends with its connection is passed on whole', async (t) => {
      const { ask } = await bench(t, fastPath);
      const answer = await ask('GET', send('HTTP/1.1 200 OK\r\n\r\nhello'), fin());
      assert.match(answer.text, /hello/);
      assert.equal(answer.end, 'fin');
    });

    test('to HEAD, 204 and 304 have no body, whatever their fields say', async (t) => {
      const { ask } = await bench(t, fastPath);
      const head = parts(await ask('HEAD', send('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n')));
      assert.deepEqual(
        linesOf(head.head, 'content-length').map((line) => line.slice(16)),
        ['500'],
      );
      assert.equal(head.body, '');
      const none = parts(await ask('GET', send('HTTP/1.1 204 No Content\r\n\r\n')));
      assert.equal(none.body, '');
      assert.deepEqual(linesOf(none.head, 'transfer-encoding'), []);
      const unchanged = parts(
        await ask('GET', send('HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 9\r\n\r\n')),
      );
      assert.equal(unchanged.body, '');
      assert.equal(linesOf(unchanged.head, 'etag').length, 1);
    });

    test('is preceded by the early hints that the endpoint sent', async (t) => {
      const { ask } = await bench(t, fastPath);
      const answer = await ask(
        'GET',
        send(
          'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
        ),
      );
      assert.match(
        answer.text,
        /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/i,
      );
    });

    test('that comes byte by byte is the same', async (t) => {
      const { ask } = await bench(t, fastPath);
      const bytes = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n';
      const whole = parts(await ask('GET', send(bytes)));
      const pieces = parts(await ask('GET', dribble(bytes, 1)));
      assert.equal(linesOf(pieces.head, 'x-a').length, 1);
      assert.equal(payloadOf(pieces.body), 'hello!');
      assert.equal(payloadOf(whole.body), 'hello!');
    });

    const cut: readonly (readonly [string, readonly Step[]])[] = [
      ['shorter than its length', [send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'), fin()]],
      ['reset within its body', [send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'), reset()]],
      ['without its last chunk', [send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'), fin()]],
      ['with a broken chunk', [dribble('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n', 8)]],
      ['stalled in its body', [send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'), hang()]],
    ];
    for (const [what, steps] of cut) {
      test(`${what} is cut so that the client sees it`, async (t) => {
        const { ask } = await bench(t, fastPath, what.startsWith('stalled') ? '600ms' : '30s');
        const answer = await ask('GET', ...steps);
        // A fault before the first relayed byte can still be reported by a status.
        const isVisible = answer.end === 'reset' || /^HTTP\/1\.1 50[24] /.test(answer.text);
        assert.ok(isVisible, `${answer.end}: ${answer.text}`);
        assert.doesNotMatch(answer.text, /\r\n0\r\n\r\n$/);
      });
    }

    const bad: readonly (readonly [string, string, number])[] = [
      ['not HTTP', 'hello\r\n\r\n', 502],
      [
        'with a length and chunks',
        'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        502,
      ],
      ['with two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 502],
      ['with a bad length', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 502],
      ['with a folded field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n', 502],
      ['with too large a head', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 502],
    ];
    for (const [what, bytes, status] of bad) {
      test(`${what} is ${status}`, async (t) => {
        const { ask } = await bench(t, fastPath);
        // A GET is tried twice: the endpoint answers the same both times.
        const steps = [send(bytes), fin()];
        const first = ask('GET', ...steps);
        const answer = await first;
        assert.match(answer.text, new RegExp(`^HTTP/1\\.1 (?:${status}|200) `));
        assert.doesNotMatch(answer.text, /HTTP\/1\.1 200 OK\r\n[^]*X: a/);
      });
    }

    test('that does not begin in time is 504', async (t) => {
      const { origin, ask } = await bench(t, fastPath, '600ms');
      origin.otherwise = [hang()];
      const answer = await ask('POST', hang());
      assert.match(answer.text, /^HTTP\/1\.1 504 /);
    });
  });
}
