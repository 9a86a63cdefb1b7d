// Rates and percentiles of the last seconds, on a clock that the test moves. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ENDPOINT_FIELD, UPSTREAM_FIELD } from '../../../../core/memory/lane-fields.ts';
import { TrafficWindow } from '../../../../admin/metrics/traffic-window.ts';
import { EndpointLane, UpstreamLane } from '../../../../proxy/account/lane.ts';
import { endpointSnapshot, upstreamSnapshot } from '../../../support/snapshots.ts';
import { FakeContext } from '../fake-context.ts';

function open() {
  const context = new FakeContext();
  const window = new TrafficWindow(context);
  window.start();
  const lanes = [0, 1].map((worker) => ({
    api: new UpstreamLane(context.region, worker, 0),
    first: new EndpointLane(context.region, worker, 0),
  }));
  return { context, window, lanes, api: context.current.upstreams[0]! };
}

describe('the traffic window', () => {
  test('gives the rate, the share of errors and percentiles of all workers together', () => {
    const { context, window, lanes, api } = open();
    for (const { api } of lanes) {
      api.add(UPSTREAM_FIELD.exchanges, 50);
      api.add(UPSTREAM_FIELD.responses5xx, 5);
      for (let i = 0; i < 50; i++) api.observeLatency(i === 49 ? 900 : 3);
    }
    context.clock.advance(4000);
    const traffic = window.upstream(api);
    assert.equal(traffic.seconds, 4);
    assert.equal(traffic.requestsPerSecond, 25);
    assert.equal(traffic.errorShare, 0.1);
    assert.ok(traffic.p50Ms! > 2.5 && traffic.p50Ms! <= 3.2, `${traffic.p50Ms}`);
    assert.ok(traffic.p99Ms! > 800 && traffic.p99Ms! <= 1000, `${traffic.p99Ms}`);
  });

  test('judges an endpoint by its attempts', () => {
    const { context, window, lanes, api } = open();
    lanes[1]!.first.add(ENDPOINT_FIELD.attempts, 20);
    lanes[1]!.first.add(ENDPOINT_FIELD.ok, 12);
    lanes[1]!.first.add(ENDPOINT_FIELD.fail, 4);
    context.clock.advance(2000);
    const { requestsPerSecond, errorShare, p99Ms } = window.endpoint(api.endpoints[0]!);
    assert.deepEqual(
      { requestsPerSecond, errorShare, p99Ms },
      { requestsPerSecond: 10, errorShare: 0.25, p99Ms: null },
    );
  });

  test('forgets what is older than its ten seconds', () => {
    const { context, window, lanes, api } = open();
    lanes[0]!.api.add(UPSTREAM_FIELD.exchanges, 1000);
    context.clock.advance(30_000);
    const { seconds, requestsPerSecond } = window.upstream(api);
    assert.deepEqual({ seconds, requestsPerSecond }, { seconds: 10, requestsPerSecond: 0 });
  });

  test('knows nothing yet of what it has never sampled', () => {
    const { window } = open();
    const { seconds, requestsPerSecond, errorShare } = window.upstream(upstreamSnapshot({ name: 'new', index: 3 }));
    assert.deepEqual({ seconds, requestsPerSecond, errorShare }, { seconds: 0, requestsPerSecond: 0, errorShare: 0 });
  });

  test('does not mix the owners of a slot that was given to another endpoint', () => {
    const { context, window, lanes } = open();
    lanes[0]!.first.add(ENDPOINT_FIELD.attempts, 1000);
    context.clock.advance(2000);
    lanes[0]!.first.add(ENDPOINT_FIELD.attempts, -1000);
    const next = endpointSnapshot(0, { generation: 2 });
    context.current = { ...context.current, upstreams: [upstreamSnapshot({ endpoints: [next] })] };
    context.clock.advance(2000);
    lanes[0]!.first.add(ENDPOINT_FIELD.attempts, 6);
    context.clock.advance(1000);
    const { seconds, requestsPerSecond } = window.endpoint(next);
    assert.deepEqual({ seconds, requestsPerSecond }, { seconds: 1, requestsPerSecond: 6 });
  });

  test('samples nothing any more when it was stopped', () => {
    const { context, window } = open();
    window.stop();
    assert.equal(context.clock.pendingCount, 0);
  });
});
