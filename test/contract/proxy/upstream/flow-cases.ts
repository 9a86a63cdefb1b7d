// Back-pressure in both directions, early answers, and bodies of any size in bounded memory. Thread: main.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UNKNOWN_LENGTH } from '../../../../core/head.ts';
import { answer, bodyRead, eventOrClose, fin, hang, send, type Step, until } from '../../../support/scripted-origin.ts';
import type { RecordedAttempt } from '../../../support/recorded-attempt.ts';
import { type TransportBench, type TransportUnderTest, withBench } from '../../../support/transport-bench.ts';

/** Bytes that socket and kernel buffers can hold between an endpoint and an exchange that does not read. */
const MOST_BUFFERED_BYTES = 16 * 1024 * 1024;
const BIG_BYTES = 32 * 1024 * 1024;

export function flowCases(subject: TransportUnderTest): void {
  bigResponses(subject);
  bodiesAheadOfAnswers(subject);
  if (subject.keepsUploads === true) uploadsBehindResponses(subject);
  bodiesBesideAnswers(subject);
}

function bigResponses(subject: TransportUnderTest): void {
  for (const [name, head, isChunked] of [
    ['a known length', `HTTP/1.1 200 OK\r\nContent-Length: ${BIG_BYTES}\r\n\r\n`, false],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', true],
    ['no length', 'HTTP/1.1 200 OK\r\n\r\n', false],
  ] as const) {
    test(`a large response of ${name} waits for the exchange and arrives complete`, () =>
      withBench(subject, {}, async (bench) => {
        const sent = { bytes: 0 };
        bench.origin.play(send(head), pour(sent, isChunked), ...(isChunked ? [send('0\r\n\r\n')] : []), fin());
        const attempt = bench.send({}, (it) => {
          it.takesData = false;
        });
        await attempt.saw('data');
        await stands(() => sent.bytes);
        assert.ok(sent.bytes < MOST_BUFFERED_BYTES, `the endpoint could send ${sent.bytes}`);
        const held = attempt.bodyBytes;
        await nextTurn();
        assert.equal(attempt.bodyBytes, held, 'nothing comes while the exchange takes nothing');
        attempt.takesData = true;
        attempt.react = () => attempt.chunks.splice(0, attempt.chunks.length - 1);
        attempt.handle.resume();
        assert.equal((await attempt.done).outcome, 'ok');
        assert.ok(bench.lane('bytesReceived') >= BIG_BYTES);
      }));
  }

  test('every pause takes effect, however many there are', () =>
    withBench(subject, {}, async (bench) => {
      bench.origin.play(send(`HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n${'abc'.repeat(100_000)}`));
      const attempt = bench.send({}, (it) => {
        it.takesData = false;
        it.react = (event) => {
          if (event === 'data') setImmediate(() => it.handle.resume());
        };
      });
      assert.equal((await attempt.done).body, 'abc'.repeat(100_000));
    }));
}

function bodiesAheadOfAnswers(subject: TransportUnderTest): void {
  for (const bodyLength of [BIG_BYTES, UNKNOWN_LENGTH]) {
    test(`a large request body (${bodyLength}) waits for the endpoint and arrives complete`, () =>
      withBench(subject, {}, async (bench) => {
        const { promise: mayRead, resolve: letRead } = Promise.withResolvers<void>();
        bench.origin.greet(
          (socket) => void socket.pause(),
          until(mayRead),
          (socket) => void socket.resume(),
        );
        bench.origin.play(bodyRead(), send(answer()));
        const sent = { bytes: 0 };
        const attempt = bench.send({ method: 'PUT', bodyLength }, (it) => {
          it.react = (event) => {
            if (event === 'body-wanted' || event === 'drain') pump(it, sent);
          };
        });
        await attempt.saw('body-wanted');
        await stands(() => sent.bytes);
        assert.ok(sent.bytes < MOST_BUFFERED_BYTES, `the exchange could send ${sent.bytes}`);
        letRead();
        assert.equal((await attempt.done).outcome, 'ok');
        assert.equal(sent.bytes, BIG_BYTES);
        assert.ok(attempt.log.includes('drain'));
      }));
  }

  test('a response before the end of the request is relayed, and its connection is not reused', () =>
    withBench(subject, {}, async (bench) => {
      bench.origin.play(send('HTTP/1.1 413 Large\r\nContent-Length: 3\r\n\r\nbig'));
      const attempt = bench.send({ method: 'POST', bodyLength: 1_000_000 }, (it) => {
        it.react = (event) => {
          if (event === 'body-wanted') it.handle.sendBody(Buffer.alloc(10_000));
        };
      });
      assert.equal((await attempt.done).outcome, 'ok');
      assert.equal(attempt.body, 'big');
      assert.equal(attempt.handle.sendBody(Buffer.alloc(10)), true);
      attempt.handle.endBody(null);
      await (await bench.origin.connection(0)).gone;
      assert.equal((await bench.send().done).isReused, false);
    }));
}

/** Sends two chunks, the second one behind a complete response. */
function sendAroundResponse(bench: TransportBench): RecordedAttempt {
  return bench.send({ method: 'POST', bodyLength: 6 }, (it) => {
    it.keepsUpload = true;
    it.react = (event) => {
      if (event === 'body-wanted') it.handle.sendBody(Buffer.from('one'));
    };
  });
}

