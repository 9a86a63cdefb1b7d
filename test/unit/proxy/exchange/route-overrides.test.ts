// Timeouts and retries of a route in place of those of its upstream. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf } from '../../../../core/failure.ts';
import type { UpstreamOverrides } from '../../../../core/snapshot/route.ts';
import { ForwardingBench } from '../../../support/forwarding.ts';
import { endpointSnapshot, routeSnapshot, snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

/** A route for /own with overrides, and one for everything else, both to one upstream. */
function benchWith(
  overrides: UpstreamOverrides,
  upstream: Parameters<typeof upstreamSnapshot>[0] = {},
): ForwardingBench {
  const match = { ...routeSnapshot().match, paths: [{ kind: 'prefix', value: '/own' } as const] };
  const routes = [routeSnapshot({ name: 'own', match, overrides }), routeSnapshot()];
  return new ForwardingBench(snapshot({ routes, upstreams: [upstreamSnapshot(upstream)] }));
}

function send(bench: ForwardingBench, target: string) {
  const client = bench.request({ target });
  bench.last.events.onLease(false);
  return client;
}

describe('a route with overrides', () => {
  test('has its own response timeout, and others that of the upstream', () => {
    const bench = benchWith({ timeouts: { responseMs: 1000 }, retry: {} });
    const own = send(bench, '/own');
    const other = send(bench, '/other');
    bench.advance(1100);
    assert.match(own.log[0]!, /504/);
    assert.deepEqual(other.log, []);
    bench.advance(60_000);
    assert.match(other.log[0]!, /504/);
  });

  test('has its own retries', async () => {
    const endpoints = [endpointSnapshot(0), endpointSnapshot(1)];
    const bench = benchWith({ timeouts: {}, retry: { attempts: 0 } }, { endpoints });
    const reset = failureOf('reset', true);
    const own = send(bench, '/own');
    bench.last.events.onFailure(reset);
    assert.match(own.log[0]!, /502/);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(bench.records[0]!.retryVerdict, 'refused-attempts');
    const other = send(bench, '/other');
    bench.last.events.onFailure(reset);
    bench.advance(300);
    assert.deepEqual(other.log, []);
    assert.equal(bench.attempts.length, 3);
  });

  test('shares the queue of its upstream', () => {
    const limits = { ...upstreamSnapshot().limits, maxConnections: 1 };
    const endpoints = [endpointSnapshot(0)];
    const bench = benchWith({ timeouts: { queueMs: 1000 }, retry: {} }, { limits, endpoints });
    send(bench, '/other');
    const first = bench.last;
    const own = bench.request({ target: '/own' });
    const other = bench.request({ target: '/other' });
    bench.advance(1100);
    assert.match(own.log[0]!, /503/, 'its own queue timeout');
    assert.deepEqual(other.log, []);
    const again = bench.request({ target: '/own' });
    first.answer(200, '');
    bench.advance(30);
    assert.notEqual(bench.last, first);
    bench.last.answer(204, '');
    assert.deepEqual(other.log, ['head 204', 'end'], 'the first in the queue');
    bench.advance(30);
    bench.last.answer(204, '');
    assert.deepEqual(again.log, ['head 204', 'end']);
  });
});
