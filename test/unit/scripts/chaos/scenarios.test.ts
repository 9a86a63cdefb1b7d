// What scenarios do, and what they hold against Fairlead. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Figures } from '../../../../scripts/chaos/figures.ts';
import { faultsAt } from '../../../../scripts/chaos/plan.ts';
import { SCENARIOS } from '../../../../scripts/chaos/scenarios/registry.ts';
import type { ByCase, Scenario, ScenarioSettings } from '../../../../scripts/chaos/scenarios/scenario.ts';

const SETTINGS: ScenarioSettings = {
  seed: 1,
  seconds: null,
  rate: null,
  balance: 'least-request',
  tryMs: 250,
  isHedged: true,
};

const FLAWLESS: Figures = {
  requests: 20_000,
  failedGets: 0,
  failedPosts: 0,
  failedPostsUnderWay: 0,
  doubledPosts: 0,
  availability: 1,
  ofSuccesses: { p50: 2, p99: 5, p999: 50, max: 100 },
  ofAll: { p50: 2, p99: 5, p999: 50, max: 100 },
  attemptsPerRequest: 1,
  failedBy: {},
  slowBy: {},
  failures: {},
  shares: [0.03, 0.97],
  lastFailureMs: 0,
  sendLagP99Ms: 1,
};

function named(name: string): Scenario {
  return SCENARIOS.find((scenario) => scenario.name === name)!;
}

/** What Fairlead misses with these figures in every case but for those that are given by name. */
function misses(name: string, change: Partial<Figures>, of: Partial<ScenarioSettings> = {}, peer?: Partial<Figures>) {
  const scenario = named(name);
  const settings = { ...SETTINGS, ...of };
  const byCase = (figures: Partial<Figures>, last: Partial<Figures>): ByCase => {
    const names = scenario.cases(settings).map((one) => one.name);
    return new Map(names.map((one, index) => [one, { ...FLAWLESS, ...(index === names.length - 1 ? last : figures) }]));
  };
  const peers = peer === undefined ? [] : ([['nginx', byCase(peer, peer)]] as const);
  return scenario.misses(byCase({}, change), settings, new Map(peers));
}

test('without anything wrong no scenario has a complaint but the one that compares with round robin', () => {
  for (const { name } of SCENARIOS.filter((scenario) => scenario.name !== 'full-load')) {
    assert.deepEqual(misses(name, {}), [], name);
  }
});

describe('faults', () => {
  test('runs 400 requests a second for a minute at three endpoints', () => {
    const [only] = named('faults').cases(SETTINGS);
    assert.equal(only!.plan.endpoints.length, 3);
    assert.ok(Math.abs(only!.plan.arrivals.length - 24_000) < 620);
    assert.ok(only!.plan.faults.length > 15);
  });

  test('complains of a failed GET, a doubled POST, and less than 99.98 % or a slow tail', () => {
    assert.match(misses('faults', { failedGets: 1 }).join(), /1 GETs failed/);
    assert.match(misses('faults', { doubledPosts: 2 }).join(), /2 POSTs were processed twice/);
    assert.match(misses('faults', { availability: 0.99979 }).join(), /99\.979 % succeeded, less than 99\.980 %/);
    assert.deepEqual(misses('faults', { availability: 0.9998 }), []);
    assert.match(misses('faults', { ofAll: { p50: 2, p99: 11, p999: 50, max: 60 } }).join(), /p99 11\.0 ms/);
    assert.match(misses('faults', { ofAll: { p50: 2, p99: 9, p999: 151, max: 160 } }).join(), /p99\.9 151 ms/);
  });

  test('is content with 99.9 % under round robin, whatever the latency', () => {
    const slow = { p50: 2, p99: 1000, p999: 4000, max: 4000 };
    assert.deepEqual(misses('faults', { availability: 0.999, ofAll: slow }, { balance: 'round-robin' }), []);
    assert.match(misses('faults', { availability: 0.998 }, { balance: 'round-robin' }).join(), /less than 99\.900 %/);
  });

  test('complains where a peer did better', () => {
    assert.match(
      misses('faults', { availability: 0.9999 }, {}, {}).join(),
      /99\.990 % succeeded, 100\.000 % with nginx/,
    );
    const fast = { p50: 2, p99: 5, p999: 20, max: 60 };
    assert.match(misses('faults', {}, {}, { ofAll: fast }).join(), /p99\.9 50 ms, 20 ms with nginx/);
    assert.deepEqual(misses('faults', {}, {}, { availability: 0.99 }), []);
  });
});

