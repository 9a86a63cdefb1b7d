// Request path step by step, as client, endpoints and access log observe it. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf } from '../../../../core/failure.ts';
import { UNKNOWN_LENGTH } from '../../../../core/head.ts';
import { E_CONSECUTIVE, UPSTREAM } from '../../../../core/memory/layout.ts';
import { ForwardingBench, responseHead } from '../../../support/forwarding.ts';
import { fieldOf } from '../../../support/request-head.ts';
import { literal, endpointSnapshot, routeSnapshot, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function benchWith(upstream: Parameters<typeof upstreamSnapshot>[0] = {}): ForwardingBench {
  return new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot(upstream)] }));
}

describe('a good exchange', () => {
  test('is relayed in order and leaves nothing in flight', () => {
    const bench = benchWith();
    const client = bench.request({ target: '/x' });
    assert.equal(bench.inflight(bench.last.slot), 1);
    bench.last.answer(200, 'hello');
    assert.deepEqual(client.log, ['head 200', 'data hello', 'end']);
    assert.equal(bench.inflight(bench.last.slot), 0);
    const record = bench.records[0]!;
    assert.equal(record.termination, 'ok');
    assert.equal(record.status, 200);
    assert.equal(record.bytesSent, 5);
    assert.equal(record.attempts, 1);
    assert.equal(record.retryVerdict, 'none');
  });

  test('replaces the forwarding fields of an untrusted client', () => {
    const bench = benchWith();
    bench.request({ authority: 'shop.test', fields: ['X-Forwarded-For', '6.6.6.6', 'Forwarded', 'for=6.6.6.6'] });
    const { insertedFields, removedFields, hostField } = bench.last.request;
    assert.equal(fieldOf(insertedFields, 'x-forwarded-for'), '192.0.2.1');
    assert.equal(fieldOf(insertedFields, 'x-forwarded-proto'), 'http');
    assert.equal(fieldOf(insertedFields, 'x-forwarded-host'), 'shop.test');
    assert.equal(fieldOf(insertedFields, 'x-forwarded-port'), '8080');
    assert.ok(fieldOf(insertedFields, 'x-request-id'));
    for (const name of ['x-forwarded-for', 'forwarded', 'x-request-id']) assert.ok(removedFields.has(name), name);
    assert.equal(hostField, 'shop.test');
  });

  test('extends the X-Forwarded-For of a trusted peer', () => {
    const bench = benchWith();
    const fields = ['X-Forwarded-For', '1.2.3.4', 'X-Forwarded-Proto', 'https', 'X-Request-Id', 'abc'];
    bench.request({ fields }, { isTrusted: true });
    const { insertedFields } = bench.last.request;
    assert.equal(fieldOf(insertedFields, 'x-forwarded-for'), '1.2.3.4, 192.0.2.1');
    assert.equal(fieldOf(insertedFields, 'x-forwarded-proto'), 'https');
    assert.equal(fieldOf(insertedFields, 'x-request-id'), 'abc');
  });

  test('relays interim responses, 100 to a client that expects none too', () => {
    const bench = benchWith();
    const client = bench.request();
    bench.last.events.onInterim(responseHead(100));
    bench.last.events.onInterim(responseHead(103));
    bench.last.answer(204, '');
    assert.deepEqual(client.log, ['interim 100', 'interim 103', 'head 204', 'end']);
  });

  test('pauses the endpoint while the client is slow', () => {
    const bench = benchWith();
    const client = bench.request();
    client.hasRoom = false;
    bench.last.events.onLease(false);
    bench.last.events.onHead(responseHead(200));
    assert.equal(bench.last.events.onData(Buffer.from('a')), false);
    bench.advance(120_000);
    assert.equal(bench.last.isAborted, false, 'a slow client is not the fault of the endpoint');
    client.hasRoom = true;
    client.events!.onClientDrain();
    assert.equal(bench.last.resumes, 1);
  });
});

