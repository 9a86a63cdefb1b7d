// Outlier detection: ejection within limits, half-open, and how suspicions end. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { E_CONSECUTIVE, E_SUSPECT, E_TOKEN } from '../../../../core/memory/layout.ts';
import { HealthBench, OWN_TROUBLE, PASSES, REFUSED } from '../../../support/health-bench.ts';

const NO_HEARTBEAT = { heartbeat: null };

describe('an ejection', () => {
  test('follows the threshold, lasts the base time with jitter, and ends in half-open', () => {
    const bench = new HealthBench(NO_HEARTBEAT).begin();
    bench.cross(1, 'gateway');
    assert.equal(bench.published(1), 'ejected');
    bench.clock.advance(9_999);
    assert.equal(bench.published(1), 'ejected');
    bench.clock.advance(1_001);
    assert.equal(bench.published(1), 'halfOpen');
    assert.equal(bench.word(1, E_CONSECUTIVE), 0);
  });

  test('grows when the trial fails, and is over when it goes well', () => {
    const bench = new HealthBench(NO_HEARTBEAT).begin();
    bench.cross(1);
    for (const inRow of [2, 3, 4]) {
      bench.clock.advance(11_000 * (inRow - 1));
      assert.equal(bench.published(1), 'halfOpen');
      bench.trial(1, false);
      assert.equal(bench.published(1), 'ejected');
      const leftMs = bench.view(1).ejectedUntil! - bench.clock.wallMs();
      assert.ok(leftMs >= 10_000 * inRow && leftMs <= 11_000 * inRow, `${leftMs}`);
    }
    bench.clock.advance(44_000);
    bench.trial(1, true);
    assert.equal(bench.published(1), 'up');
    assert.equal(bench.word(1, E_TOKEN), 0);
    assert.equal(bench.view(1).counters.ejections, 4);
    assert.equal(bench.view(1).ejectionsInRow, 4);
    bench.clock.advance(40_000);
    assert.equal(bench.view(1).ejectionsInRow, 0);
  });

  test('late reports of requests in flight change nothing', () => {
    const bench = new HealthBench(NO_HEARTBEAT).begin();
    bench.cross(1);
    const before = bench.texts.length;
    bench.cross(1);
    bench.suspect(1);
    bench.trial(1, true);
    assert.equal(bench.published(1), 'ejected');
    assert.equal(bench.texts.length, before);
  });

  test('a report about an earlier owner of the slot is ignored', () => {
    const bench = new HealthBench(NO_HEARTBEAT).begin();
    bench.health.onWorkerMessage({ kind: 'threshold', slot: 1, generation: 0, signal: 'connect' });
    bench.health.onWorkerMessage({ kind: 'threshold', slot: 77, generation: 1, signal: 'connect' });
    assert.deepEqual(bench.allPublished(), ['up', 'up', 'up']);
  });
});

describe('the ejection limit', () => {
  test('stops at the configured share, counts the refusal, and restarts the count of failures', () => {
    const bench = new HealthBench({ ...NO_HEARTBEAT, endpoints: 4 }).begin();
    for (const slot of [0, 1, 2]) bench.cross(slot);
    assert.deepEqual(bench.allPublished(), ['ejected', 'ejected', 'up', 'up']);
    assert.equal(bench.word(2, E_CONSECUTIVE), 0);
    assert.equal(bench.view(2).counters.ejectionsRefused, 1);
  });

  test('counts endpoints that heartbeats took down', () => {
    const bench = new HealthBench({ endpoints: 4 }).begin();
    for (const slot of [0, 1]) bench.checker.results.set(slot, REFUSED);
    bench.clock.advance(4_000);
    bench.cross(2);
    assert.deepEqual(bench.allPublished(), ['down', 'down', 'up', 'up']);
  });

  test('never takes the last usable endpoint', () => {
    const bench = new HealthBench({ ...NO_HEARTBEAT, endpoints: 2, passive: { maxEjectedPercent: 100 } }).begin();
    bench.cross(0);
    bench.cross(1);
    assert.deepEqual(bench.allPublished(), ['ejected', 'up']);
    bench.health.setAdmin('api', '127.0.0.1:3001', 'drain', 'a test');
    assert.deepEqual(bench.allPublished(), ['halfOpen', 'drain']);
  });

  test('logs a refusal once an episode', () => {
    const bench = new HealthBench({ ...NO_HEARTBEAT, endpoints: 1 }).begin();
    const refusals = (): number => bench.texts.filter((text) => text.includes('is not ejected')).length;
    for (let i = 0; i < 30; i++) {
      bench.cross(0);
      bench.clock.advance(1_000);
    }
    assert.equal(refusals(), 1);
    assert.equal(bench.view(0).counters.ejectionsRefused, 30);
    bench.clock.advance(20_000);
    bench.cross(0);
    assert.equal(refusals(), 2);
    assert.match(bench.texts.at(-1)!, /^endpoint api\/127.0.0.1:3000 is not ejected, 0 of 1 endpoints of api are out/);
  });
});