test('a rolling restart takes the endpoints one after the other, and may cost nothing', () => {
  const [only] = named('rolling-restart').cases(SETTINGS);
  const { faults } = only!.plan;
  assert.deepEqual(
    faults.map(({ kind, endpoint, startMs, endMs }) => [kind, endpoint, endMs - startMs]),
    [0, 1, 2].map((endpoint) => ['restart', endpoint, 1000]),
  );
  for (const { startMs } of faults) assert.equal(faultsAt(faults, startMs).length, 1);
  assert.match(misses('rolling-restart', { failedPosts: 1 }).join(), /0 GETs and 1 POSTs failed/);
});

test('the only endpoint is restarted while requests are to be held', () => {
  const [only] = named('only-endpoint').cases(SETTINGS);
  assert.equal(only!.plan.endpoints.length, 1);
  assert.ok(only!.tuning.waitsWhenAllDown);
  assert.match(misses('only-endpoint', { failedGets: 3 }).join(), /3 GETs/);
});

test('in a retry storm all endpoints refuse, and attempts stay below 1.25 times requests', () => {
  const [only] = named('retry-storm').cases(SETTINGS);
  assert.deepEqual(new Set(only!.plan.faults.map(({ kind }) => kind)), new Set(['unavailable']));
  assert.equal(faultsAt(only!.plan.faults, 1000).length, only!.plan.endpoints.length);
  assert.match(misses('retry-storm', { attemptsPerRequest: 1.25 }).join(), /1\.250 attempts/);
});

test('metastability: what fails two seconds after capacity has returned is held against Fairlead', () => {
  const [only] = named('metastability').cases(SETTINGS);
  const { endMs } = only!.plan.faults[0]!;
  assert.deepEqual(misses('metastability', { lastFailureMs: endMs + 2000 }), []);
  assert.match(misses('metastability', { lastFailureMs: endMs + 2600 }).join(), /2\.6 s after/);
});

test('a slow endpoint: a failure, more than 4 % of requests, and a p99 of twice that of healthy ones', () => {
  assert.match(misses('slow-endpoint', { failedGets: 1 }).join(), /1 requests failed/);
  assert.match(misses('slow-endpoint', { shares: [0.05, 0.95] }).join(), /got 5\.000 %/);
  const slow = { p50: 2, p99: 7, p999: 50, max: 60 };
  assert.deepEqual(misses('slow-endpoint', { ofAll: slow }), []);
  assert.match(misses('slow-endpoint', { ofAll: slow }, { balance: 'peak-ewma' }).join(), /1\.40 times/);
});

test('under full load round robin is to be worse, by 0.85', () => {
  const roundRobin = { ofAll: { p50: 2, p99: 6, p999: 50, max: 60 } };
  assert.deepEqual(misses('full-load', roundRobin), []);
  assert.match(misses('full-load', { ofAll: { p50: 2, p99: 5.5, p999: 50, max: 60 } }).join(), /0\.91 times/);
});

test('an endpoint that fails fast costs one in a thousand at most, with requests that may not be repeated', () => {
  const [only] = named('failing-fast').cases(SETTINGS);
  assert.ok(only!.plan.arrivals.every(({ method }) => method === 'POST'));
  assert.equal(only!.plan.endpoints.filter(({ isBroken }) => isBroken === true).length, 1);
  assert.match(misses('failing-fast', { availability: 0.998 }).join(), /0\.200 % of requests failed/);
});
