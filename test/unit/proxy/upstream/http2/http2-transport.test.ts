// The HTTP/2 transport: requests, the budget of streams, flow control both ways. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ErrorCode } from '../../../../../proxy/http2/error-code.ts';
import { fieldOf } from '../../../../support/request-head.ts';
import { withHttp2Bench } from '../../../../support/http2-bench.ts';
import { answerOk } from '../../../../support/http2-origin.ts';

const MAX_CONCURRENT_STREAMS = 3;
const INITIAL_WINDOW_SIZE = 4;

describe('requests', () => {
  test('the head list: pseudo-header fields first, names in lower case, Host as :authority', () =>
    withHttp2Bench(async (bench, origin) => {
      const attempt = bench.send({
        target: '/a?b=c',
        fields: ['Accept', '*/*', 'X-Two', '1', 'TE', 'trailers'],
        insertedFields: ['X-Request-Id', 'r1'],
        removedFields: new Set(['x-two']),
      });
      assert.equal((await attempt.done).outcome, 'ok');
      const pseudo = [':method', 'GET', ':scheme', 'http', ':authority', 'a.test', ':path', '/a?b=c'];
      const regular = ['accept', '*/*', 'x-request-id', 'r1', 'te', 'trailers'];
      assert.deepEqual(origin.requests[0]!.fields, pseudo.concat(regular));
      assert.deepEqual(attempt.log, ['lease', 'head', 'data', 'end']);
      assert.equal(attempt.body, 'ok');
      assert.equal(attempt.isReused, false);
    }));

  test('requests share one connection', () =>
    withHttp2Bench(async (bench, origin) => {
      await Promise.all([bench.send().done, bench.send().done, bench.send().done]);
      assert.equal((await bench.send().done).isReused, true);
      assert.equal(origin.connections.length, 1);
      assert.deepEqual(
        origin.requests.map(({ stream }) => stream),
        [1, 3, 5, 7],
      );
      assert.equal(bench.lane('connectionsOpened'), 1);
      await bench.untilLane('connectionsIdle', 1);
    }));

  test('a body with trailers: of unknown length', () =>
    withHttp2Bench(async (bench, origin) => {
      const attempt = bench.send({ method: 'POST', bodyLength: -1 }, (it) => {
        it.react = (event) => {
          if (event !== 'body-wanted') return;
          it.handle.sendBody(Buffer.from('hello'));
          it.handle.endBody(['X-Sum', '5']);
        };
      });
      await attempt.done;
      const request = origin.requests[0]!;
      await origin.until(() => request.isEnded);
      assert.equal(request.body, 'hello');
      assert.deepEqual(request.trailers, ['x-sum', '5']);
      assert.equal(fieldOf(request.fields, 'content-length'), undefined);
    }));

  for (const [bodyLength, sent, expected] of [
    [5, 'hello', 'ok'],
    [4, 'hello', 'unsendable-request sent'],
    [6, 'hello', 'unsendable-request sent'],
  ] as const) {
    test(`a body of ${sent.length} bytes, announced as ${bodyLength}: ${expected}`, () =>
      withHttp2Bench(async (bench, origin) => {
        origin.onRequest = () => undefined;
        const attempt = bench.send({ method: 'PUT', bodyLength }, (it) => {
          it.react = (event) => {
            if (event !== 'body-wanted') return;
            it.handle.sendBody(Buffer.from(sent));
            it.handle.endBody(null);
          };
        });
        const request = await origin.request(0);
        await origin.until(() => request.isEnded || request.resetCode >= 0);
        if (request.isEnded) answerOk(request);
        assert.equal((await attempt.done).outcome, expected);
        assert.equal(fieldOf(request.fields, 'content-length'), String(bodyLength));
      }));
  }

  for (const [name, parts] of [
    ['a line break in a value', { insertedFields: ['x-a', 'b\r\nc: d'] }],
    ['a name that is no token', { insertedFields: ['x a', 'b'] }],
    ['CONNECT', { method: 'CONNECT' }],
    ['a target in absolute-form', { target: 'http://a.test/' }],
  ] as const) {
    test(`${name} can't be sent`, () =>
      withHttp2Bench(async (bench, origin) => {
        assert.equal((await bench.send(parts).done).outcome, 'unsendable-request unsent');
        assert.equal(origin.connections.length, 0);
      }));
  }
});

