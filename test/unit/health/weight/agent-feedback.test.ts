// Effects of agent reports: weight, drain, maintenance, down, and their cancellation. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { E_LIMIT, E_WEIGHT } from '../../../../core/memory/layout.ts';
import { askedShareOf, nextShare } from '../../../../health/weight/agent-state.ts';
import { readAgentWords } from '../../../../health/weight/agent-words.ts';
import { HEARTBEAT, HealthBench, type BenchOptions } from '../../../support/health-bench.ts';

const ASKED = { heartbeat: { acceptsAgentFeedback: true } };

/** A bench whose endpoint 0 sends this report with its next heartbeat; the others send none. */
function saying(words: string, options: BenchOptions = ASKED): HealthBench {
  return say(new HealthBench(options).begin(), words);
}

/** Endpoint 0 answers with these words from now on, and does so at once. */
function say(bench: HealthBench, words: string | null, kind: 'ok' | 'fail' = 'ok'): HealthBench {
  const plain = { kind, cause: kind === 'ok' ? 'got 200' : 'got 503' };
  bench.checker.results.set(0, words === null ? plain : { ...plain, agentWords: words });
  bench.health.checkNow(0);
  return bench;
}

function operator(bench: HealthBench, admin: 'ready' | 'drain' | 'maintenance'): void {
  bench.health.setAdmin('api', '127.0.0.1:3000', admin, 'cli');
}

const isClose = (value: number, wanted: number): boolean => Math.abs(value - wanted) < 0.001;

describe('the share that follows from a report', () => {
  const rows: readonly (readonly [share: number, asked: number, next: number])[] = [
    [1, 1, 1],
    [1, 0.5, 0.85],
    [0.85, 0.5, 0.745],
    [1, 0.05, 0.75],
    [0.2, 1, 0.25],
    [1, 2, 1.25],
    [0.51, 0.5, 0.5],
    [0.06, 0.05, 0.05],
  ];
  for (const [share, asked, next] of rows) {
    test(`at ${share}, asked for ${asked}, is ${next}`, () => assert.ok(isClose(nextShare(share, asked), next)));
  }

  test('reaches the requested share from any share within 30 reports', () => {
    for (const from of [0.05, 0.3, 1, 2]) {
      for (const asked of [0.05, 0.5, 1, 2]) {
        let share = from;
        for (let report = 0; report < 30; report++) {
          const next = nextShare(share, asked);
          assert.ok(next >= share * 0.75 - 1e-9 - 0.01 && next <= share * 1.25 + 1e-9 + 0.01);
          share = next;
        }
        assert.equal(share, asked);
      }
    }
  });

  const asked: readonly (readonly [text: string, weight: number, share: number | null])[] = [
    ['75%', 10, 0.75],
    ['weight:5', 10, 0.5],
    ['weight:0', 10, 0.05],
    ['1%', 10, 0.05],
    ['weight:256', 1, 2],
    ['9999%', 1, 2],
    ['up', 10, null],
  ];
  for (const [text, weight, share] of asked) {
    test(`${text} of a weight of ${weight} asks for ${share}`, () => {
      assert.equal(askedShareOf(readAgentWords(text), weight), share);
    });
  }
});

describe('a limit', () => {
  test('applies at once, and expires after three intervals without a repetition', () => {
    const bench = saying('maxconn:3');
    assert.equal(bench.word(0, E_LIMIT), 3);
    assert.equal(bench.word(1, E_LIMIT), 0);
    bench.clock.advance(60_000);
    assert.equal(bench.word(0, E_LIMIT), 3, 'it says so with each heartbeat');
    say(bench, 'maxconn:2');
    assert.equal(bench.word(0, E_LIMIT), 2);
    say(bench, 'up');
    bench.clock.advance(5_900);
    assert.equal(bench.word(0, E_LIMIT), 2);
    bench.clock.advance(200);
    assert.equal(bench.word(0, E_LIMIT), 0);
  });

  test('may be below the configured one, not above it', () => {
    const bench = saying('maxconn:300', { ...ASKED, maxConnections: 10 });
    assert.equal(bench.word(0, E_LIMIT), 10);
    say(bench, 'maxconn:4');
    assert.equal(bench.word(0, E_LIMIT), 4);
  });

  test('survives a reload, and ends with one that turns agent feedback off', () => {
    const bench = saying('maxconn:3');
    bench.apply({ heartbeat: { ...HEARTBEAT, acceptsAgentFeedback: true } });
    assert.equal(bench.word(0, E_LIMIT), 3);
    bench.apply({ heartbeat: HEARTBEAT });
    assert.equal(bench.word(0, E_LIMIT), 0);
  });
});

