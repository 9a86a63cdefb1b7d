// Mirrored requests on the request path: what is copied, what is dropped, and that the client's request never depends on
// the copy. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf } from '../../../../core/failure.ts';
import { UPSTREAM_FIELD, type UpstreamField } from '../../../../core/memory/lane-fields.ts';
import { openRequests } from '../../../../proxy/exchange/open-requests.ts';
import { ForwardingBench, type PlayedAttempt, type PlayedClient } from '../../../support/forwarding.ts';
import {
  endpointSnapshot,
  policySnapshot,
  routeSnapshot,
  snapshot,
  upstreamSnapshot,
} from '../../../support/snapshots.ts';

const MIRROR = { upstream: 'shadow', numerator: 1, denominator: 1, bodyBytes: 10, inFlight: 2, timeoutMs: 5000 };
const POST = { method: 'POST', target: '/in?a=1', bodyLength: -1 };
/** Slots of the upstreams' endpoints. */
const [API, SHADOW, OTHER] = [0, 1, 2];

function benchWith(mirrors: readonly Partial<typeof MIRROR>[], replayBytes = 1000): ForwardingBench {
  const data = { route: 'r', mirrors: mirrors.map((one) => ({ ...MIRROR, ...one })) };
  const policies = [
    policySnapshot('header-edits', {
      requestHeaders: { set: ['X-Set', 'yes'], remove: ['x-gone'] },
      responseHeaders: { set: [], remove: [] },
    }),
    policySnapshot('mirror', data, { stage: 'identify', needs: ['read-request-body'] }),
  ];
  return new ForwardingBench(
    snapshot({
      routes: [routeSnapshot({ policies })],
      overload: { memoryBytes: 0, requests: 0, eventLoopLagMs: 0, replayBytes },
      upstreams: ['api', 'shadow', 'other'].map((name, index) =>
        upstreamSnapshot({ name, index, endpoints: [endpointSnapshot(index)] }),
      ),
    }),
  );
}

/** The attempts at the endpoint of an upstream. */
function attemptsAt(bench: ForwardingBench, slot: number): PlayedAttempt[] {
  return bench.attempts.filter((attempt) => attempt.slot === slot);
}

function counted(bench: ForwardingBench, field: UpstreamField, upstream = SHADOW): number {
  const { region } = bench;
  return region.doubles[region.upstreamLane(0, upstream!) + UPSTREAM_FIELD[field]]!;
}

function upload(client: PlayedClient, ...chunks: string[]): void {
  for (const chunk of chunks) client.events!.onBodyData(Buffer.from(chunk));
  client.events!.onBodyEnd(null);
}

/** Whether the client has the whole response of its own endpoint. */
function answerPrimary(bench: ForwardingBench, client: PlayedClient): void {
  attemptsAt(bench, API!).at(-1)!.answer(200, 'own');
  assert.deepEqual(client.log.slice(-3), ['head 200', 'data own', 'end']);
}

