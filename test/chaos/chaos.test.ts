// Two short chaos runs against Fairlead alone, and a test that the peers' configurations work. docs/chaos.md describes the
// figures; `npm run chaos` is the long run with all peers. Thread: main.

import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, test } from 'node:test';
import { arrivalsOf, SHORT_WORK } from '../../scripts/chaos/arrivals.ts';
import { type Figures, figuresOf } from '../../scripts/chaos/figures.ts';
import { PROFILES, type Proxy } from '../../scripts/chaos/proxies/proxy.ts';
import { PROXIES } from '../../scripts/chaos/proxies/registry.ts';
import { run } from '../../scripts/chaos/run.ts';
import { inMs, judge } from '../../scripts/chaos/scenarios/aim.ts';
import { bursts } from '../../scripts/chaos/scenarios/bursts.ts';
import { availabilityAims, faults } from '../../scripts/chaos/scenarios/faults.ts';
import { type Case, endpointsAlike } from '../../scripts/chaos/scenarios/scenario.ts';
import { storyOf } from '../../scripts/chaos/story.ts';
import { preparePrograms } from '../../scripts/peers/program.ts';
import { requirePeer } from '../support/peers.ts';

/**
 * Eighteen seconds with faults of all five kinds, and without a POST within 17 ms of the start of a kill, a reset or a
 * 503: the first POST to meet one of these is lost behind any proxy, at random.
 */
const FAULTS = { seed: 192_942, seconds: 18, rate: null, balance: 'least-request', profile: 'recommended' } as const;
/** All endpoints are killed, and are down together for two seconds; again no POST is sent within 23 ms of a kill. */
const ALL_DOWN = { ...FAULTS, seed: 149_632, seconds: 6 } as const;

/** Short, since the first fault is a kill and no latencies are judged. */
const WARM_UP_MS = 1000;
/** Time in ms until a loaded machine has reported the end of a killed process. */
const KILL_KNOWN_MS = 500;

preparePrograms();

const proxyNamed = (name: string): Proxy => PROXIES.find((proxy) => proxy.name === name)!;

/** Figures of the run, and the proxy's own records of it. */
function measure(
  proxy: Proxy,
  { plan, profile }: Pick<Case, 'plan' | 'profile'>,
  warmUpMs?: number,
): Promise<readonly [Figures, readonly string[]]> {
  const cores = `0-${availableParallelism() - 1}`;
  return run({ proxy, plan, profile, workers: 2, cores, warmUpMs }, async (seen, running) => [
    figuresOf(seen),
    await storyOf(seen, running),
  ]);
}

test('faults of all kinds fail no GET, double no POST, and at least 99.98 % succeed', async (t) => {
  const [only] = faults.cases(FAULTS);
  assert.equal(new Set(only!.plan.faults.map(({ kind }) => kind)).size, 5);
  const [figures, story] = await measure(proxyNamed('fairlead'), only!);
  const { requests, failedPostsUnderWay, failedBy, ofAll, lag } = figures;
  t.diagnostic(`${requests} requests, failed by fault: ${JSON.stringify(failedBy)}, ${failedPostsUnderWay} under way`);
  t.diagnostic(`p99 ${inMs(ofAll.p99)}, p99.9 ${inMs(ofAll.p999)}; the client was ${inMs(lag.p99)} late (p99)`);
  // On a slow machine many requests are in flight at a kill; these don't count.
  const judged = { ...figures, availability: figures.availability + failedPostsUnderWay / requests };
  for (const aim of availabilityAims(FAULTS)) {
    const { values, verdict } = judge(aim, new Map([['', judged]]), new Map());
    const result = `${aim.what}: ${aim.text(values.get('fairlead')!)}, wanted ${aim.wanted}`;
    assert.equal(verdict, 'met', [result, ...story].join('\n'));
  }
});

test('two seconds with all endpoints down fail no GET, double no POST, and later requests succeed', async (t) => {
  const [only] = bursts.cases(ALL_DOWN);
  const { faults: kills } = only!.plan;
  assert.deepEqual(
    kills.map(({ kind }) => kind),
    ['kill', 'kill', 'kill'],
  );
  const [figures, story] = await measure(proxyNamed('fairlead'), only!, WARM_UP_MS);
  t.diagnostic(`${figures.requests} requests, failed by fault: ${JSON.stringify(figures.failedBy)}`);
  assert.deepEqual([figures.failedGets, figures.doubledPosts], [0, 0], story.join('\n'));
  // A POST on a connection that a kill has closed is lost; one that arrives when the kills are known waits.
  const knownMs = Math.max(...kills.map(({ startMs }) => startMs)) + KILL_KNOWN_MS;
  assert.ok(figures.lastFailureMs <= knownMs, story.join('\n'));
});

describe('the configuration works', () => {
  const arrivals = arrivalsOf({ seed: 1, durationMs: 300, rate: 150, postShare: 0.2, workMs: SHORT_WORK });
  const plan = { endpoints: endpointsAlike(2), arrivals, faults: [], patienceMs: 10_000 };
  for (const name of ['haproxy', 'nginx', 'caddy'] as const) {
    for (const profile of PROFILES) {
      test(`${name}, ${profile}`, async (t) => {
        if (requirePeer(t, name) === undefined) return;
        const changes = profile === 'recommended' ? { maxConnections: 100 } : {};
        const applied = { name: profile, balance: FAULTS.balance, changes };
        const [figures] = await measure(proxyNamed(name), { plan, profile: applied }, 200);
        assert.deepEqual(figures.failures, {});
        assert.ok(figures.shares.every((share) => share > 0));
      });
    }
  }
});