describe('a weight', () => {
  test('is smoothed, published as a share, and leaves the configured weight as it is', () => {
    const bench = saying('50%');
    assert.ok(isClose(bench.share(0), 0.85));
    assert.equal(bench.word(0, E_WEIGHT), 1);
    bench.clock.advance(30_000);
    assert.equal(bench.share(0), 0.5);
    const { askedShare, share, said, words } = bench.view(0).agent!;
    assert.deepEqual([askedShare, share, said], [0.5, 0.5, '50%']);
    assert.ok(words.weight > 10);
    assert.equal(bench.view(1).agent, null);
  });

  test('goes stale after three intervals without a word, and fades step by step', () => {
    const bench = saying('50%');
    bench.clock.advance(30_000);
    say(bench, '50%');
    say(bench, 'up');
    bench.clock.advance(5_900);
    assert.deepEqual([bench.share(0), bench.view(0).agent!.askedShare], [0.5, 0.5]);
    bench.clock.advance(200);
    assert.equal(bench.share(0), 0.625);
    assert.equal(bench.view(0).agent!.askedShare, null);
    bench.clock.advance(2_000);
    assert.ok(isClose(bench.share(0), 0.7375));
    bench.clock.advance(40_000);
    assert.equal(bench.share(0), 1);
  });

  test('may be larger than all, up to twice', () => {
    const bench = saying('weight:300%');
    bench.clock.advance(60_000);
    assert.equal(bench.share(0), 2);
  });

  test('joins with slow start', () => {
    const bench = saying('50%', { ...ASKED, slowStartMs: 10_000 });
    bench.clock.advance(60_000);
    operator(bench, 'maintenance');
    operator(bench, 'ready');
    assert.ok(bench.share(0) < 0.06 && bench.share(0) > 0.04, `${bench.share(0)}`);
  });
});

describe('drain and maintenance', () => {
  test('are taken back by the endpoint alone', () => {
    const bench = saying('drain');
    assert.equal(bench.published(0), 'drain');
    operator(bench, 'ready');
    say(bench, null);
    say(bench, 'up 100%');
    assert.equal(bench.published(0), 'drain');
    assert.deepEqual(bench.view(0).wishes, { operator: 'ready', agent: 'drain' });
    say(bench, 'ready');
    assert.equal(bench.published(0), 'up');
    const { cause, detector } = bench.view(0);
    assert.deepEqual([cause, detector], ['its agent says ready', 'agent']);
  });

  test("of the operator are not taken back by the endpoint's ready", () => {
    const bench = saying('ready');
    operator(bench, 'drain');
    say(bench, 'ready');
    assert.equal(bench.published(0), 'drain');
    operator(bench, 'maintenance');
    assert.equal(bench.view(0).nextCheck, null);
  });

  test('maintenance keeps heartbeats coming, which count for words only', () => {
    const bench = saying('maint');
    assert.equal(bench.published(0), 'maintenance');
    assert.deepEqual(bench.outOfUse, [0]);
    const count = bench.checker.startsOf(0).length;
    say(bench, null, 'fail');
    bench.clock.advance(20_000);
    assert.ok(bench.checker.startsOf(0).length - count >= 10);
    assert.equal(bench.view(0).axes.check, 'unknown');
    say(bench, 'ready');
    assert.deepEqual([bench.published(0), bench.view(0).axes.check], ['up', 'up']);
  });
});

