// The HTTP/2 transport: responses, and every way in which an endpoint ends a stream or a connection. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ErrorCode } from '../../../../../proxy/http2/error-code.ts';
import { type Http2Bench, withHttp2Bench } from '../../../../support/http2-bench.ts';
import { answerOk, type Http2Request } from '../../../../support/http2-origin.ts';
import type { RecordedAttempt } from '../../../../support/recorded-attempt.ts';

describe('counters of the endpoint', () => {
  test('connections and streams that are open', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = () => undefined;
      const attempt = bench.send();
      await bench.untilLane('http2Streams', 1);
      assert.equal(bench.lane('http2Connections'), 1);
      const { connection, stream } = await origin.request(0);
      connection.headers(stream, [':status', '204'], true);
      await attempt.done;
      assert.equal(bench.lane('http2Streams'), 0);
      assert.equal(bench.lane('http2Connections'), 1);
      await bench.transport.close();
      assert.equal(bench.lane('http2Connections'), 0);
      assert.equal(bench.lane('http2GoawaysSent'), 1);
    }));

  test('resets of both sides', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = ({ connection, stream }) =>
        connection.write((writer) => writer.addReset(stream, ErrorCode.INTERNAL_ERROR));
      await bench.send().done;
      assert.deepEqual([bench.lane('http2ResetsReceived'), bench.lane('http2ResetsSent')], [1, 0]);
      origin.onRequest = () => undefined;
      const cancelled = bench.send();
      await bench.untilLane('http2Streams', 1);
      cancelled.handle.abort();
      assert.deepEqual([bench.lane('http2ResetsReceived'), bench.lane('http2ResetsSent')], [1, 1]);
      assert.equal(bench.lane('http2Streams'), 0);
    }));

  test('streams that the endpoint refused, by REFUSED_STREAM and by GOAWAY', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = ({ connection, stream }) =>
        connection.write((writer) => writer.addReset(stream, ErrorCode.REFUSED_STREAM));
      await bench.send().done;
      assert.deepEqual([bench.lane('http2StreamsRefused'), bench.lane('http2GoawaysReceived')], [1, 0]);
      origin.onRequest = ({ connection }) => connection.write((writer) => writer.addGoaway(1, ErrorCode.NO_ERROR));
      await bench.send().done;
      assert.deepEqual([bench.lane('http2StreamsRefused'), bench.lane('http2GoawaysReceived')], [2, 1]);
      assert.equal(bench.lane('http2Streams'), 0);
    }));

  test('the end of a connection with open streams', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = () => undefined;
      const attempt = bench.send();
      const { connection } = await origin.request(0);
      connection.socket.destroy();
      await attempt.done;
      assert.deepEqual([bench.lane('http2Streams'), bench.lane('http2Connections')], [0, 0]);
    }));
});