describe('the budget of streams', () => {
  test("the endpoint's limit opens further connections, and frees streams one by one", () =>
    withHttp2Bench(
      async (bench, origin) => {
        origin.onRequest = () => undefined;
        const attempts = Array.from({ length: 5 }, () => bench.send());
        await origin.until(() => origin.requests.length === 5);
        assert.deepEqual(
          origin.connections.map(({ requests }) => requests.length).toSorted((a, b) => a - b),
          [1, 2, 2],
        );
        for (const request of origin.requests) answerOk(request);
        for (const attempt of attempts) assert.equal((await attempt.done).outcome, 'ok');
      },
      {},
      (origin) => (origin.firstSettings = [MAX_CONCURRENT_STREAMS, 2]),
    ));

  test('a limit of 0 streams, raised later', () =>
    withHttp2Bench(
      async (bench, origin) => {
        const attempt = bench.send();
        await origin.until(() => origin.connections.length > 0);
        assert.deepEqual(attempt.log, []);
        origin.connections[0]!.settings(MAX_CONCURRENT_STREAMS, 5);
        assert.equal((await attempt.done).outcome, 'ok');
      },
      {},
      (origin) => (origin.firstSettings = [MAX_CONCURRENT_STREAMS, 0]),
    ));
});

describe('flow control', () => {
  test('a body waits for the window of its stream, then for that of the connection', () =>
    withHttp2Bench(
      async (bench, origin) => {
        origin.onRequest = () => undefined;
        const body = 'x'.repeat(70_000);
        const attempt = bench.send({ method: 'POST', bodyLength: body.length }, (it) => {
          it.react = (event) => {
            if (event === 'body-wanted') assert.equal(it.handle.sendBody(Buffer.from(body)), false);
            if (event === 'drain') it.handle.endBody(null);
          };
        });
        const request = await origin.request(0);
        await origin.until(() => request.body.length === 10);
        const { connection } = request;
        connection.write((writer) => writer.addWindowUpdate(1, 5));
        await origin.until(() => request.body.length === 15);
        connection.write((writer) => writer.addWindowUpdate(1, 100_000));
        await origin.until(() => request.body.length === 65_535);
        assert.ok(!attempt.log.includes('drain'));
        connection.write((writer) => writer.addWindowUpdate(0, 100_000));
        await origin.until(() => request.isEnded);
        assert.equal(request.body, body);
        answerOk(request);
        assert.equal((await attempt.done).outcome, 'ok');
      },
      {},
      (origin) => (origin.firstSettings = [INITIAL_WINDOW_SIZE, 10]),
    ));

  test('a changed initial window applies to open streams, below zero too', () =>
    withHttp2Bench(async (bench, origin) => {
      origin.onRequest = () => undefined;
      const attempt = bench.send({ method: 'POST', bodyLength: 70_000 }, (it) => {
        it.react = (event) => {
          if (event === 'body-wanted') it.handle.sendBody(Buffer.alloc(70_000, 'x'));
          if (event === 'drain') it.handle.endBody(null);
        };
      });
      const request = await origin.request(0);
      await origin.until(() => request.body.length === 65_535);
      request.connection.settings(INITIAL_WINDOW_SIZE, 10);
      request.connection.write((writer) => writer.addWindowUpdate(0, 100_000));
      request.connection.write((writer) => writer.addWindowUpdate(1, 65_525));
      request.connection.settings(INITIAL_WINDOW_SIZE, 20_000);
      await origin.until(() => request.isEnded);
      answerOk(request);
      assert.equal((await attempt.done).outcome, 'ok');
    }));

  test('a slow client holds back its own stream only, and takes all of it in the end', () =>
    withHttp2Bench(async (bench, origin) => {
      const piece = 'y'.repeat(16_384);
      origin.onRequest = ({ connection, stream }) => {
        if (stream !== 1) return answerOk({ connection, stream } as never);
        connection.headers(stream, [':status', '200'], false);
        for (let at = 0; at < 16; at += 1) connection.data(stream, piece, false);
      };
      const slow = bench.send({}, (it) => {
        it.takesData = false;
      });
      await slow.saw('data');
      for (let at = 0; at < 20; at += 1) assert.equal((await bench.send().done).outcome, 'ok');
      const { connection } = await origin.request(0);
      assert.equal(connection.windowUpdates.filter(({ stream }) => stream === 1).length, 0);
      slow.takesData = true;
      slow.handle.resume();
      await origin.until(() => connection.windowUpdates.some(({ stream }) => stream === 1));
      connection.data(1, 'z', true);
      assert.equal((await slow.done).bodyBytes, 16 * piece.length + 1);
    }));

  test('DATA beyond the window of the stream resets the stream only', () =>
    withHttp2Bench(async (bench, origin) => {
      const piece = 'y'.repeat(16_384);
      origin.onRequest = ({ connection, stream }) => {
        connection.headers(stream, [':status', '200'], false);
        for (let at = 0; at < 17; at += 1) connection.data(stream, piece, false);
      };
      const slow = bench.send({}, (it) => {
        it.takesData = false;
      });
      assert.equal((await slow.done).outcome, 'malformed-response sent');
      const request = await origin.request(0);
      await origin.until(() => request.resetCode === ErrorCode.FLOW_CONTROL_ERROR);
      origin.onRequest = answerOk;
      assert.equal((await bench.send().done).isReused, true);
    }));
});