describe('a copy', () => {
  test('has the method, target, Host and fields that the endpoint gets', () => {
    const bench = benchWith([{}]);
    const client = bench.request({
      target: '/a?b=1',
      fields: ['X-Gone', '1', 'Accept', '*/*'],
      authority: 'a.test:81',
    });
    const [own, copy] = [attemptsAt(bench, API!)[0]!.request, attemptsAt(bench, SHADOW!)[0]!.request];
    assert.equal(copy.head.target, '/a?b=1');
    assert.equal(copy.hostField, 'a.test:81');
    const fields = copy.head.endToEndFields();
    assert.deepEqual(fields.slice(0, 2), ['Accept', '*/*']);
    assert.deepEqual(fields.slice(2), own.insertedFields);
    assert.equal(copy.head.field('x-set'), 'yes');
    assert.equal(copy.head.field('x-gone'), undefined);
    assert.deepEqual([copy.insertedFields, [...copy.removedFields]], [[], []]);
    answerPrimary(bench, client);
  });

  test('is sent once the body is complete, with its length', () => {
    const bench = benchWith([{}]);
    const client = bench.request(POST);
    client.events!.onBodyData(Buffer.from('abc'));
    assert.equal(attemptsAt(bench, SHADOW!).length, 0);
    upload(client, 'def');
    const [copy] = attemptsAt(bench, SHADOW!);
    assert.equal(copy!.request.head.bodyLength, 6);
    copy!.events.onLease(false);
    copy!.hasRoom = false;
    copy!.events.onBodyWanted();
    assert.deepEqual([copy!.sent, copy!.isBodyEnded], [['abc'], false]);
    copy!.hasRoom = true;
    copy!.events.onEndpointDrain();
    assert.deepEqual([copy!.sent, copy!.isBodyEnded], [['abc', 'def'], true]);
    answerPrimary(bench, client);
  });

  test('has the trailers of the request, and no length then', () => {
    const bench = benchWith([{}]);
    const client = bench.request(POST);
    client.events!.onBodyData(Buffer.from('abc'));
    client.events!.onBodyEnd(['X-Sum', '1']);
    const [copy] = attemptsAt(bench, SHADOW!);
    assert.equal(copy!.request.head.bodyLength, -1);
    copy!.events.onLease(false);
    copy!.events.onBodyWanted();
    assert.deepEqual([copy!.sent, copy!.trailers], [['abc'], ['X-Sum', '1']]);
  });

  test('leaves no trace among the requests of clients', () => {
    const bench = benchWith([{}]);
    const client = bench.request();
    assert.equal(openRequests(bench.open.items(), bench.nowMs).total, 1);
    attemptsAt(bench, SHADOW!)[0]!.answer(500, 'shadow');
    answerPrimary(bench, client);
    assert.deepEqual(
      bench.records.map(({ upstream, status }) => [upstream!.name, status]),
      [['api', 200]],
    );
    assert.equal(bench.open.size, 0);
    assert.deepEqual(
      [counted(bench, 'exchanges'), counted(bench, 'mirrorsSent'), counted(bench, 'mirrorsFailed')],
      [0, 1, 0],
    );
    assert.deepEqual([bench.inflight(API!), bench.inflight(SHADOW!)], [0, 0]);
  });

  test('goes to each mirror, within the limit of each', () => {
    const bench = benchWith([{ bodyBytes: 3 }, { upstream: 'other' }]);
    upload(bench.request(POST), 'abcd');
    assert.deepEqual([attemptsAt(bench, SHADOW!).length, attemptsAt(bench, OTHER!).length], [0, 1]);
    assert.equal(counted(bench, 'mirrorsDroppedBody'), 1);
    assert.equal(counted(bench, 'mirrorsSent', OTHER), 1);
  });

  test('outlives the request that it was made of', () => {
    const bench = benchWith([{}]);
    const client = bench.request(POST);
    upload(client, 'abc');
    answerPrimary(bench, client);
    bench.request({ target: '/next' });
    const [copy] = attemptsAt(bench, SHADOW!);
    copy!.events.onLease(false);
    copy!.events.onBodyWanted();
    assert.deepEqual([copy!.request.head.target, copy!.sent], ['/in?a=1', ['abc']]);
  });
});

describe('the sample', () => {
  test('is exact, and spread evenly', () => {
    const bench = benchWith([
      { numerator: 1, denominator: 3, inFlight: 1000 },
      { upstream: 'other', numerator: 0 },
    ]);
    for (let count = 0; count < 300; count++) {
      bench.request();
      assert.equal(attemptsAt(bench, SHADOW!).length, Math.floor((count + 1) / 3));
      for (const attempt of bench.attempts.splice(0)) {
        if (attempt.slot === SHADOW) bench.attempts.push(attempt);
        else attempt.answer();
      }
    }
    assert.equal(counted(bench, 'mirrorsSent', OTHER), 0);
  });
});

