// The last hour of traffic, on a clock that the test advances. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LISTENER_FIELD, UPSTREAM_FIELD } from '../../../../core/memory/lane-fields.ts';
import { ENDPOINT, UPSTREAM, WORKER } from '../../../../core/memory/layout.ts';
import { TrafficHistory } from '../../../../admin/metrics/traffic-history.ts';
import { ListenerLane, UpstreamLane } from '../../../../proxy/account/lane.ts';
import { upstreamSnapshot } from '../../../support/snapshots.ts';
import { FakeContext, STARTED_AT } from '../fake-context.ts';

function open() {
  const context = new FakeContext();
  const history = new TrafficHistory(context);
  history.start();
  return {
    context,
    history,
    api: new UpstreamLane(context.region, 0, 0),
    web: new ListenerLane(context.region, 1, 1),
  };
}

describe('the history of traffic', () => {
  test('has one step per ten seconds with its counts and percentiles, in total and by upstream', () => {
    const { context, history, api, web } = open();
    api.add(UPSTREAM_FIELD.exchanges, 40);
    api.add(UPSTREAM_FIELD.responses5xx, 4);
    for (let i = 0; i < 40; i++) api.observeLatency(i === 39 ? 900 : 3);
    web.add(LISTENER_FIELD.requests, 50);
    web.add(LISTENER_FIELD.responses5xx, 5);
    assert.deepEqual(history.total(0), []);
    context.clock.advance(10_000);
    const [step] = history.upstream('api', 0);
    assert.deepEqual([step!.at, step!.seconds, step!.requests, step!.errors], [STARTED_AT + 10_000, 10, 40, 4]);
    assert.ok(step!.p50Ms! > 2.5 && step!.p50Ms! <= 3.2 && step!.p99Ms! > 800, JSON.stringify(step));
    const [total] = history.total(0);
    assert.deepEqual([total!.requests, total!.errors, total!.p50Ms], [50, 5, step!.p50Ms]);
    context.clock.advance(10_000);
    const quiet = history.upstream('api', STARTED_AT + 10_000);
    assert.deepEqual(
      quiet.map(({ requests, p50Ms, at }) => [requests, p50Ms, at]),
      [[0, null, STARTED_AT + 20_000]],
    );
  });

  test('keeps an hour, oldest first', () => {
    const { context, history } = open();
    for (let i = 0; i < 400; i++) context.clock.advance(10_000);
    const steps = history.total(0);
    assert.equal(steps.length, 360);
    assert.equal(steps[0]!.at, STARTED_AT + 41 * 10_000);
    assert.equal(steps.at(-1)!.at, STARTED_AT + 400 * 10_000);
  });

  test('gives saturation as the share of limits in use, and none without limits', () => {
    const { context, history } = open();
    const { region } = context;
    for (const slot of [0, 1]) {
      region.words[region.endpointWord(slot) + ENDPOINT.inflight.index] = 3;
      region.words[region.endpointWord(slot) + ENDPOINT.limit.index] = 4;
    }
    region.words[region.endpointWord(2) + ENDPOINT.inflight.index] = 5;
    region.words[region.upstreamWord(0) + UPSTREAM.queued.index] = 2;
    region.words[region.workerWord(1) + WORKER.pressure.index] = 500;
    context.clock.advance(10_000);
    const levels = ['api', 'web'].map((name) => history.upstream(name, 0)[0]!);
    assert.deepEqual(
      levels.map(({ inFlight, queued, saturation }) => [inFlight, queued, saturation]),
      [
        [6, 2, 0.75],
        [5, 0, null],
      ],
    );
    const [total] = history.total(0);
    assert.deepEqual([total!.inFlight, total!.queued, total!.saturation], [11, 2, 0.75]);
  });

  test('begins and ends with an upstream, and names how many it leaves out', () => {
    const { context, history } = open();
    context.clock.advance(10_000);
    const [api] = context.current.upstreams;
    const many = Array.from({ length: 300 }, (_, i) => upstreamSnapshot({ name: `u${i}`, index: 0, endpoints: [] }));
    context.current = { ...context.current, upstreams: [api!, ...many] };
    context.clock.advance(10_000);
    context.clock.advance(10_000);
    assert.deepEqual([history.upstream('web', 0), history.upstream('u255', 0), history.leftOut], [[], [], 45]);
    const late = history.upstream('u0', 0);
    assert.deepEqual(
      late.map(({ requests }) => requests),
      [null, null, 0],
    );
    history.stop();
    context.clock.advance(60_000);
    assert.equal(history.total(0).length, 3);
  });
});