describe('a request of the operator for an endpoint that requests less itself', () => {
  test('is kept and logged, and heartbeats follow it', () => {
    const bench = saying('maint');
    operator(bench, 'maintenance');
    assert.equal(bench.view(0).nextCheck, null);
    bench.clock.advance(20_000);
    operator(bench, 'ready');
    assert.equal(bench.published(0), 'maintenance');
    assert.deepEqual(bench.texts.slice(-2), [
      'endpoint api/127.0.0.1:3000 stays in maintenance, as its agent requests: set to maintenance by cli',
      'endpoint api/127.0.0.1:3000 stays in maintenance, as its agent requests: set to ready by cli',
    ]);
    say(bench, 'ready');
    assert.equal(bench.published(0), 'up');
  });
});

describe('down', () => {
  test('is believed at once, with the reason, and though the answer is good', () => {
    const bench = saying('stopped #deploy 42');
    assert.equal(bench.published(0), 'down');
    const { cause, detector, agent, heartbeats } = bench.view(0);
    assert.deepEqual([cause, detector, agent!.isDown], ['its agent says stopped #deploy 42', 'agent', true]);
    assert.deepEqual(heartbeats.at(-1)!.kind, 'ok');
  });

  test('is believed in a bad answer too, and while live traffic succeeds', () => {
    const bench = new HealthBench(ASKED).begin();
    bench.succeed(0);
    say(bench, 'fail', 'fail');
    assert.equal(bench.published(0), 'down');
  });

  test('lasts until the endpoint reports up, and heartbeats agree', () => {
    const bench = saying('down');
    say(bench, null);
    bench.clock.advance(30_000);
    say(bench, 'ready 100%');
    bench.clock.advance(30_000);
    assert.equal(bench.published(0), 'down');
    say(bench, 'up', 'fail');
    bench.clock.advance(6_000);
    assert.equal(bench.published(0), 'down');
    say(bench, 'up');
    assert.equal(bench.published(0), 'down');
    bench.clock.advance(600);
    assert.equal(bench.published(0), 'up');
    assert.match(bench.view(0).cause, /got 200 \(2 of 2 passed\)/);
  });

  test('of all endpoints is believed: they know best', () => {
    const bench = new HealthBench({ ...ASKED, endpoints: 1 }).begin();
    say(bench, 'down');
    assert.deepEqual([bench.published(0), bench.isAllDown], ['down', true]);
  });
});

describe('words', () => {
  test('are nothing to an upstream that does not ask for them', () => {
    const bench = saying('drain 10% down', {});
    assert.deepEqual([bench.published(0), bench.share(0), bench.view(0).agent], ['up', 1, null]);
  });

  test('hold no longer when a reload takes the ear away', () => {
    const bench = saying('drain 50%');
    bench.clock.advance(20_000);
    bench.apply({ heartbeat: HEARTBEAT });
    assert.deepEqual([bench.published(0), bench.share(0), bench.view(0).agent], ['up', 1, null]);
    assert.equal(bench.view(0).cause, 'its agent is not asked any more');
    const down = saying('down');
    down.apply({ heartbeat: HEARTBEAT });
    down.clock.advance(6_000);
    assert.equal(down.published(0), 'up');
  });

  test('that are unknown are logged once an episode, and counted', () => {
    const bench = saying('minconn:30 up');
    say(bench, 'minconn:40');
    const said = (): string[] => bench.texts.filter((text) => text.includes('no word of the protocol'));
    assert.deepEqual(said(), [
      'endpoint api/127.0.0.1:3000: its agent says what is no word of the protocol: minconn:30',
    ]);
    say(bench, 'up');
    say(bench, 'minconn:50');
    assert.equal(said().length, 2);
    const { words } = bench.view(0).agent!;
    assert.deepEqual([words.unknown, words.up], [3, 2]);
  });

  test('leave nothing pending when health stops', () => {
    const bench = saying('50% maxconn:3');
    bench.health.stop();
    assert.equal(bench.clock.pendingCount, 0);
  });
});