describe('responses', () => {
  test('interim responses, a body, trailers', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = ({ connection, stream }) => {
        connection.headers(stream, [':status', '103', 'link', '</a>'], false);
        connection.headers(stream, [':status', '200', 'x-a', '1', 'x-a', '2'], false);
        connection.data(stream, 'body', false);
        connection.headers(stream, ['grpc-status', '0', 'content-length', '9'], true);
      };
      const attempt = await bench.send().done;
      assert.deepEqual(attempt.log, ['lease', 'interim', 'head', 'data', 'end']);
      assert.equal(attempt.interims[0]!.field('link'), '</a>');
      assert.deepEqual(attempt.head!.endToEndFields(), ['x-a', '1', 'x-a', '2']);
      assert.equal(attempt.head!.bodyLength, -1);
      assert.deepEqual(attempt.trailers, ['grpc-status', '0']);
    }));

  test('a response that ends with its head has a known length of 0', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = ({ connection, stream }) => connection.headers(stream, [':status', '200'], true);
      const { head, log } = await bench.send().done;
      assert.deepEqual(log, ['lease', 'head', 'end']);
      assert.equal(head!.hasLength, true);
      assert.equal(head!.bodyLength, 0);
    }));

  test('an answer before the end of the upload: the request ends, and the connection serves others', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = ({ connection, stream }) => {
        connection.headers(stream, [':status', '413'], true);
        connection.write((writer) => writer.addReset(stream, ErrorCode.NO_ERROR));
      };
      const attempt = await bench.send({ method: 'POST', bodyLength: 1_000_000 }, (it) => {
        it.react = (event) => {
          if (event === 'body-wanted') it.handle.sendBody(Buffer.alloc(1000));
        };
      }).done;
      assert.equal(attempt.outcome, 'ok');
      assert.equal(attempt.head!.status, 413);
      assert.equal(attempt.handle.sendBody(Buffer.alloc(10)), true);
      origin.onRequest = answerOk;
      assert.equal((await bench.send().done).isReused, true);
      assert.equal(origin.connections.length, 1);
    }));

  describe('the rest of an upload behind a complete response', () => {
    const answerAtOnce = ({ connection, stream }: Http2Request): void =>
      connection.headers(stream, [':status', '200'], true);
    const sendAround = (bench: Http2Bench): RecordedAttempt =>
      bench.send({ method: 'POST', bodyLength: 6 }, (it) => {
        it.keepsUpload = true;
        it.react = (event) => {
          if (event === 'body-wanted') it.handle.sendBody(Buffer.from('one'));
        };
      });

    test('is sent to an endpoint that leaves the stream open', () =>
      withHttp2Bench(async (bench, origin) => {
        origin.onRequest = answerAtOnce;
        const attempt = sendAround(bench);
        await attempt.saw('early-end');
        attempt.handle.sendBody(Buffer.from('two'));
        attempt.handle.endBody(null);
        assert.deepEqual((await attempt.done).log, ['lease', 'body-wanted', 'head', 'early-end', 'end']);
        const request = await origin.request(0);
        await origin.until(() => request.isEnded);
        assert.deepEqual([request.body, request.resetCode], ['onetwo', -1]);
      }));

    test('ends with the reset by an endpoint that needs no more', () =>
      withHttp2Bench(async (bench, origin) => {
        origin.onRequest = answerAtOnce;
        const attempt = sendAround(bench);
        await attempt.saw('early-end');
        const request = await origin.request(0);
        request.connection.write((writer) => writer.addReset(request.stream, ErrorCode.NO_ERROR));
        assert.deepEqual((await attempt.done).log.slice(-2), ['early-end', 'end']);
        assert.equal(attempt.handle.sendBody(Buffer.from('two')), true);
        origin.onRequest = answerOk;
        assert.equal((await bench.send().done).isReused, true);
      }));

    test('ends with the connection', () =>
      withHttp2Bench(async (bench, origin) => {
        origin.onRequest = answerAtOnce;
        const attempt = sendAround(bench);
        await attempt.saw('early-end');
        origin.connections[0]!.socket.destroy();
        assert.deepEqual((await attempt.done).log.slice(-2), ['early-end', 'end']);
      }));

    test('is cancelled where the exchange aborts', () =>
      withHttp2Bench(async (bench, origin) => {
        origin.onRequest = answerAtOnce;
        const attempt = sendAround(bench);
        await attempt.saw('early-end');
        attempt.handle.abort();
        const request = await origin.request(0);
        await origin.until(() => request.resetCode >= 0);
        assert.deepEqual([request.resetCode, attempt.log.at(-1)], [ErrorCode.CANCEL, 'early-end']);
      }));
  });

  const malformed: readonly (readonly [name: string, fields: readonly string[], isLast?: boolean])[] = [
    ['no :status', ['x', '1']],
    ['a :status that is no status', [':status', '20']],
    ['another pseudo-header field', [':status', '200', ':path', '/']],
    ['a pseudo-header field after a regular one', ['x', '1', ':status', '200']],
    ['101', [':status', '101']],
    ['an upper-case name', [':status', '200', 'X-A', '1']],
    ['a line break in a value', [':status', '200', 'x', 'a\r\nb: c']],
    ['a NUL in a value', [':status', '200', 'x', 'a\0']],
    ['a connection-specific field', [':status', '200', 'connection', 'close']],
    ['Transfer-Encoding', [':status', '200', 'transfer-encoding', 'chunked']],
    ['two lengths', [':status', '200', 'content-length', '1', 'content-length', '2']],
    ['a negative length', [':status', '200', 'content-length', '-1']],
    ['an interim response that ends the stream', [':status', '103'], true],
    ['a missing body', [':status', '200', 'content-length', '5'], true],
  ];
  for (const [name, fields, isLast = false] of malformed) {
    test(`malformed: ${name}`, () =>
      withHttp2Bench(async (bench, origin) => {
        origin.onRequest = ({ connection, stream }) => connection.headers(stream, fields, isLast);
        assert.equal((await bench.send().done).outcome, 'malformed-response sent');
        assert.equal(bench.faults.length, 1);
        const request = await origin.request(0);
        await origin.until(() => request.resetCode === ErrorCode.PROTOCOL_ERROR);
        origin.onRequest = answerOk;
        assert.equal((await bench.send().done).isReused, true);
      }));
  }

  for (const [name, text] of [
    ['longer', 'abcdef'],
    ['shorter', 'abcd'],
  ] as const) {
    test(`a body ${name} than its Content-Length is malformed`, () =>
      withHttp2Bench(async (bench, origin) => {
        origin.onRequest = ({ connection, stream }) => {
          connection.headers(stream, [':status', '200', 'content-length', '5'], false);
          connection.data(stream, text, true);
        };
        assert.equal((await bench.send().done).outcome, 'malformed-response sent');
      }));
  }

  test('HEAD and 304 may state a length without a body', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = ({ connection, stream }) =>
        connection.headers(stream, [':status', stream === 1 ? '200' : '304', 'content-length', '5'], true);
      const attempt = await bench.send({ method: 'HEAD' }).done;
      assert.equal(attempt.outcome, 'ok');
      assert.equal(attempt.head!.bodyLength, 5);
      assert.equal((await bench.send().done).head!.bodyLength, 5);
    }));

  test('a head beyond the limit', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = ({ connection, stream }) =>
        connection.headers(stream, [':status', '200', 'x', 'y'.repeat(40_000)], true);
      assert.equal((await bench.send().done).outcome, 'head-too-large sent');
      origin.onRequest = answerOk;
      assert.equal((await bench.send().done).isReused, true);
    }));
});