function uploadsBehindResponses(subject: TransportUnderTest): void {
  test('the rest of a body follows a complete response, and the connection is reused', () =>
    withBench(subject, {}, async (bench) => {
      bench.origin.play(send(answer('early')), bodyRead());
      const attempt = sendAroundResponse(bench);
      await attempt.saw('early-end');
      assert.equal(attempt.body, 'early');
      attempt.handle.sendBody(Buffer.from('two'));
      attempt.handle.endBody(null);
      assert.equal((await attempt.done).outcome, 'ok');
      await bench.idled();
      assert.equal(bench.origin.requests[0]!.body.toString(), 'onetwo');
      assert.equal((await bench.send().done).isReused, true);
    }));

  test('an endpoint that closes the connection by its response gets no more of the body', () =>
    withBench(subject, {}, async (bench) => {
      bench.origin.play(send(answer('early', 'Connection: close\r\n')));
      assert.deepEqual((await sendAroundResponse(bench).done).log.slice(-2), ['data', 'end']);
    }));

  const stops: readonly (readonly [name: string, step: Step])[] = [
    ['closes the connection', fin()],
    ['sends bytes that answer nothing', send('HTTP/1.1 200 OK\r\n\r\n')],
  ];
  for (const [name, stop] of stops) {
    test(`an endpoint that ${name} behind its response ends the attempt`, () =>
      withBench(subject, {}, async (bench) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        bench.origin.play(send(answer('early')), until(promise), stop, hang());
        const attempt = sendAroundResponse(bench);
        await attempt.saw('early-end');
        resolve();
        assert.equal((await attempt.done).log.at(-1), 'failure');
        assert.equal(attempt.handle.sendBody(Buffer.from('two')), true);
        attempt.handle.endBody(null);
        await (await bench.origin.connection(0)).gone;
        assert.equal((await bench.send().done).isReused, false);
      }));
  }

  test('an aborted upload behind its response closes the connection', () =>
    withBench(subject, {}, async (bench) => {
      bench.origin.play(send(answer('early')), bodyRead());
      const attempt = sendAroundResponse(bench);
      await attempt.saw('early-end');
      attempt.handle.abort();
      await (await bench.origin.connection(0)).gone;
      assert.equal(attempt.log.at(-1), 'early-end');
    }));
}

function bodiesBesideAnswers(subject: TransportUnderTest): void {
  test('a request body continues during its response', () =>
    withBench(subject, {}, async (bench) => {
      bench.origin.play(send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel'), bodyRead(), send('lo'));
      const attempt = bench.send({ method: 'POST', bodyLength: UNKNOWN_LENGTH }, (it) => {
        it.react = (event) => {
          if (event === 'body-wanted') it.handle.sendBody(Buffer.from('one'));
          if (event !== 'data' || it.body !== 'hel') return;
          it.handle.sendBody(Buffer.from('two'));
          it.handle.endBody(null);
        };
      });
      assert.equal((await attempt.done).body, 'hello');
      assert.equal(bench.origin.requests[0]!.body.toString(), 'onetwo');
      await bench.idled();
      assert.equal((await bench.send().done).isReused, true);
    }));

  test('request trailers are forwarded', () =>
    withBench(subject, {}, async (bench) => {
      const attempt = bench.send({ method: 'POST', bodyLength: UNKNOWN_LENGTH }, (it) => {
        it.react = (event) => {
          if (event !== 'body-wanted') return;
          it.handle.sendBody(Buffer.from('abc'));
          it.handle.endBody(['X-Sum', '1']);
        };
      });
      assert.equal((await attempt.done).outcome, 'ok');
      const { raw, body } = bench.origin.requests[0]!;
      assert.equal(body.toString(), 'abc');
      assert.ok(raw.toString('latin1').endsWith('\r\n0\r\nX-Sum: 1\r\n\r\n'));
    }));

  test('an aborted upload to an endpoint that does not read closes the connection', () =>
    withBench(subject, {}, async (bench) => {
      bench.origin.greet((socket) => void socket.pause(), hang());
      const sent = { bytes: 0 };
      const attempt = bench.send({ method: 'PUT', bodyLength: BIG_BYTES }, (it) => {
        it.react = (event) => {
          if (event === 'body-wanted') pump(it, sent);
        };
      });
      await attempt.saw('body-wanted');
      await stands(() => sent.bytes);
      attempt.handle.abort();
      while (bench.lane('connectionsOpen') > 0) await nextTurn();
      assert.equal(attempt.failure, null);
    }));
}

const CHUNK = Buffer.alloc(65_536, 'x');
const FRAMED_CHUNK = Buffer.concat([Buffer.from('10000\r\n'), CHUNK, Buffer.from('\r\n')]);

/** Writes BIG_BYTES as fast as they are read. */
function pour(sent: { bytes: number }, isChunked: boolean) {
  return async (socket: Socket): Promise<void> => {
    while (sent.bytes < BIG_BYTES && !socket.destroyed) {
      const hasRoom = socket.write(isChunked ? FRAMED_CHUNK : CHUNK);
      sent.bytes += CHUNK.length;
      if (!hasRoom) await eventOrClose(socket, 'drain');
    }
  };
}

/** Sends as much of BIG_BYTES as there is room for. */
function pump(attempt: RecordedAttempt, sent: { bytes: number }): void {
  if (sent.bytes === BIG_BYTES) return;
  for (let hasRoom = true; hasRoom && sent.bytes < BIG_BYTES; sent.bytes += CHUNK.length) {
    hasRoom = attempt.handle.sendBody(CHUNK);
  }
  if (sent.bytes === BIG_BYTES) attempt.handle.endBody(null);
}

/** Resolves when the value has not changed for many turns of the event loop. */
async function stands(value: () => number): Promise<void> {
  for (let quiet = 0, last = -1; quiet < 50; quiet += 1) {
    if (value() !== last) quiet = 0;
    last = value();
    await nextTurn();
  }
}
