// Explanation of an endpoint's state: reasons, detectors, start and end. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Explanation, Reason } from '../../../../health/record/endpoint-explanation.ts';
import { HealthBench, PASSES, REFUSED, UNRESOLVED } from '../../../support/health-bench.ts';

function why(bench: HealthBench): Explanation {
  return bench.health.explain('api', '127.0.0.1:3000')!;
}

/** Reasons without their times. */
function reasonsOf(bench: HealthBench): Omit<Reason, 'since' | 'until'>[] {
  return why(bench).reasons.map(({ since: _since, until: _until, ...reason }) => reason);
}

const set = (bench: HealthBench, admin: 'ready' | 'drain' | 'maintenance', slot = 0): void => {
  bench.health.setAdmin('api', `127.0.0.1:${3000 + slot}`, admin, 'cli');
};

describe('an explanation', () => {
  test('has no reasons for an endpoint that is well', () => {
    const bench = new HealthBench().begin();
    const { reasons, availability, events, now } = why(bench);
    assert.deepEqual([reasons, availability, now], [[], 'up', bench.clock.wallMs()]);
    assert.deepEqual(
      events.map(({ axis, to }) => `${axis} ${to}`),
      ['check up'],
    );
  });

  test('is none for an endpoint that is not there', () => {
    const bench = new HealthBench().begin();
    assert.equal(bench.health.explain('api', '10.0.0.1:1'), null);
    assert.equal(bench.health.explain('web', '127.0.0.1:3000'), null);
  });

  test('names the heartbeats that took it down, and keeps their results', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(0, REFUSED);
    while (bench.published(0) === 'up') bench.clock.advance(10);
    const since = bench.clock.wallMs();
    bench.clock.advance(7_000);
    const { reasons, heartbeats } = why(bench);
    assert.equal(reasons.length, 1);
    const [{ axis, value, effect, detector, cause, until, ...times }] = reasons as [Reason];
    assert.deepEqual([axis, value, effect, detector, until], ['check', 'down', 'none', 'heartbeat', null]);
    assert.equal(cause, 'heartbeat GET /healthz: connection refused (3 of 3 failed)');
    assert.ok(since - times.since! >= 0 && since - times.since! < 20);
    assert.equal(heartbeats.at(-1)!.cause, 'connection refused');
  });

  test('shows the end of an ejection', () => {
    const bench = new HealthBench({ heartbeat: null }).begin();
    bench.cross(0, 'gateway');
    const [reason] = why(bench).reasons as [Reason];
    assert.deepEqual([reason.value, reason.effect, reason.detector], ['ejected', 'none', 'consecutiveFailures']);
    assert.equal(reason.since, bench.clock.wallMs());
    assert.ok(reason.until! >= bench.clock.wallMs() + 10_000 && reason.until! <= bench.clock.wallMs() + 11_000);
    bench.clock.advance(11_000);
    assert.deepEqual(reasonsOf(bench), [
      {
        axis: 'outlier',
        value: 'halfOpen',
        effect: 'fewer',
        detector: 'timer',
        cause: 'its ejection is over, a live request decides',
      },
    ]);
  });

  test('lists all reasons at once, the weightiest first', () => {
    const bench = new HealthBench({ heartbeat: { acceptsAgentFeedback: true } }).begin();
    bench.checker.results.set(0, { kind: 'ok', cause: 'got 200', agentWords: 'drain stopped #deploy' });
    bench.health.checkNow(0);
    set(bench, 'drain');
    bench.checker.results.set(0, UNRESOLVED);
    for (let check = 0; check < 3; check++) bench.health.checkNow(0);
    assert.deepEqual(
      why(bench).reasons.map(({ axis, value, detector, cause }) => [axis, value, detector, cause]),
      [
        ['admin', 'drain', 'operator', 'set to drain'],
        ['admin', 'drain', 'agent', 'its agent says drain stopped #deploy'],
        ['resolution', 'unresolved', 'discovery', 'heartbeat GET /healthz: name not resolved: ENOTFOUND'],
        ['check', 'down', 'agent', 'its agent says stopped #deploy'],
      ],
    );
  });

  test('lists reasons that reduce its share', () => {
    const bench = new HealthBench({ slowStartMs: 10_000, heartbeat: { acceptsAgentFeedback: true } }).begin();
    bench.checker.results.set(0, { ...PASSES, agentWords: '50%' });
    set(bench, 'maintenance');
    set(bench, 'ready');
    bench.clock.advance(4_000);
    const reasons = reasonsOf(bench);
    assert.deepEqual(
      reasons.map(({ axis, value, effect, detector, cause }) => [axis, value, effect, detector, cause]),
      [
        ['slowStart', 'warming', 'fewer', 'timer', 'slow start, at 40 % of its weight'],
        ['share', 'asked', 'fewer', 'agent', 'its agent asks for a smaller share of its weight: 50%'],
      ],
    );
    assert.equal(why(bench).reasons[0]!.until, bench.clock.wallMs() + 6_000);
  });

  test('shows that the limit keeps it in rotation', () => {
    const bench = new HealthBench({ heartbeat: null, passive: { maxEjectedPercent: 30 } }).begin();
    bench.cross(1);
    bench.cross(0, 'gateway');
    assert.deepEqual(reasonsOf(bench), [
      {
        axis: 'share',
        value: 'reduced',
        effect: 'fewer',
        detector: 'consecutiveFailures',
        cause:
          'it should be ejected, and the limit forbids it: 5 failures in a row, the last one: answered 502, 503 or 504',
      },
    ]);
    assert.equal(why(bench).reasons[0]!.until, bench.clock.wallMs() + 10_000);
  });

  test('names the cause of a suspicion', () => {
    const bench = new HealthBench({ heartbeat: null }).begin();
    bench.suspect(0, 'timeout');
    const [reason] = reasonsOf(bench);
    assert.deepEqual([reason!.value, reason!.effect, reason!.detector], ['suspect', 'fewer', 'firstFailure']);
  });

  test('keeps the newest twenty changes of this endpoint', () => {
    const bench = new HealthBench({ heartbeat: null }).begin();
    for (let i = 0; i < 15; i++) {
      set(bench, 'drain');
      set(bench, 'ready');
      set(bench, 'drain', 1);
      set(bench, 'ready', 1);
    }
    const { events } = why(bench);
    assert.equal(events.length, 20);
    assert.ok(events.every(({ endpoint }) => endpoint === 'api/127.0.0.1:3000'));
  });
});
