// Plans of the scenarios, and their verdicts on Fairlead. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Figures } from '../../../../scripts/chaos/figures.ts';
import { faultsAt } from '../../../../scripts/chaos/plan.ts';
import { SCENARIOS } from '../../../../scripts/chaos/scenarios/registry.ts';
import { type ByCase, judge } from '../../../../scripts/chaos/scenarios/aim.ts';
import type { Scenario, ScenarioSettings } from '../../../../scripts/chaos/scenarios/scenario.ts';

const SETTINGS: ScenarioSettings = {
  seed: 1,
  seconds: null,
  rate: null,
  balance: 'least-request',
  profile: 'recommended',
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
  lag: { p50: 0.5, p99: 1, p999: 2, max: 3 },
};

function named(name: string): Scenario {
  return SCENARIOS.find((scenario) => scenario.name === name)!;
}

/** Aims that Fairlead misses with these figures in the last case, as "AIM VALUE". */
function misses(name: string, change: Partial<Figures>, of: Partial<ScenarioSettings> = {}, peer?: Partial<Figures>) {
  const scenario = named(name);
  const settings = { ...SETTINGS, ...of };
  const byCase = (last: Partial<Figures>): ByCase => {
    const names = scenario.cases(settings).map((one) => one.name);
    return new Map(names.map((one, index) => [one, index === names.length - 1 ? { ...FLAWLESS, ...last } : FLAWLESS]));
  };
  const peers = new Map(peer === undefined ? [] : [['nginx', byCase(peer)]]);
  return scenario
    .aims(settings)
    .map((aim) => judge(aim, byCase(change), peers))
    .filter(({ verdict }) => verdict !== 'met' && verdict !== 'no peer')
    .map(({ aim, values, verdict }) => `${verdict}: ${aim.what} ${aim.text(values.get('fairlead')!)}`);
}

test('with perfect figures no aim is missed, except the comparison with round robin', () => {
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

  test('a failed GET, a doubled POST, less than 99.98 % or a slow tail is a miss', () => {
    assert.deepEqual(misses('faults', { failedGets: 1 }), ['missed: GETs that failed 1']);
    assert.deepEqual(misses('faults', { doubledPosts: 2 }), ['missed: POSTs processed twice 2']);
    assert.deepEqual(misses('faults', { availability: 0.99979 }), ['missed: requests that succeeded 99.979 %']);
    assert.deepEqual(misses('faults', { availability: 0.9998 }), []);
    assert.deepEqual(misses('faults', { ofAll: { p50: 2, p99: 11, p999: 50, max: 60 } }), ['missed: p99 11.0 ms']);
    assert.deepEqual(misses('faults', { ofAll: { p50: 2, p99: 9, p999: 151, max: 160 } }), ['missed: p99.9 151 ms']);
  });

  test('with the defaults 99.95 % suffice, whatever the latency, and a failed GET is a miss', () => {
    const profile = 'defaults';
    const slow = { p50: 2, p99: 1000, p999: 4000, max: 4000 };
    assert.deepEqual(misses('faults', { availability: 0.9995, ofAll: slow }, { profile }), []);
    const missed = ['missed: requests that succeeded 99.949 %'];
    assert.deepEqual(misses('faults', { availability: 0.99949 }, { profile }), missed);
    assert.deepEqual(misses('faults', { failedGets: 1 }, { profile }), ['missed: GETs that failed 1']);
  });

  test('with round robin 99.9 % suffice, whatever the latency', () => {
    const slow = { p50: 2, p99: 1000, p999: 4000, max: 4000 };
    assert.deepEqual(misses('faults', { availability: 0.999, ofAll: slow }, { balance: 'round-robin' }), []);
    assert.equal(misses('faults', { availability: 0.998 }, { balance: 'round-robin' }).length, 1);
  });

  test('a better figure of a peer is a miss', () => {
    assert.deepEqual(misses('faults', { availability: 0.9999 }, {}, {}), ['missed: requests that succeeded 99.990 %']);
    const fast = { p50: 2, p99: 5, p999: 20, max: 60 };
    assert.deepEqual(misses('faults', {}, {}, { ofAll: fast }), ['missed: p99.9 50.0 ms']);
    assert.deepEqual(misses('faults', {}, {}, { availability: 0.99 }), []);
    // Equal availability suffices only where nothing failed.
    assert.deepEqual(misses('faults', {}, {}, {}), []);
    const missed = ['missed: requests that succeeded 99.990 %'];
    assert.deepEqual(misses('faults', { availability: 0.9999 }, {}, { availability: 0.9999 }), missed);
  });

  test('with a late client times are not judged; failures count', () => {
    const lag = { p50: 1, p99: 30, p999: 60, max: 70 };
    const times = (timeMs: number) => ['p99', 'p99.9'].map((name) => `not judged: ${name} ${timeMs.toFixed(1)} ms`);
    const ofAll = { p50: 2, p99: 50, p999: 50, max: 60 };
    assert.deepEqual(misses('faults', { lag, ofAll }), times(50));
    assert.deepEqual(misses('faults', { lag, ofAll, failedGets: 1 }), ['missed: GETs that failed 1', ...times(50)]);
    assert.deepEqual(misses('faults', {}, {}, { lag }), ['not judged: p99.9 50.0 ms']);
  });
});

