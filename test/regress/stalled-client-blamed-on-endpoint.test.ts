// A client that reads nothing for a long time, or stalls its upload, is never the endpoint's failure: not in the log, not in
// metrics, not in ejection, not in latencies. Endpoints that close such connections are right. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf } from '../../core/failure.ts';
import { ENDPOINT_FIELD, ENDPOINT_FIELDS } from '../../core/memory/lane-fields.ts';
import { E_CONSECUTIVE, E_SUSPECT } from '../../core/memory/layout.ts';
import { ForwardingBench, responseHead } from '../support/forwarding.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../support/snapshots.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function newBench(): ForwardingBench {
  return new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot({ endpoints: [endpointSnapshot(0)] })] }));
}

const counted = (bench: ForwardingBench, field: keyof typeof ENDPOINT_FIELD): number =>
  bench.region.doubles[bench.region.endpointLane(0, 0) + ENDPOINT_FIELD[field]]!;

function assertBlameless(bench: ForwardingBench): void {
  const failures = ENDPOINT_FIELDS.filter((field) => field.startsWith('failures') || field === 'fail');
  for (const field of failures) assert.equal(counted(bench, field), 0, field);
  const word = bench.region.endpointWord(0);
  assert.deepEqual([bench.region.words[word + E_CONSECUTIVE], bench.region.words[word + E_SUSPECT]], [0, 0]);
  assert.deepEqual(bench.messages, []);
}

/** A response whose client takes no more. */
function held(bench: ForwardingBench) {
  const client = bench.request();
  bench.last.events.onLease(false);
  bench.last.events.onHead(responseHead(200));
  client.hasRoom = false;
  bench.last.events.onData(Buffer.from('half'));
  return { client, attempt: bench.last };
}

/** A POST of which half has arrived. */
function uploading(bench: ForwardingBench) {
  const client = bench.request({ method: 'POST', bodyLength: 1000 });
  bench.last.events.onLease(false);
  bench.last.events.onBodyWanted();
  client.events!.onBodyData(Buffer.alloc(500));
  return { client, attempt: bench.last };
}

describe('a client that reads nothing', () => {
  for (const kind of ['truncated', 'reset'] as const) {
    test(`and whose endpoint closes after a while (${kind}) has ended its exchange itself`, () => {
      const bench = newBench();
      const { client, attempt } = held(bench);
      bench.advance(70_000);
      attempt.events.onFailure(failureOf(kind, true));
      assert.equal(client.log.at(-1), 'cut');
      assert.equal(bench.records[0]?.termination, 'clientTimeoutData');
      assertBlameless(bench);
    });
  }

  test('for a long time meets no timeout of the endpoint', () => {
    const bench = newBench();
    const { client, attempt } = held(bench);
    bench.advance(600_000);
    assert.equal(attempt.isAborted, false);
    client.events!.onClientDrain();
    attempt.events.onEnd(null);
    assert.equal(bench.records[0]?.termination, 'ok');
    assertBlameless(bench);
  });

  test('for a moment only excuses no endpoint that dies', () => {
    const bench = newBench();
    const { attempt } = held(bench);
    bench.advance(200);
    attempt.events.onFailure(failureOf('truncated', true));
    assert.equal(bench.records[0]?.termination, 'endpointGoneData');
    assert.equal(counted(bench, 'failuresTruncated'), 1);
  });
});

describe('a client that stalls its upload', () => {
  test('and whose endpoint closes after a while gets 408, and is not repeated', async () => {
    const bench = newBench();
    const { client, attempt } = uploading(bench);
    bench.advance(30_000);
    attempt.events.onFailure(failureOf('reset', true));
    await settled();
    assert.equal(client.reply?.status, 408);
    assert.equal(bench.records[0]?.termination, 'clientTimeoutRequest');
    assert.equal(bench.attempts.length, 1);
    assertBlameless(bench);
  });

  test('for a long time meets no timeout of the endpoint, and its time is not the latency of the endpoint', () => {
    const bench = newBench();
    const { client, attempt } = uploading(bench);
    bench.advance(100_000);
    client.events!.onBodyData(Buffer.alloc(500));
    client.events!.onBodyEnd(null);
    bench.advance(20);
    attempt.events.onHead(responseHead(200));
    attempt.events.onEnd(null);
    assert.equal(bench.records[0]?.termination, 'ok');
    assert.equal(counted(bench, 'latencySumMs'), 20);
    assertBlameless(bench);
  });

  test('while the endpoint takes none of it is the endpoint: it holds the body', async () => {
    const bench = newBench();
    const client = bench.request({ method: 'POST', bodyLength: 1000 });
    bench.last.events.onLease(false);
    bench.last.events.onBodyWanted();
    bench.last.hasRoom = false;
    client.events!.onBodyData(Buffer.alloc(500));
    bench.advance(30_000);
    bench.last.events.onFailure(failureOf('reset', true));
    await settled();
    assert.equal(client.reply?.status, 502);
    assert.equal(counted(bench, 'failuresReset'), 1);
  });
});