describe('ejections yield', () => {
  test('when the last usable endpoint goes down: the ejected one is tried at once', () => {
    const bench = new HealthBench({ endpoints: 2 }).begin();
    bench.cross(0, 'gateway');
    bench.checker.results.set(1, REFUSED);
    bench.clock.advance(4_000);
    assert.deepEqual(bench.allPublished(), ['halfOpen', 'down']);
    assert.match(bench.view(0).cause, /no other endpoint of api is usable/);
    assert.equal(bench.isAllDown, false);
  });

  test('and the endpoint whose trial fails then stays half-open: the next request tries again', () => {
    const bench = new HealthBench({ endpoints: 2, heartbeat: null }).begin();
    bench.cross(0);
    bench.health.setAdmin('api', 'api/127.0.0.1:3001', 'maintenance', 'a test');
    for (let i = 0; i < 3; i++) {
      bench.setWord(0, E_SUSPECT, 1);
      bench.trial(0, false);
      assert.equal(bench.published(0), 'halfOpen');
      assert.deepEqual([bench.word(0, E_TOKEN), bench.word(0, E_SUSPECT)], [0, 0]);
    }
    bench.trial(0, true);
    assert.equal(bench.published(0), 'up');
  });
});

describe('the end of an ejection', () => {
  test('waits for heartbeats that fail, and comes with their first pass', () => {
    const bench = new HealthBench({ heartbeat: { fall: 1_000 } }).begin();
    bench.checker.results.set(1, REFUSED);
    bench.cross(1, 'gateway');
    bench.clock.advance(20_000);
    assert.equal(bench.published(1), 'ejected');
    bench.checker.results.set(1, PASSES);
    bench.clock.advance(600);
    assert.equal(bench.published(1), 'halfOpen');
  });

  test('comes early where connecting had failed and a newer heartbeat connects', () => {
    const bench = new HealthBench().begin();
    bench.cross(1, 'connect');
    assert.equal(bench.published(1), 'halfOpen');
    assert.match(bench.view(1).cause, /it accepts connections again/);
  });

  test('does not come early where the trial failed, nor where a heartbeat could not have seen the failure', () => {
    const bench = new HealthBench().begin();
    bench.cross(1, 'connect');
    bench.trial(1, false);
    bench.cross(2, 'gateway');
    bench.clock.advance(9_000);
    assert.deepEqual(bench.allPublished(), ['up', 'ejected', 'ejected']);
  });

  test('is forgotten with the heartbeats that it waited for', () => {
    const bench = new HealthBench({ heartbeat: { fall: 1_000 } }).begin();
    bench.checker.results.set(1, REFUSED);
    bench.cross(1, 'gateway');
    bench.clock.advance(20_000);
    bench.apply({ heartbeat: null });
    assert.equal(bench.published(1), 'halfOpen');
  });
});

describe('half-open without traffic', () => {
  const halfOpenAfter = (kind: 'http' | 'tcp', signal: 'gateway' | 'connect'): HealthBench => {
    const bench = new HealthBench({ heartbeat: { kind } }).begin();
    bench.cross(1, signal);
    bench.clock.advance(11_000);
    assert.equal(bench.published(1), 'halfOpen');
    return bench;
  };

  test('ends after 10 s by a heartbeat that could see the failure', () => {
    const bench = halfOpenAfter('http', 'gateway');
    const { since } = bench.view(1);
    bench.clock.advance(since + 9_990 - bench.clock.wallMs());
    assert.equal(bench.published(1), 'halfOpen');
    bench.clock.advance(10);
    assert.equal(bench.published(1), 'up');
  });

  test('goes on where the heartbeat is blind to the failure', () => {
    const bench = halfOpenAfter('tcp', 'gateway');
    bench.clock.advance(600_000);
    assert.equal(bench.published(1), 'halfOpen');
  });

  test('goes on while a request is trying, and ends when its worker dies', () => {
    const bench = halfOpenAfter('http', 'gateway');
    bench.setWord(1, E_TOKEN, 2);
    bench.clock.advance(60_000);
    assert.equal(bench.published(1), 'halfOpen');
    bench.health.onWorkerGone(0);
    assert.equal(bench.word(1, E_TOKEN), 2);
    bench.health.onWorkerGone(1);
    bench.clock.advance(3_000);
    assert.equal(bench.published(1), 'up');
  });
});

