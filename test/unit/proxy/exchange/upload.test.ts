// Request buffers and expectations of a route. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf } from '../../../../core/failure.ts';
import { type RequestHead, UNKNOWN_LENGTH } from '../../../../core/head.ts';
import type { UploadSettings } from '../../../../core/snapshot/route.ts';
import type { Exchange } from '../../../../proxy/exchange/exchange.ts';
import { ForwardingBench, responseHead } from '../../../support/forwarding.ts';
import { requestHead } from '../../../support/request-head.ts';
import { endpointSnapshot, routeSnapshot, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

function benchWith(upload: UploadSettings, more: Parameters<typeof routeSnapshot>[0] = {}): ForwardingBench {
  const endpoints = [endpointSnapshot(0), endpointSnapshot(1)];
  const routes = [routeSnapshot({ upload, ...more })];
  return new ForwardingBench(snapshot({ routes, upstreams: [upstreamSnapshot({ endpoints })] }));
}

const bytes = (text: string): Buffer => Buffer.from(text);
/** The last attempt has its connection and wants the body. */
function connect({ last }: ForwardingBench): void {
  last.events.onLease(false);
  last.events.onBodyWanted();
}

describe('a request buffer', () => {
  const upload: UploadSettings = { expect: 'forward', bufferBytes: 10 };

  test('holds a request until its body is complete, and announces its length', () => {
    const bench = benchWith(upload);
    const client = bench.request({ method: 'POST', bodyLength: UNKNOWN_LENGTH });
    assert.ok(client.isBodyFlowing);
    client.events!.onBodyData(bytes('abc'));
    client.events!.onBodyData(bytes('def'));
    assert.equal(bench.attempts.length, 0);
    client.events!.onBodyEnd(null);
    assert.equal(bench.last.request.head.bodyLength, 6);
    connect(bench);
    assert.deepEqual([bench.last.sent, bench.last.isBodyEnded], [['abc', 'def'], true]);
    bench.last.answer(200, 'ok');
    assert.deepEqual(client.log, ['head 200', 'data ok', 'end']);
  });

  test('streams the rest of a larger body, and loses no byte that arrives meanwhile', () => {
    const bench = benchWith(upload);
    const client = bench.request({ method: 'PUT', bodyLength: 20 });
    client.events!.onBodyData(bytes('12345'));
    assert.equal(bench.attempts.length, 0);
    client.events!.onBodyData(bytes('67890'));
    assert.equal(client.isBodyFlowing, false);
    assert.equal(bench.attempts.length, 1);
    client.events!.onBodyData(bytes('abcde'));
    connect(bench);
    assert.ok(client.isBodyFlowing);
    client.events!.onBodyData(bytes('fghij'));
    client.events!.onBodyEnd(null);
    assert.deepEqual([bench.last.sent, bench.last.isBodyEnded], [['12345', '67890', 'abcde', 'fghij'], true]);
    assert.equal(bench.last.request.head.bodyLength, 20);
  });

  test('keeps a whole body for a retry', () => {
    const bench = benchWith(upload);
    const client = bench.request({ method: 'PUT', bodyLength: 3 });
    client.events!.onBodyData(bytes('abc'));
    client.events!.onBodyEnd(null);
    connect(bench);
    bench.last.events.onFailure(failureOf('reset', true));
    bench.advance(300);
    assert.equal(bench.attempts.length, 2);
    connect(bench);
    assert.deepEqual([bench.last.sent, bench.last.isBodyEnded], [['abc'], true]);
  });

  test('does not delay requests without a body, keeps trailers, and enforces the limit of the body', () => {
    const bench = benchWith(upload, { bodyBytes: 4 });
    bench.request({ method: 'POST', bodyLength: 0 });
    assert.equal(bench.attempts.length, 1);
    const trailing = bench.request({ method: 'POST', bodyLength: UNKNOWN_LENGTH });
    trailing.events!.onBodyData(bytes('abc'));
    trailing.events!.onBodyEnd(['X-Sum', '1']);
    assert.equal(bench.last.request.head.bodyLength, UNKNOWN_LENGTH);
    const large = bench.request({ method: 'POST', bodyLength: UNKNOWN_LENGTH });
    large.events!.onBodyData(bytes('abcde'));
    assert.deepEqual(large.log, ['reply 413']);
    assert.equal(bench.attempts.length, 2);
  });

  test('ends with a client that leaves', async () => {
    const bench = benchWith(upload);
    const client = bench.request({ method: 'POST', bodyLength: 9 });
    client.events!.onBodyData(bytes('abc'));
    client.events!.onClientGone('closed');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(bench.attempts.length, 0);
    assert.equal(bench.records[0]!.termination, 'clientGoneRequest');
  });
});

describe('an expectation', () => {
  const expecting = (): ReturnType<typeof requestHead> =>
    Object.assign(requestHead({ method: 'POST', bodyLength: 3, fields: ['Expect', '100-continue'] }), {
      expectsContinue: true,
    });

  test('is answered at once and not forwarded where the route says so, or buffers', () => {
    for (const upload of [
      { expect: 'respond', bufferBytes: 0 },
      { expect: 'forward', bufferBytes: 10 },
    ] as const) {
      const bench = benchWith(upload);
      const client = bench.requestWith(expecting());
      assert.deepEqual(client.log, ['interim 100']);
      client.events!.onBodyData(bytes('abc'));
      client.events!.onBodyEnd(null);
      assert.notEqual(bench.last.request.head.expectsContinue, true);
      connect(bench);
      bench.last.events.onInterim(responseHead(100));
      bench.last.answer(204, '');
      // Client sides send a 100 once: the recording client doesn't.
      assert.deepEqual(client.log, ['interim 100', 'interim 100', 'head 204', 'end']);
    }
  });

  test('is refused where the route says so', () => {
    const bench = benchWith({ expect: 'refuse', bufferBytes: 0 });
    const client = bench.requestWith(expecting());
    assert.deepEqual(client.log, ['reply 417']);
    assert.equal(client.reply!.mustClose, true);
    assert.equal(bench.attempts.length, 0);
  });
});

describe('a response that is complete before the upload', () => {
  const forwarded: UploadSettings = { expect: 'forward', bufferBytes: 0 };
  /** Sends a part of the body, then the endpoint sends a complete response. Returns whether it gets the rest. */
  function answerEarly(bench: ForwardingBench, status = 200): boolean {
    connect(bench);
    const { events } = bench.last;
    events.onHead(responseHead(status));
    if (events.onEarlyEnd?.(null) === true) return true;
    events.onEnd(null);
    return false;
  }

  test('the endpoint gets the rest, and the exchange ends with it', () => {
    const bench = benchWith(forwarded);
    const client = bench.request({ method: 'PUT', bodyLength: 6 });
    assert.ok(answerEarly(bench));
    assert.deepEqual([client.log, bench.records.length], [['head 200', 'end'], 0]);
    client.events!.onBodyData(bytes('abc'));
    client.events!.onBodyData(bytes('def'));
    client.events!.onBodyEnd(null);
    assert.deepEqual([bench.last.sent, bench.last.isBodyEnded], [['abc', 'def'], true]);
    bench.last.events.onEnd(null);
    assert.deepEqual(client.log, ['head 200', 'end', 'release']);
    const { status, termination, bytesReceived } = bench.records[0]!;
    assert.deepEqual([status, termination, bytesReceived], [200, 'ok', 6]);
  });

  test('an endpoint that takes no more ends the upload, and counts as answered', () => {
    const bench = benchWith(forwarded);
    const client = bench.request({ method: 'PUT', bodyLength: 6 });
    assert.ok(answerEarly(bench));
    bench.last.events.onFailure(failureOf('truncated', true));
    assert.deepEqual(client.log, ['head 200', 'end', 'release']);
    assert.deepEqual([bench.records[0]!.termination, bench.records[0]!.failureKind], ['ok', null]);
  });

  test('an endpoint that stops reading ends the upload after the idle timeout', () => {
    const bench = benchWith(forwarded);
    const client = bench.request({ method: 'PUT', bodyLength: 6 });
    assert.ok(answerEarly(bench));
    bench.last.hasRoom = false;
    client.events!.onBodyData(bytes('abc'));
    assert.equal(client.isBodyFlowing, false);
    bench.advance(400_000);
    assert.ok(bench.last.isAborted);
    assert.deepEqual([client.log.at(-1), bench.records[0]!.termination], ['release', 'ok']);
  });

  test('a client that leaves within the upload cancels it', () => {
    const bench = benchWith(forwarded);
    const client = bench.request({ method: 'PUT', bodyLength: 6 });
    assert.ok(answerEarly(bench));
    client.events!.onClientGone('closed');
    assert.ok(bench.last.isAborted);
    assert.equal(bench.records[0]!.termination, 'clientGoneData');
  });

  test('an upload whose grace period after a reload has expired is cut', () => {
    const bench = benchWith(forwarded);
    const client = bench.request({ method: 'PUT', bodyLength: 6 });
    assert.ok(answerEarly(bench));
    const exchange = client.events as Exchange;
    assert.ok(exchange.isStreaming);
    bench.forwarder.expireAfterReload(exchange);
    assert.deepEqual([client.log.at(-1), bench.last.isAborted], ['cut', true]);
    assert.equal(bench.records[0]!.termination, 'drainedStream');
  });

  const put = requestHead({ method: 'PUT', bodyLength: 6 });
  const call = requestHead({ method: 'POST', bodyLength: 6, fields: ['content-type', 'application/grpc'] });
  const cases: readonly (readonly [name: string, head: RequestHead, status: number])[] = [
    ['an error', put, 413],
    ['a redirect', put, 302],
    ['the end of a gRPC call', call, 200],
    ['a response to a client that awaits 100 (Continue)', { ...put, expectsContinue: true }, 200],
  ];
  for (const [name, head, status] of cases) {
    test(`${name} ends the upload`, () => {
      const bench = benchWith(forwarded);
      const client = bench.requestWith(head);
      assert.equal(answerEarly(bench, status), false);
      assert.deepEqual([client.log, bench.records[0]!.termination], [[`head ${status}`, 'end'], 'ok']);
    });
  }
});