describe('a request body', () => {
  test('flows once the endpoint accepts it, and pauses while the endpoint is slow', () => {
    const bench = benchWith();
    const client = bench.request({ method: 'POST', bodyLength: 4 });
    assert.equal(client.isBodyFlowing, false);
    bench.last.events.onLease(false);
    bench.last.events.onBodyWanted();
    assert.equal(client.isBodyFlowing, true);
    bench.last.hasRoom = false;
    client.events!.onBodyData(Buffer.from('ab'));
    assert.equal(client.isBodyFlowing, false);
    bench.last.events.onEndpointDrain();
    assert.equal(client.isBodyFlowing, true);
    client.events!.onBodyData(Buffer.from('cd'));
    client.events!.onBodyEnd(null);
    assert.deepEqual(bench.last.sent, ['ab', 'cd']);
    assert.equal(bench.last.isBodyEnded, true);
  });

  test('is sent again from the replay buffer', () => {
    const bench = benchWith();
    const client = bench.request({ method: 'PUT', bodyLength: 4 });
    bench.last.events.onLease(false);
    bench.last.events.onBodyWanted();
    client.events!.onBodyData(Buffer.from('ab'));
    bench.last.events.onFailure(failureOf('reset', true));
    bench.advance(40);
    assert.equal(bench.attempts.length, 2);
    bench.last.events.onLease(false);
    bench.last.events.onBodyWanted();
    client.events!.onBodyData(Buffer.from('cd'));
    client.events!.onBodyEnd(null);
    assert.deepEqual(bench.last.sent, ['ab', 'cd']);
    assert.equal(bench.last.isBodyEnded, true);
  });

  test('that the endpoint stops reading ends with the idle timeout', async () => {
    const bench = benchWith({ timeouts: { ...upstreamSnapshot().timeouts, idleMs: 1000 } });
    const client = bench.request({ method: 'POST', bodyLength: UNKNOWN_LENGTH });
    bench.last.events.onLease(false);
    bench.last.events.onBodyWanted();
    bench.advance(5000);
    assert.equal(bench.last.isAborted, false, 'a slow client is watched by its own side');
    bench.last.hasRoom = false;
    client.events!.onBodyData(Buffer.from('abcd'));
    bench.advance(2100);
    assert.equal(bench.last.isAborted, true);
    await settled();
    assert.equal(client.reply?.status, 504);
  });

  test('that is larger than the buffer is not sent again', async () => {
    const retry = { ...upstreamSnapshot().retry, bufferBytes: 3 };
    const bench = benchWith({ retry });
    const client = bench.request({ method: 'PUT', bodyLength: UNKNOWN_LENGTH });
    bench.last.events.onLease(false);
    bench.last.events.onBodyWanted();
    client.events!.onBodyData(Buffer.from('abcd'));
    bench.last.events.onFailure(failureOf('reset', true));
    assert.equal(bench.attempts.length, 1);
    await settled();
    assert.equal(client.reply?.status, 502);
    assert.equal(bench.records[0]?.retryVerdict, 'refused-body');
  });

  test('over the limit is refused: at once if declared, else at the limit', async () => {
    const bench = new ForwardingBench(snapshot({ routes: [routeSnapshot({ bodyBytes: 3 })] }));
    assert.equal(bench.request({ method: 'POST', bodyLength: 4 }).reply?.status, 413);
    assert.equal(bench.attempts.length, 0);
    const client = bench.request({ method: 'POST', bodyLength: UNKNOWN_LENGTH });
    bench.last.events.onLease(false);
    bench.last.events.onBodyWanted();
    client.events!.onBodyData(Buffer.from('abcd'));
    assert.equal(client.reply?.status, 413);
    assert.equal(client.reply?.mustClose, true);
    assert.equal(bench.last.isAborted, true);
    assert.equal(bench.inflight(bench.last.slot), 0);
  });
});

describe('limits', () => {
  const limited = {
    endpoints: [endpointSnapshot(0)],
    limits: { maxConnections: 1, maxQueue: 1, maxIdle: 64, isAdaptive: false },
  };

  test('queue a request until a place becomes free', () => {
    const bench = benchWith(limited);
    const first = bench.request();
    const second = bench.request();
    assert.equal(bench.attempts.length, 1);
    bench.last.answer();
    bench.forwarder.onWake();
    assert.equal(bench.attempts.length, 2);
    bench.last.answer();
    assert.equal(first.log[0], 'head 200');
    assert.equal(second.log[0], 'head 200');
    assert.equal(bench.region.words[bench.region.upstreamWord(0) + UPSTREAM.queued.index], 0);
  });

  test('reply 503 at once if the queue is full, and after the queue timeout', () => {
    const bench = benchWith(limited);
    bench.request();
    const waiting = bench.request();
    const refused = bench.request().reply!;
    assert.equal(refused.status, 503);
    assert.match(fieldOf(refused.fields, 'retry-after')!, /^[1-3]$/);
    assert.deepEqual(waiting.log, []);
    bench.advance(6000);
    assert.deepEqual(waiting.log, ['reply 503']);
    assert.equal(bench.region.words[bench.region.upstreamWord(0) + UPSTREAM.queued.index], 0);
  });

  test('free the place in the queue of a client that leaves', () => {
    const bench = benchWith(limited);
    bench.request();
    const waiting = bench.request();
    waiting.events!.onClientGone('closed');
    assert.equal(bench.region.words[bench.region.upstreamWord(0) + UPSTREAM.queued.index], 0);
    assert.equal(bench.records[0]?.termination, 'clientGoneQueue');
  });
});

