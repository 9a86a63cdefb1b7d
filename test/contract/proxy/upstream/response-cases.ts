// Responses as the exchange receives them, in pieces of any size. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNKNOWN_LENGTH, type ResponseHead } from '../../../../core/head.ts';
import { bodyRead, dribble, fin, send } from '../../../support/scripted-origin.ts';
import { withBench, type TransportUnderTest } from '../../../support/transport-bench.ts';

interface ResponseCase {
  readonly name: string;
  readonly wire: string;
  readonly method?: string;
  /** Whether the endpoint closes the connection after it. */
  readonly ends?: boolean;
  readonly status?: number;
  readonly reason?: string;
  readonly body?: string;
  readonly length?: number | null;
  readonly trailers?: readonly string[];
  /** Whether the connection serves the next request. */
  readonly reuses?: boolean;
}

const PIECES = [1, 2, 3, 7, 100_000];

const RESPONSES: readonly ResponseCase[] = [
  {
    name: 'a length',
    wire: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    body: 'hello',
    length: 5,
    reuses: true,
  },
  {
    name: 'a length of 0',
    wire: 'HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n',
    status: 201,
    reason: 'Made',
    length: 0,
  },
  {
    name: 'chunks',
    wire: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x="y"\r\nlo\r\n0\r\n\r\n',
    body: 'hello',
    reuses: true,
  },
  {
    name: 'chunks and trailers',
    wire: 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\nx-sum: 2\r\n\r\n',
    body: 'hello',
    trailers: ['X-Sum', '1', 'x-sum', '2'],
    reuses: true,
  },
  { name: 'no framing until it ends', wire: 'HTTP/1.1 200 OK\r\n\r\nhello', ends: true, body: 'hello' },
  { name: 'no framing and no body until it ends', wire: 'HTTP/1.1 200 OK\r\n\r\n', ends: true },
  { name: 'HTTP/1.0 until it ends', wire: 'HTTP/1.0 200 OK\r\n\r\nhello', ends: true, body: 'hello' },
  {
    name: 'HTTP/1.0 with keep-alive',
    wire: 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello',
    body: 'hello',
    length: 5,
    reuses: true,
  },
  {
    name: 'a length and Connection: close',
    wire: 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello',
    body: 'hello',
    length: 5,
  },
  { name: 'no reason', wire: 'HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx', reason: '', body: 'x', length: 1 },
  {
    name: 'bytes above 127 in its reason',
    wire: 'HTTP/1.1 500 Fehler\xe9\r\nContent-Length: 0\r\n\r\n',
    status: 500,
    reason: 'Fehler\xe9',
    length: 0,
  },
  { name: 'HEAD and a length', method: 'HEAD', wire: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', length: 5 },
  { name: 'HEAD and chunks', method: 'HEAD', wire: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' },
  { name: '204', wire: 'HTTP/1.1 204 No Content\r\n\r\n', status: 204, reason: 'No Content', reuses: true },
  {
    name: '304 with a length',
    wire: 'HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n',
    status: 304,
    reason: 'Same',
    length: 5,
  },
  { name: '304 without', wire: 'HTTP/1.1 304 Same\r\n\r\n', status: 304, reason: 'Same', reuses: true },
];

/** Ends of complete responses after which the connection may not be reused. */
const RESPONSES_WITH_MORE: readonly ResponseCase[] = [
  {
    name: 'bytes behind its length',
    wire: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nevil',
    body: 'ok',
  },
  {
    name: 'a second response behind its last chunk',
    wire: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil',
    body: 'ok',
  },
  { name: 'a body in spite of HEAD', method: 'HEAD', wire: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil' },
  {
    name: 'a body in spite of 204',
    wire: 'HTTP/1.1 204 No\r\nContent-Length: 4\r\n\r\nevil',
    status: 204,
    reason: 'No',
  },
  {
    name: 'a body in spite of 304',
    wire: 'HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n',
    status: 304,
    reason: 'No',
  },
];

export function responseCases(subject: TransportUnderTest): void {
  for (const wanted of RESPONSES) {
    test(`a response with ${wanted.name}`, () => playAtAllSplits(subject, wanted));
  }
  for (const wanted of RESPONSES_WITH_MORE) {
    test(`a response with ${wanted.name} is relayed alone`, () => playAtAllSplits(subject, wanted));
  }

  test('fields keep names, order and repetitions; connection-specific and nominated ones are dropped', () =>
    withBench(subject, {}, async (bench) => {
      const fields =
        'Set-Cookie: a=1\r\nX-Hop: h\r\nset-cookie: b="x,y"\r\nETag: "\xe9"\r\nProxy-Connection: close\r\n';
      const hops = 'Connection: X-Hop, keep-alive\r\nKeep-Alive: timeout=9\r\nUpgrade: h2c\r\nTE: trailers\r\n';
      bench.origin.play(send(`HTTP/1.1 200 OK\r\n${fields}${hops}Content-Length: 0\r\n\r\n`));
      const { head } = await bench.send().done;
      assert.deepEqual(head!.endToEndFields(), ['Set-Cookie', 'a=1', 'set-cookie', 'b="x,y"', 'ETag', '"\xe9"']);
      assert.equal(head!.field('set-cookie'), 'a=1, b="x,y"');
      assert.equal(head!.field('etag'), '"\xe9"');
      assert.equal(head!.field('x-none'), undefined);
    }));

  test('interim responses are separate events before the head', () =>
    withBench(subject, {}, async (bench) => {
      const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nSet-Cookie: early=1\r\nContent-Length: 4\r\n\r\n';
      const wire = `HTTP/1.1 100 Continue\r\n\r\n${early}HTTP/1.1 102 P\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`;
      for (const pieceBytes of PIECES) {
        bench.origin.play(dribble(wire, pieceBytes));
        const attempt = await bench.send().done;
        assert.deepEqual(attempt.log, ['lease', 'interim', 'interim', 'interim', 'head', 'data', 'end']);
        assert.deepEqual(
          attempt.interims.map(({ status }) => status),
          [100, 103, 102],
        );
        assert.deepEqual(attempt.interims[1]!.endToEndFields(), ['Link', '</a>', 'Set-Cookie', 'early=1']);
        assert.deepEqual(attempt.head!.endToEndFields(), []);
      }
    }));
}

/** Plays the response in pieces of each size, each followed by a canary that shows whether the connection was kept. */
async function playAtAllSplits(subject: TransportUnderTest, wanted: ResponseCase): Promise<void> {
  for (const pieceBytes of PIECES) {
    await withBench(subject, {}, async (bench) => {
      bench.origin.play(bodyRead(), dribble(wanted.wire, pieceBytes), ...(wanted.ends === true ? [fin()] : []));
      const attempt = await bench.send({ method: wanted.method ?? 'GET' }).done;
      assert.equal(attempt.outcome, 'ok', `in pieces of ${pieceBytes}`);
      assert.equal(attempt.body, wanted.body ?? '');
      assert.deepEqual(attempt.trailers, wanted.trailers ?? null);
      checkHead(attempt.head!, wanted);
      await bench.idled();
      const canary = await bench.send().done;
      assert.equal(canary.outcome, 'ok');
      assert.equal(canary.body, 'ok');
      if (wanted.reuses === true) assert.equal(canary.isReused, true);
    });
  }
}

function checkHead(head: ResponseHead, wanted: ResponseCase): void {
  assert.equal(head.status, wanted.status ?? 200);
  assert.equal(head.reason, wanted.reason ?? 'OK');
  if (wanted.length === undefined) return;
  assert.equal(head.hasLength, wanted.length !== null);
  assert.equal(head.bodyLength, wanted.length ?? UNKNOWN_LENGTH);
}
