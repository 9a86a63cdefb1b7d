// Failover: which endpoint is tried next, which isn't, and the reply to the client. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AVAILABILITY } from '../../../../core/availability.ts';
import { type FailureKind, failureOf } from '../../../../core/failure.ts';
import { E_AVAILABILITY, UPSTREAM } from '../../../../core/memory/layout.ts';
import { ForwardingBench, responseHead } from '../../../support/forwarding.ts';
import { fieldOf } from '../../../support/request-head.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function benchWith(upstream: Parameters<typeof upstreamSnapshot>[0] = {}): ForwardingBench {
  return new ForwardingBench(snapshot({ upstreams: [upstreamSnapshot(upstream)] }));
}

/** Marks endpoints as main would. */
function setAvailability(
  bench: ForwardingBench,
  slots: readonly number[],
  availability: keyof typeof AVAILABILITY,
): void {
  for (const slot of slots)
    bench.region.words[bench.region.endpointWord(slot) + E_AVAILABILITY] = AVAILABILITY[availability];
  Atomics.add(bench.region.words, bench.region.upstreamWord(0) + UPSTREAM.epoch.index, 1);
}

describe('failover', () => {
  test('retries a connect failure at another endpoint, for any method', () => {
    const bench = benchWith();
    const client = bench.request({ method: 'POST' });
    const first = bench.last.slot;
    bench.last.events.onFailure(failureOf('connect-refused', false));
    assert.notEqual(bench.last.slot, first);
    bench.last.answer();
    assert.deepEqual(client.log, ['head 200', 'data ok', 'end']);
    const record = bench.records[0]!;
    assert.equal(record.attempts, 2);
    assert.equal(record.wasRedispatched, true);
    assert.equal(record.retryVerdict, 'never-sent');
  });

  test('loses no request with two dead endpoints of three', () => {
    const bench = benchWith();
    const client = bench.request();
    bench.last.events.onFailure(failureOf('connect-refused', false));
    bench.last.events.onFailure(failureOf('connect-timeout', false));
    bench.last.answer();
    assert.equal(new Set(bench.attempts.map((attempt) => attempt.slot)).size, 3);
    assert.equal(client.log[0], 'head 200');
  });

  test('retries an unanswered GET once, and no unanswered POST', async () => {
    const bench = benchWith();
    const get = bench.request();
    bench.last.events.onLease(false);
    bench.last.events.onFailure(failureOf('reset', true));
    bench.advance(40);
    bench.last.answer();
    assert.equal(get.log[0], 'head 200');
    const post = bench.request({ method: 'POST' });
    bench.last.events.onLease(false);
    bench.last.events.onFailure(failureOf('reset', true));
    await settled();
    assert.equal(post.reply?.status, 502);
    assert.equal(bench.records.at(-1)?.retryVerdict, 'refused-not-retryable');
    assert.equal(bench.records.at(-1)?.termination, 'endpointGoneHead');
  });

  test('retries at the only endpoint on a new connection after a stale one', () => {
    const bench = benchWith({ endpoints: [endpointSnapshot(0)] });
    const client = bench.request();
    bench.last.events.onLease(true);
    bench.last.events.onFailure(failureOf('stale-connection', true));
    assert.equal(bench.attempts.length, 2);
    assert.equal(bench.last.request.mustUseFresh, true);
    bench.last.answer();
    assert.equal(client.log[0], 'head 200');
  });

  test('repeats any request at the only endpoint after a GOAWAY, on a new connection', () => {
    const bench = benchWith({ endpoints: [endpointSnapshot(0)], whenAllDown: 'wait' });
    const client = bench.request();
    bench.last.events.onLease(true);
    bench.last.events.onFailure(failureOf('refused-stream', false));
    assert.equal(bench.attempts.length, 2);
    assert.equal(bench.last.request.mustUseFresh, true);
    bench.last.answer();
    assert.equal(client.log[0], 'head 200');
  });

  test('retries at the only endpoint after a backoff if it refuses', () => {
    const bench = benchWith({ endpoints: [endpointSnapshot(0)] });
    const client = bench.request();
    bench.last.events.onFailure(failureOf('connect-refused', false));
    assert.equal(bench.attempts.length, 1);
    bench.advance(300);
    assert.equal(bench.attempts.length, 2);
    bench.last.answer();
    assert.equal(client.log[0], 'head 200');
  });

  test('retries configured statuses only, and only if another endpoint is left', () => {
    const plain = benchWith();
    plain.request();
    plain.last.answer(503, '');
    assert.equal(plain.attempts.length, 1);

    const retry = { ...upstreamSnapshot().retry, statuses: [503] };
    const asked = benchWith({ retry });
    const client = asked.request();
    asked.last.answer(503, '');
    asked.advance(40);
    asked.last.answer(200, '');
    assert.deepEqual(client.log, ['head 200', 'end']);

    const single = benchWith({ retry, endpoints: [endpointSnapshot(0)] });
    const answered = single.request();
    single.last.answer(503, '');
    assert.deepEqual(answered.log, ['head 503', 'end']);
  });

  test('retries nothing with an empty budget', async () => {
    const bench = benchWith();
    Atomics.store(bench.region.words, bench.region.upstreamWord(0) + UPSTREAM.retryBalance.index, 0);
    const client = bench.request();
    bench.last.events.onLease(false);
    bench.last.events.onFailure(failureOf('reset', true));
    await settled();
    assert.equal(client.reply?.status, 502);
    assert.equal(bench.records[0]?.retryVerdict, 'refused-budget');
  });

  test('retries nothing after the response began: the client sees the cut', () => {
    const bench = benchWith();
    const client = bench.request();
    bench.last.events.onLease(false);
    bench.last.events.onHead(responseHead(200));
    bench.last.events.onData(Buffer.from('half'));
    bench.last.events.onFailure(failureOf('truncated', true));
    assert.deepEqual(client.log, ['head 200', 'data half', 'cut']);
    assert.equal(bench.attempts.length, 1);
    assert.equal(bench.records[0]?.termination, 'endpointGoneData');
  });

  const statuses: readonly (readonly [FailureKind, number])[] = [
    ['connect-refused', 502],
    ['connect-timeout', 504],
    ['tls-failed', 502],
    ['reset', 502],
    ['malformed-response', 502],
    ['head-too-large', 502],
    ['unsendable-request', 400],
    ['upgrade-unsupported', 501],
    ['internal', 500],
  ];
  for (const [kind, status] of statuses) {
    test(`${kind} without a retry is ${status}`, async () => {
      const bench = benchWith({ retry: { ...upstreamSnapshot().retry, attempts: 0 } });
      const client = bench.request({ method: 'POST' });
      bench.last.events.onFailure(failureOf(kind, true));
      await settled();
      assert.equal(client.reply?.status, status);
      assert.equal(bench.inflight(bench.last.slot), 0);
    });
  }
});