describe('ends', () => {
  const resets = [
    [ErrorCode.REFUSED_STREAM, false, 'refused-stream unsent'],
    [ErrorCode.REFUSED_STREAM, true, 'truncated sent'],
    [ErrorCode.INTERNAL_ERROR, false, 'reset sent'],
    [ErrorCode.NO_ERROR, false, 'reset sent'],
    [ErrorCode.NO_ERROR, true, 'ok'],
    [ErrorCode.CANCEL, true, 'truncated sent'],
  ] as const;
  for (const [code, hasHead, expected] of resets) {
    test(`RST_STREAM with code ${code} ${hasHead ? 'after' : 'before'} the head: ${expected}`, () =>
      withHttp2Bench(async (bench, origin) => {
        origin.onRequest = ({ connection, stream }) => {
          if (hasHead) connection.headers(stream, [':status', '200'], false);
          connection.write((writer) => writer.addReset(stream, code));
        };
        assert.equal((await bench.send().done).outcome, expected);
        origin.onRequest = answerOk;
        assert.equal((await bench.send().done).isReused, true);
        assert.equal(origin.connections.length, 1);
      }));
  }

  test('RST_STREAM with NO_ERROR before the stated length is reached: truncated', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = ({ connection, stream }) => {
        connection.headers(stream, [':status', '200', 'content-length', '5'], false);
        connection.data(stream, 'abc', false);
        connection.write((writer) => writer.addReset(stream, ErrorCode.NO_ERROR));
      };
      assert.equal((await bench.send().done).outcome, 'truncated sent');
    }));

  test('GOAWAY: streams above the last one were not processed, the others finish, new ones use another connection', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = () => undefined;
      const [first, second] = [bench.send(), bench.send()];
      await origin.until(() => origin.requests.length === 2);
      const { connection } = origin.requests[0]!;
      connection.write((writer) => writer.addGoaway(1, ErrorCode.NO_ERROR));
      assert.equal((await second.done).outcome, 'refused-stream unsent');
      origin.onRequest = answerOk;
      assert.equal((await bench.send().done).isReused, false);
      answerOk(origin.requests[0]!);
      assert.equal((await first.done).outcome, 'ok');
      await origin.until(() => connection.socket.destroyed);
      assert.equal(bench.idleDeaths, 0);
      assert.deepEqual(bench.faults, []);
    }));

  test('a lost connection: requests in flight fail as reset, and a response that is whole is delivered', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = ({ connection, stream }) => {
        if (stream !== 1) return;
        connection.headers(stream, [':status', '200'], false);
        connection.data(stream, 'all of it', false);
        connection.data(stream, '!', true);
      };
      const whole = bench.send({}, (it) => {
        it.takesData = false;
      });
      const open = bench.send();
      await whole.saw('data');
      await origin.until(() => origin.requests.length === 2);
      origin.connections[0]!.socket.destroy();
      assert.equal((await open.done).outcome, 'reset sent');
      whole.takesData = true;
      whole.handle.resume();
      assert.equal((await whole.done).body, 'all of it!');
    }));

  test('a request on an idle connection that the endpoint is closing is stale, not a failure', () =>
    withHttp2Bench(async (bench, origin) => {
      await bench.send().done;
      origin.onRequest = ({ connection }) => void connection.socket.destroy();
      assert.equal((await bench.send().done).outcome, 'stale-connection sent');
    }));

  test('a connection error of the endpoint: GOAWAY with the code, and the reason is reported', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = ({ connection }) =>
        connection.write((writer) => writer.addData(99, true, Buffer.alloc(0), 0, 0));
      assert.equal((await bench.send().done).outcome, 'malformed-response sent');
      const [connection] = origin.connections;
      await origin.until(() => connection!.goaways.length > 0);
      assert.equal(connection!.goaways[0], ErrorCode.PROTOCOL_ERROR);
      assert.match(bench.faults[0]!, /never opened/);
      origin.onRequest = answerOk;
      assert.equal((await bench.send().done).outcome, 'ok');
    }));

  test('an endpoint of HTTP/1.1 is reported as such, and nothing was sent', () =>
    withHttp2Bench(
      async (bench, origin) => {
        const attempt = bench.send();
        await origin.until(() => origin.connections.length > 0);
        origin.connections[0]!.socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
        assert.equal((await attempt.done).outcome, 'malformed-response unsent');
        assert.match(bench.faults[0]!, /HTTP\/1\.1 only/);
      },
      {},
      (origin) => (origin.firstSettings = null),
    ));

  test('an endpoint that sends no SETTINGS in time', () =>
    withHttp2Bench(
      async (bench) => {
        assert.equal((await bench.send().done).outcome, 'connect-timeout unsent');
      },
      { timeouts: { connectMs: 50, responseMs: 0, idleMs: 0, queueMs: 0, tunnelMs: 0, keepAliveMs: 4000 } },
      (origin) => (origin.firstSettings = null),
    ));

  test('a cancelled attempt resets its stream only', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = () => undefined;
      const attempt = bench.send();
      const request = await origin.request(0);
      attempt.handle.abort();
      await origin.until(() => request.resetCode === ErrorCode.CANCEL);
      // Frames that cross the reset are ignored.
      answerOk(request);
      origin.onRequest = answerOk;
      assert.equal((await bench.send().done).isReused, true);
      assert.deepEqual(attempt.log, ['lease']);
    }));

  test('an endpoint that does not answer is pinged after a cancelled request, and dropped without an answer', () =>
    withHttp2Bench(
      async (bench, origin) => {
        origin.answersPings = false;
        origin.onRequest = () => undefined;
        const attempt = bench.send();
        await attempt.saw('lease');
        await new Promise((resolve) => setTimeout(resolve, 550));
        attempt.handle.abort();
        const [connection] = origin.connections;
        await origin.until(() => connection!.pings.length > 0);
        await origin.until(() => connection!.socket.destroyed);
        origin.onRequest = answerOk;
        assert.equal((await bench.send().done).isReused, false);
      },
      { timeouts: { connectMs: 60, responseMs: 0, idleMs: 0, queueMs: 0, tunnelMs: 0, keepAliveMs: 4000 } },
    ));

  test('an idle connection closes after the keep-alive time, with GOAWAY', () =>
    withHttp2Bench(
      async (bench, origin) => {
        await bench.send().done;
        const [connection] = origin.connections;
        await origin.until(() => connection!.socket.destroyed);
        assert.deepEqual(connection!.goaways, [ErrorCode.NO_ERROR]);
        await bench.untilLane('connectionsOpen', 0);
      },
      { timeouts: { connectMs: 1000, responseMs: 0, idleMs: 0, queueMs: 0, tunnelMs: 0, keepAliveMs: 30 } },
    ));

  test('a PING is answered; a flood of PING without reading ends the connection', () =>
    withHttp2Bench(async (bench, origin) => {
      await bench.send().done;
      const [connection] = origin.connections;
      connection!.write((writer) => writer.addPing(false, Buffer.alloc(8), 0));
      await origin.until(() => connection!.pings.includes('ack'));
      connection!.socket.pause();
      connection!.write((writer) => {
        for (let at = 0; at < 1100; at += 1) writer.addPing(false, Buffer.alloc(8), 0);
      });
      await bench.untilLane('connectionsOpen', 0);
      assert.match(bench.faults[0]!, /without reading/);
    }));
});