describe('a request is not mirrored', () => {
  test('while as many copies as allowed are in flight', () => {
    const bench = benchWith([{}]);
    for (let count = 0; count < 3; count++) bench.request();
    assert.equal(attemptsAt(bench, SHADOW!).length, 2);
    assert.equal(counted(bench, 'mirrorsDroppedBusy'), 1);
    attemptsAt(bench, SHADOW!)[0]!.answer();
    bench.request();
    assert.equal(attemptsAt(bench, SHADOW!).length, 3);
  });

  test('while the process is overloaded', () => {
    const bench = benchWith([{}]);
    bench.mustShed = true;
    answerPrimary(bench, bench.request());
    assert.deepEqual([attemptsAt(bench, SHADOW!).length, counted(bench, 'mirrorsDroppedOverload')], [0, 1]);
  });

  test('with a body over the limit, announced or not', () => {
    const bench = benchWith([{}]);
    const announced = bench.request({ ...POST, bodyLength: 11 });
    upload(announced, 'x'.repeat(11));
    answerPrimary(bench, announced);
    const unknown = bench.request(POST);
    upload(unknown, 'x'.repeat(6), 'x'.repeat(6));
    answerPrimary(bench, unknown);
    assert.equal(attemptsAt(bench, SHADOW!).length, 0);
    assert.equal(counted(bench, 'mirrorsDroppedBody'), 2);
  });

  test('without memory, which is given back by every end', () => {
    const bench = benchWith([{ inFlight: 9 }], 8);
    upload(bench.request(POST), 'abcdefgh');
    upload(bench.request(POST), 'a');
    assert.equal(counted(bench, 'mirrorsDroppedMemory'), 1);
    attemptsAt(bench, SHADOW!)[0]!.answer();
    for (const attempt of attemptsAt(bench, API!)) attempt.answer();
    upload(bench.request(POST), 'abc');
    assert.equal(counted(bench, 'mirrorsSent'), 2);
  });

  test('if its client leaves before the end of its body', () => {
    const bench = benchWith([{}]);
    const client = bench.request(POST);
    client.events!.onBodyData(Buffer.from('abc'));
    client.events!.onClientGone('closed');
    assert.equal(counted(bench, 'mirrorsDroppedUnfinished'), 1);
    assert.equal(attemptsAt(bench, SHADOW!).length, 0);
  });

  test('if it requests an upgrade or a tunnel', () => {
    const bench = benchWith([{}]);
    bench.request({ method: 'CONNECT' });
    assert.equal(counted(bench, 'mirrorsSent'), 0);
  });
});

describe('a failed copy', () => {
  const failures: readonly (readonly [string, (bench: ForwardingBench, copy: PlayedAttempt) => void])[] = [
    [
      'its endpoint refuses every connection',
      (bench) => {
        for (let count = 0; count < 5; count++) {
          attemptsAt(bench, SHADOW!).at(-1)!.events.onFailure(failureOf('connect-refused', false));
          bench.advance(500);
        }
      },
    ],
    [
      'its endpoint closes within the response',
      (_, { events }) => {
        events.onLease(false);
        events.onHead({ ...START, status: 200 });
        events.onFailure(failureOf('truncated', true));
      },
    ],
    ['its time is over', (bench) => bench.advance(5100)],
  ];
  const START = { reason: '', bodyLength: 5, hasLength: true, field: () => undefined, endToEndFields: () => [] };

  for (const [name, fail] of failures) {
    test(`${name}: it is counted, and the client gets its response`, () => {
      const bench = benchWith([{}]);
      const client = bench.request();
      fail(bench, attemptsAt(bench, SHADOW!)[0]!);
      assert.equal(counted(bench, 'mirrorsFailed'), 1);
      assert.equal(bench.inflight(SHADOW!), 0);
      assert.equal(counted(bench, 'retryBudgetExhausted', API), 0);
      answerPrimary(bench, client);
    });
  }

  test('a client that leaves does not end the copy of its whole request', () => {
    const bench = benchWith([{}]);
    const client = bench.request();
    client.events!.onClientGone('closed');
    attemptsAt(bench, SHADOW!)[0]!.answer();
    assert.deepEqual([counted(bench, 'mirrorsSent'), counted(bench, 'mirrorsFailed')], [1, 0]);
  });
});