describe('an upstream', () => {
  test('without a usable endpoint: 503 at once, in JSON or text by Accept', () => {
    const bench = benchWith();
    setAvailability(bench, [0, 1, 2], 'maintenance');
    const json = bench.request({ fields: ['Accept', 'application/json'] }).reply!;
    assert.equal(json.status, 503);
    const body = JSON.parse(Buffer.from(json.body).toString()) as { error: { code: string } };
    assert.equal(body.error.code, 'no-endpoint');
    assert.equal(fieldOf(json.fields, 'retry-after'), '1');
    const text = bench.request({ fields: ['Accept', 'text/html, application/json;q=0.1'] }).reply!;
    assert.match(Buffer.from(text.body).toString(), /^503 Service Unavailable\n/);
    assert.equal(bench.attempts.length, 0);
  });

  test('with a usable backup only: the backup takes over until a primary returns', () => {
    const endpoints = [endpointSnapshot(0), endpointSnapshot(1, { backup: true })];
    const bench = benchWith({ endpoints });
    bench.request();
    assert.equal(bench.last.slot, 0);
    setAvailability(bench, [0], 'down');
    bench.request();
    assert.equal(bench.last.slot, 1);
    setAvailability(bench, [0], 'up');
    bench.request();
    assert.equal(bench.last.slot, 0);
  });

  test('with an ejected endpoint: no request goes there from the next pick on', () => {
    const bench = benchWith();
    setAvailability(bench, [1], 'ejected');
    for (let i = 0; i < 30; i++) bench.request();
    assert.ok(bench.attempts.every((attempt) => attempt.slot !== 1));
  });
});