describe('bursts', () => {
  test('have the load of the main scenario, and moments with two and with all endpoints down', () => {
    const [only] = named('bursts').cases(SETTINGS);
    const [main] = named('faults').cases(SETTINGS);
    assert.deepEqual(only!.plan.arrivals, main!.plan.arrivals);
    const { faults } = only!.plan;
    const counts = new Set(faults.map(({ startMs }) => faultsAt(faults, startMs).length));
    assert.ok(counts.has(2) && counts.has(3));
  });

  test('have goals for availability alone, by profile', () => {
    const slow = { p50: 2, p99: 1000, p999: 4000, max: 4000 };
    assert.deepEqual(misses('bursts', { ofAll: slow }), []);
    assert.deepEqual(misses('bursts', { failedGets: 1 }), ['missed: GETs that failed 1']);
    assert.equal(misses('bursts', { availability: 0.9997 }).length, 1);
    assert.equal(misses('bursts', { availability: 0.9997 }, { profile: 'defaults' }).length, 0);
  });
});

test('only scenarios with profiles use the defaults, and they change nothing in them', () => {
  for (const scenario of SCENARIOS) {
    for (const { profile } of scenario.cases({ ...SETTINGS, profile: 'defaults' })) {
      assert.equal(profile.name, scenario.hasProfiles === true ? 'defaults' : 'recommended', scenario.name);
      if (profile.name === 'defaults') assert.deepEqual(profile.changes, {});
    }
  }
});

test('a rolling restart restarts one endpoint after the other, and permits no failure', () => {
  const [only] = named('rolling-restart').cases(SETTINGS);
  const { faults } = only!.plan;
  assert.deepEqual(
    faults.map(({ kind, endpoint, startMs, endMs }) => [kind, endpoint, endMs - startMs]),
    [0, 1, 2].map((endpoint) => ['restart', endpoint, 1000]),
  );
  for (const { startMs } of faults) assert.equal(faultsAt(faults, startMs).length, 1);
  assert.deepEqual(misses('rolling-restart', { failedPosts: 1 }), ['missed: POSTs that failed 1']);
});

test('the only endpoint is restarted while requests must wait', () => {
  const [only] = named('only-endpoint').cases(SETTINGS);
  assert.equal(only!.plan.endpoints.length, 1);
  assert.equal(only!.profile.changes.tryMs, null);
  assert.deepEqual(misses('only-endpoint', { failedGets: 3 }), ['missed: GETs that failed 3']);
});

test('in a retry storm all endpoints refuse, detected by checks or not, and attempts stay below 1.25 per request', () => {
  const [seen, unseen] = named('retry-storm').cases(SETTINGS);
  assert.deepEqual(new Set(seen!.plan.faults.map(({ kind }) => kind)), new Set(['unavailable']));
  assert.equal(faultsAt(seen!.plan.faults, 1000).length, seen!.plan.endpoints.length);
  assert.ok(unseen!.plan.endpoints.every(({ isBroken }) => isBroken === true));
  const missed = ['missed: attempts for each request, checks pass 1.250'];
  assert.deepEqual(misses('retry-storm', { attemptsPerRequest: 1.25 }), missed);
});

test('metastability: failures later than two seconds after capacity has returned are a miss', () => {
  const [only] = named('metastability').cases(SETTINGS);
  const { endMs } = only!.plan.faults[0]!;
  assert.deepEqual(misses('metastability', { lastFailureMs: endMs + 2000 }), []);
  const missed = ['missed: last failure after capacity has returned 2.6 s'];
  assert.deepEqual(misses('metastability', { lastFailureMs: endMs + 2600 }), missed);
});

test('a slow endpoint: a failure, more than 4 % of requests, and a p99 of twice that of healthy ones', () => {
  assert.deepEqual(misses('slow-endpoint', { failedGets: 1 }), ['missed: requests that failed 1']);
  const share = ['missed: share of the slow endpoint 5.000 %'];
  assert.deepEqual(misses('slow-endpoint', { shares: [0.05, 0.95] }), share);
  const slow = { p50: 2, p99: 7, p999: 50, max: 60 };
  assert.deepEqual(misses('slow-endpoint', { ofAll: slow }), []);
  const ratio = ['missed: p99 against that of healthy endpoints 1.40'];
  assert.deepEqual(misses('slow-endpoint', { ofAll: slow }, { balance: 'peak-ewma' }), ratio);
});

test('a comparison is not judged without a peer', () => {
  const aim = named('full-load').aims(SETTINGS).at(-1)!;
  const byCase: ByCase = new Map(['least-request', 'round-robin'].map((name) => [name, FLAWLESS]));
  assert.equal(judge(aim, byCase, new Map()).verdict, 'no peer');
  assert.equal(judge(aim, byCase, new Map([['nginx', byCase]])).verdict, 'met');
});

test('a slow endpoint may cost at most a tenth more than with a peer', () => {
  const slow = { ofAll: { p50: 2, p99: 5.5, p999: 50, max: 60 } };
  assert.deepEqual(misses('slow-endpoint', slow, {}, {}), []);
  assert.deepEqual(misses('slow-endpoint', { ofAll: { ...slow.ofAll, p99: 5.6 } }, {}, {}), ['missed: p99 5.6 ms']);
});

test('under full load the p99 must be at most 0.85 of round robin', () => {
  const roundRobin = { ofAll: { p50: 2, p99: 6, p999: 50, max: 60 } };
  assert.deepEqual(misses('full-load', roundRobin), []);
  const missed = ['missed: p99 of least-request against that of round robin 0.91'];
  assert.deepEqual(misses('full-load', { ofAll: { p50: 2, p99: 5.5, p999: 50, max: 60 } }), missed);
});

test('an endpoint that fails fast costs at most one in a thousand requests that may not be repeated', () => {
  const [only] = named('failing-fast').cases(SETTINGS);
  assert.ok(only!.plan.arrivals.every(({ method }) => method === 'POST'));
  assert.equal(only!.plan.endpoints.filter(({ isBroken }) => isBroken === true).length, 1);
  assert.deepEqual(misses('failing-fast', { availability: 0.998 }), ['missed: requests that failed 0.200 %']);
});
