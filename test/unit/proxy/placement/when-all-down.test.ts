// No usable endpoint (whenAllDown): fail, try all, or wait. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AVAILABILITY, type Availability } from '../../../../core/availability.ts';
import { failureOf } from '../../../../core/failure.ts';
import { E_AVAILABILITY, UPSTREAM } from '../../../../core/memory/layout.ts';
import type { UpstreamSnapshot } from '../../../../core/snapshot/upstream.ts';
import { ForwardingBench } from '../../../support/forwarding.ts';
import { endpointSnapshot, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

function benchWith(whenAllDown: UpstreamSnapshot['whenAllDown']): ForwardingBench {
  const upstream = upstreamSnapshot({ whenAllDown, endpoints: [endpointSnapshot(0)] });
  return new ForwardingBench(snapshot({ upstreams: [upstream] }));
}

function set(bench: ForwardingBench, availability: Availability): void {
  bench.region.words[bench.region.endpointWord(0) + E_AVAILABILITY] = AVAILABILITY[availability];
  Atomics.add(bench.region.words, bench.region.upstreamWord(0) + UPSTREAM.epoch.index, 1);
}

const queued = (bench: ForwardingBench): number =>
  bench.region.words[bench.region.upstreamWord(0) + UPSTREAM.queued.index]!;

describe('try-all', () => {
  test('sends requests to endpoints that are down, but not to those in maintenance', () => {
    const bench = benchWith('try-all');
    set(bench, 'down');
    bench.request();
    assert.equal(bench.attempts.length, 1);
    set(bench, 'maintenance');
    assert.equal(bench.request().reply?.status, 503);
  });
});

describe('wait', () => {
  test('queues requests until an endpoint is usable again', () => {
    const bench = benchWith('wait');
    set(bench, 'down');
    const clients = [bench.request({ method: 'POST' }), bench.request({ method: 'POST' })];
    bench.advance(1000);
    assert.equal(bench.attempts.length, 0);
    set(bench, 'up');
    bench.advance(50);
    assert.equal(bench.attempts.length, 2);
    for (const attempt of bench.attempts) attempt.answer();
    for (const client of clients) assert.equal(client.log[0], 'head 200');
    assert.equal(queued(bench), 0);
  });

  test('ends with the queue timeout', () => {
    const bench = benchWith('wait');
    set(bench, 'down');
    const client = bench.request({ method: 'POST' });
    bench.advance(5100);
    assert.equal(client.reply?.status, 503);
    assert.equal(queued(bench), 0);
  });

  test('outlasts refused connections: one request at a time probes, and all are sent once one connects', () => {
    const bench = benchWith('wait');
    const refuse = (): void => bench.last.events.onFailure(failureOf('connect-refused', false));
    const clients = [bench.request({ method: 'POST' })];
    refuse();
    for (let index = 0; index < 9; index++) clients.push(bench.request());
    for (let round = 0; round < 20; round++) {
      const before = bench.attempts.length;
      bench.advance(60);
      assert.ok(bench.attempts.length - before <= 2, 'one at a time');
      if (bench.attempts.length > before) refuse();
    }
    bench.advance(100);
    bench.last.events.onLease(false);
    return Promise.resolve().then(() => {
      bench.advance(30);
      for (const attempt of bench.attempts) attempt.answer();
      for (const client of clients) assert.equal(client.log[0], 'head 200');
    });
  });

  test('repeats no request that was sent and is not idempotent', () => {
    const bench = benchWith('wait');
    const client = bench.request({ method: 'POST' });
    bench.last.events.onLease(false);
    bench.last.events.onFailure(failureOf('reset', true));
    assert.equal(client.reply?.status, 502);
  });
});