describe('a suspicion', () => {
  test('is cleared at once by a heartbeat that passes, and keeps the failures in a row', () => {
    const bench = new HealthBench().begin();
    bench.checker.latencyMs = 5;
    bench.setWord(1, E_CONSECUTIVE, 3);
    bench.suspect(1);
    assert.equal(bench.published(1), 'suspect');
    bench.clock.advance(5);
    assert.equal(bench.published(1), 'up');
    assert.deepEqual([bench.word(1, E_SUSPECT), bench.word(1, E_CONSECUTIVE)], [0, 3]);
  });

  test('is confirmed at once by a heartbeat that fails', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(1, REFUSED);
    bench.suspect(1);
    assert.equal(bench.published(1), 'down');
    assert.match(bench.view(1).cause, /connection refused \(confirms what live traffic saw\)/);
  });

  test('is not decided by a heartbeat that had begun before: another one follows', () => {
    const bench = new HealthBench().begin(0);
    bench.checker.latencyMs = 400;
    bench.clock.advance(2_100);
    while (bench.checker.running.get(1) !== 1) bench.clock.advance(10);
    const startedMs = bench.checker.startsOf(1).at(-1)!;
    bench.suspect(1);
    bench.clock.advance(startedMs + 400 - bench.clock.nowMs());
    assert.equal(bench.published(1), 'suspect');
    bench.clock.advance(400);
    assert.equal(bench.published(1), 'up');
  });

  test('of the last usable endpoint needs `fall` failures', () => {
    const bench = new HealthBench({ endpoints: 1 }).begin();
    bench.checker.results.set(0, REFUSED);
    bench.suspect(0);
    assert.equal(bench.published(0), 'suspect');
    bench.clock.advance(600);
    assert.equal(bench.published(0), 'suspect');
    bench.clock.advance(600);
    assert.equal(bench.published(0), 'down');
  });

  test('that live traffic contradicts by now is not confirmed', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(1, REFUSED);
    bench.checker.latencyMs = 20;
    bench.suspect(1);
    bench.clock.advance(10);
    bench.succeed(1);
    bench.clock.advance(10);
    assert.equal(bench.published(1), 'suspect');
  });

  test('raised again and again stands longer each time', () => {
    const bench = new HealthBench().begin();
    const lengths: number[] = [];
    for (let i = 0; i < 5; i++) {
      const fromMs = bench.clock.nowMs();
      bench.suspect(1, 'gateway');
      while (bench.published(1) === 'suspect') bench.clock.advance(1);
      lengths.push(bench.clock.nowMs() - fromMs);
    }
    assert.deepEqual(
      lengths.map((ms) => Math.round(ms / 50) * 50),
      [0, 500, 1_000, 2_000, 2_500],
    );
  });

  test('without a heartbeat ends after 1 s', () => {
    const bench = new HealthBench(NO_HEARTBEAT).begin();
    bench.suspect(1);
    bench.clock.advance(999);
    assert.equal(bench.published(1), 'suspect');
    bench.clock.advance(1);
    assert.equal(bench.published(1), 'up');
    assert.match(bench.view(1).cause, /no heartbeat could tell/);
  });

  test('that a TCP heartbeat could not have seen ends by time too', () => {
    const bench = new HealthBench({ heartbeat: { kind: 'tcp' } }).begin();
    bench.suspect(1, 'gateway');
    bench.clock.advance(990);
    assert.equal(bench.published(1), 'suspect');
    bench.clock.advance(10);
    assert.equal(bench.published(1), 'up');
  });

  test('ends by time where heartbeats cannot be made', () => {
    const bench = new HealthBench().begin();
    bench.checker.results.set(1, OWN_TROUBLE);
    bench.suspect(1);
    bench.clock.advance(9_990);
    assert.equal(bench.published(1), 'suspect');
    bench.clock.advance(10);
    assert.equal(bench.published(1), 'up');
  });

  test('becomes an ejection when failures go on', () => {
    const bench = new HealthBench(NO_HEARTBEAT).begin();
    bench.suspect(1);
    bench.cross(1);
    assert.equal(bench.published(1), 'ejected');
    assert.equal(bench.word(1, E_SUSPECT), 0);
  });
});
