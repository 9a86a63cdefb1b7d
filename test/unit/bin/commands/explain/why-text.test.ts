// Output of `fairlead why`. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explanationOf } from '../../../../../admin/api/endpoint-facts.ts';
import type { WhyAnswer } from '../../../../../admin/api/endpoint-schemas.ts';
import { plainText, whyText } from '../../../../../bin/commands/explain/why-text.ts';
import { latencyBucketOf } from '../../../../../core/memory/lane-fields.ts';
import { HealthBench, REFUSED, type BenchOptions } from '../../../../support/health-bench.ts';

/** As it comes over the admin API. */
function answerOf(bench: HealthBench): WhyAnswer {
  return JSON.parse(JSON.stringify(explanationOf(bench.health.explain('api', '127.0.0.1:3000')!))) as WhyAnswer;
}

/** The lines that are printed. */
function linesOf(bench: HealthBench): string[] {
  return whyText(answerOf(bench)).split('\n');
}

const begun = (options: BenchOptions = {}): HealthBench => new HealthBench(options).begin();

describe('the text', () => {
  test('of an endpoint that is well is short', () => {
    const [headline, reason, weight] = linesOf(begun({ heartbeat: null }));
    assert.match(headline!, /^api\/127\.0\.0\.1:3000 is up since 00:00:01Z \(2\.1 s ago\): it takes requests$/);
    assert.equal(reason, '  nothing keeps requests from it; the last change: added');
    assert.equal(weight, 'weight 1, 100 % of it in use');
    assert.deepEqual(linesOf(begun({ heartbeat: null })).slice(3), [
      'heartbeats: none yet, or none configured',
      'changes: none',
      'counts: nothing yet',
    ]);
  });

  test('of an endpoint with a limit says it, and what an adaptive one was found from', () => {
    const bench = begun({ heartbeat: null });
    const limits = { maxConnections: 30, maxQueue: 0, maxIdle: 64, isAdaptive: false };
    bench.apply({ limits });
    assert.equal(linesOf(bench)[3], 'at most 30 requests in flight');
    bench.apply({ limits: { ...limits, isAdaptive: true } });
    assert.match(linesOf(bench)[3]!, /^at most 20 requests in flight, until its answers say how many it can take$/);
    bench.region.doubles[bench.region.endpointSamples(0, 0) + latencyBucketOf(9)]! += 100;
    bench.clock.advance(300);
    assert.match(linesOf(bench)[3]!, /^at most 20 requests in flight, found from its answers: 9 ms now, 9 ms at rest$/);
  });

  test('of an endpoint that is down says who found out, since when, and what its last answers were', () => {
    const bench = begun();
    bench.checker.results.set(0, REFUSED);
    while (bench.published(0) === 'up') bench.clock.advance(10);
    bench.clock.advance(41_000);
    const lines = linesOf(bench);
    assert.match(lines[0]!, /is down since \d\d:\d\d:\d\dZ \(41 s ago\): it takes no requests$/);
    assert.match(
      lines[1]!,
      /^ {2}check down, found by heartbeat: heartbeat GET \/healthz: connection refused \(3 of 3 failed\); since \d\d:\d\d:\d\dZ \(41 s ago\)$/,
    );
    assert.match(lines[3]!, /^heartbeats, newest first, the next one in [\d.]+ s:$/);
    assert.equal(lines.slice(4, 9).filter((line) => / fail {2}connection refused, after 0 ms$/.test(line)).length, 5);
    assert.match(lines[10]!, /check up > down, found by heartbeat: /);
    assert.match(lines.at(-1)!, /^counts: 2\d heartbeats \(2\d failed\), 41 seconds out of service$/);
  });

  test('of an ejected endpoint says until when, and that it waits for heartbeats where it does', () => {
    const bench = begun();
    bench.cross(0, 'gateway');
    assert.match(
      linesOf(bench)[1]!,
      /found by consecutiveFailures: .*, at least until \d\d:\d\d:\d\dZ \(in 1[01](\.\d)? s\)$/,
    );
    bench.checker.results.set(0, { kind: 'unknown', cause: 'no file descriptor left' });
    const { reasons, ...answer } = answerOf(bench);
    const overdue = whyText({ ...answer, reasons, now: reasons[0]!.until! });
    assert.match(overdue.split('\n')[1]!, /\(over, it waits for good heartbeats\)$/);
  });

  test('of an endpoint that warms up says how far it is', () => {
    const bench = begun({ heartbeat: null, slowStartMs: 10_000 });
    bench.health.setAdmin('api', '127.0.0.1:3000', 'maintenance', 'a test');
    bench.health.setAdmin('api', '127.0.0.1:3000', 'ready', 'a test');
    bench.clock.advance(4_000);
    const lines = linesOf(bench);
    assert.match(
      lines[1]!,
      /^ {2}slowStart warming, found by timer: slow start, at 40 % of its weight; since .* \(in 6 s\)$/,
    );
    assert.match(lines[2]!, /^weight 1, 40 % of it in use; slow start ends \d\d:\d\d:\d\dZ$/);
  });

  test('says what the endpoint says of itself, and that it is a backup', () => {
    const bench = new HealthBench({ heartbeat: { acceptsAgentFeedback: true } });
    bench.upstream = {
      ...bench.upstream,
      endpoints: bench.upstream.endpoints.map((one) => ({ ...one, backup: true })),
    };
    bench.checker.results.set(0, { kind: 'ok', cause: 'got 200', agentWords: '50%' });
    bench.begin();
    assert.match(linesOf(bench)[2]!, /; its agent said "50%" at \d\d:\d\d:\d\dZ; a backup$/);
  });

  test('marks heartbeats that live traffic contradicts', () => {
    const bench = begun();
    bench.checker.results.set(0, REFUSED);
    bench.succeed(0);
    bench.health.checkNow(0);
    assert.ok(linesOf(bench).some((line) => line.endsWith('(live traffic contradicts it: not counted)')));
  });

  test('holds nothing that steers a terminal', () => {
    assert.equal(plainText('a\u001b[31mb\u0007\u009b2J\u202ec\nd\u2028e ü'), 'a?[31mb??2J?c?d?e ü');
    const bench = begun();
    bench.checker.results.set(0, { kind: 'fail', cause: 'TLS failed: \u001b]0;owned\u0007' });
    bench.clock.advance(6_000);
    assert.doesNotMatch(linesOf(bench).join(''), /\p{Cc}/u);
  });
});