describe('timeouts', () => {
  test('a GET is tried elsewhere after perTryTimeout and ends with the response timeout', async () => {
    const bench = benchWith({ retry: { ...upstreamSnapshot().retry, perTryTimeoutMs: 30_000 } });
    const client = bench.request();
    bench.last.events.onLease(false);
    bench.advance(30_050);
    assert.equal(bench.attempts.length, 2);
    assert.equal(bench.attempts[0]!.isAborted, true);
    bench.last.events.onLease(false);
    bench.advance(30_050);
    await settled();
    assert.equal(client.reply?.status, 504);
    assert.equal(bench.records[0]?.termination, 'responseTimeout');
  });

  test('a POST keeps its whole response timeout', () => {
    const bench = benchWith();
    const client = bench.request({ method: 'POST' });
    bench.last.events.onLease(false);
    bench.advance(59_900);
    assert.equal(bench.last.isAborted, false);
    bench.advance(200);
    assert.equal(client.reply?.status, 504);
    assert.equal(bench.attempts.length, 1);
  });

  test('a response that stalls is cut', () => {
    const bench = benchWith();
    const client = bench.request();
    bench.last.events.onLease(false);
    bench.last.events.onHead(responseHead(200));
    bench.advance(50_000);
    bench.last.events.onData(Buffer.from('x'));
    bench.advance(50_000);
    assert.equal(bench.last.isAborted, false);
    bench.advance(11_000);
    assert.equal(client.log.at(-1), 'cut');
    assert.equal(bench.records[0]?.termination, 'endpointTimeoutData');
  });
});

describe('a client that leaves', () => {
  test('aborts the attempt at once, without a signal about the endpoint', () => {
    const bench = benchWith();
    const client = bench.request();
    bench.last.events.onLease(false);
    client.events!.onClientGone('closed');
    assert.equal(bench.last.isAborted, true);
    assert.equal(bench.inflight(bench.last.slot), 0);
    assert.equal(bench.records[0]?.termination, 'clientGoneHead');
    assert.equal(bench.messages.length, 0);
  });

  test('after a malformed body gets a reply if no response has begun', () => {
    const bench = benchWith();
    const client = bench.request({ method: 'POST', bodyLength: UNKNOWN_LENGTH });
    bench.last.events.onLease(false);
    client.events!.onClientGone('malformed-body');
    assert.equal(client.reply?.status, 400);
    assert.equal(bench.last.isAborted, true);
  });
});

describe('messages to main', () => {
  test('report the first hard failure as a suspicion, once', () => {
    const bench = benchWith();
    bench.request();
    bench.last.events.onFailure(failureOf('connect-refused', false));
    assert.deepEqual(
      bench.messages.map((message) => message.kind),
      ['suspect'],
    );
  });

  test('report the fifth consecutive failure, of five clients, once; a success resets the count', () => {
    const bench = benchWith({ endpoints: [endpointSnapshot(0)], retry: { ...upstreamSnapshot().retry, attempts: 0 } });
    let clients = 0;
    const fail = (): void => {
      bench.request({ method: 'POST' }, { peerAddress: `10.1.${clients++}.9` });
      bench.last.events.onFailure(failureOf('reset', true));
    };
    for (let i = 0; i < 4; i++) fail();
    bench.request();
    bench.last.answer();
    assert.equal(bench.region.words[bench.region.endpointWord(0) + E_CONSECUTIVE], 0);
    for (let i = 0; i < 12; i++) fail();
    assert.equal(bench.messages.filter((message) => message.kind === 'threshold').length, 1);
  });
});

describe('routes without an upstream', () => {
  test('reply 404 without a route, and configured responses and redirects', () => {
    const respond = routeSnapshot({
      match: { ...routeSnapshot().match, paths: [{ kind: 'exact', value: '/robots.txt' }] },
      action: {
        kind: 'respond',
        status: 200,
        contentType: 'text/plain',
        body: literal('User-agent: *'),
        isBinary: false,
      },
    });
    const redirect = routeSnapshot({
      match: { ...routeSnapshot().match, paths: [{ kind: 'exact', value: '/old' }] },
      action: { kind: 'redirect', status: 308, location: literal('/new') },
    });
    const bench = new ForwardingBench(snapshot({ routes: [respond, redirect] }));
    assert.equal(bench.request({ target: '/' }).reply?.status, 404);
    assert.equal(Buffer.from(bench.request({ target: '/robots.txt' }).reply!.body).toString(), 'User-agent: *');
    assert.equal(fieldOf(bench.request({ target: '/old' }).reply!.fields, 'location'), '/new');
  });
});
