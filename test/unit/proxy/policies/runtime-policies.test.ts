// The live policies of a Runtime: created once, composed into plans, disposed with it. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Policy } from '../../../../core/policy/policy.ts';
import { definePolicy, type PolicyScope } from '../../../../core/policy/policy-definition.ts';
import type { PolicyStage } from '../../../../core/policy/policy-stage.ts';
import { seededRandom } from '../../../../core/random.ts';
import type { Snapshot } from '../../../../core/snapshot/snapshot.ts';
import { policyOf } from '../../../../plugins/plugin-parts.ts';
import { Exchange, type ExchangeHooks } from '../../../../proxy/exchange/exchange.ts';
import { RuntimeHistory } from '../../../../proxy/exchange/runtime-history.ts';
import { Runtime } from '../../../../proxy/exchange/runtime.ts';
import { collectGarbage, readMemory } from '../../../../proxy/policies/memory-reading.ts';
import type { PolicyPlan } from '../../../../proxy/policies/policy-plan.ts';
import { RuntimePolicies } from '../../../../proxy/policies/runtime-policies.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { policyParts } from '../../../support/policies.ts';
import { requestHead } from '../../../support/request-head.ts';
import {
  listenerSnapshot,
  policySnapshot,
  regionFor,
  routeSnapshot,
  snapshot,
  upstreamSnapshot,
} from '../../../support/snapshots.ts';

let live = 0;

function pluginPolicy(name: string, scope: PolicyScope, stage: PolicyStage, policy: Policy = {}) {
  const create = (): Policy => {
    live++;
    return { onRequest: () => undefined, onResponse: () => undefined, dispose: () => void live--, ...policy };
  };
  return policyOf(definePolicy({ name, scope, stage, options: () => ({}), compile: () => ({}), create }));
}

const PLUGIN = new Map(
  [
    pluginPolicy('on-listener', 'listener', 'shape'),
    pluginPolicy('on-route', 'route', 'shape'),
    pluginPolicy('early', 'route', 'authorize'),
    pluginPolicy('on-upstream', 'upstream', 'shape'),
  ].map((policy) => [policy.name, policy]),
);
const use = (name: string) => policySnapshot(name, {});

const SNAPSHOT: Snapshot = snapshot({
  listeners: [listenerSnapshot({ policies: [use('on-listener')] })],
  routes: [
    routeSnapshot({ name: 'one', policies: [use('on-route'), use('early')] }),
    routeSnapshot({ name: 'two', policies: [] }),
    routeSnapshot({ name: 'three', policies: [policySnapshot('shedding', { priority: 'default' })] }),
    routeSnapshot({ name: 'four', policies: [policySnapshot('shedding', { priority: 'default' })] }),
    routeSnapshot({ name: 'five', policies: [use('unknown')] }),
  ],
  upstreams: [upstreamSnapshot({ policies: [use('on-upstream')] })],
});
const [ONE, TWO, THREE, FOUR, FIVE] = SNAPSHOT.routes;

const namesIn = (entries: PolicyPlan['request']) => (entries ?? []).map(({ name }) => name);

describe('a plan', () => {
  const policies = new RuntimePolicies(SNAPSHOT, policyParts({ pluginPolicies: PLUGIN }));

  test('runs requests by stage, then listener, route, upstream, and responses in reverse', () => {
    const plan = policies.planOf(0, ONE!, 0);
    assert.deepEqual(namesIn(plan.request), ['early', 'on-listener', 'on-route', 'on-upstream']);
    assert.deepEqual(namesIn(plan.response), ['on-upstream', 'on-route', 'on-listener', 'early']);
  });

  test('has null for phases without policies', () => {
    const { request, response, placed, localReply, requestBody, responseBody, end } = policies.planOf(9, TWO!, -1);
    const phases = [request, response, placed, localReply, requestBody, responseBody, end];
    assert.deepEqual(phases, [null, null, null, null, null, null, null]);
  });

  test('is the same object for exchanges of the same policies', () => {
    assert.equal(policies.planOf(0, ONE!, 0), policies.planOf(0, ONE!, 0));
    assert.equal(policies.planOf(0, THREE!, 0), policies.planOf(0, FOUR!, 0));
    assert.notEqual(policies.planOf(0, TWO!, 0), policies.planOf(0, THREE!, 0));
  });

  test('of a request without a route has the policies of its listener', () => {
    assert.deepEqual(namesIn(policies.planOf(0, null, -1).request), ['on-listener']);
  });

  test('answers 500 where a policy is missing, instead of serving without it', () => {
    const { request } = policies.planOf(0, FIVE!, 0);
    assert.deepEqual(namesIn(request).slice(0, 1), ['unknown']);
    assert.throws(() => request![0]!.policy.onRequest!({} as never), { message: 'it could not be created' });
  });

  test('can no longer be composed once its Runtime is closed', () => {
    const closed = new RuntimePolicies(SNAPSHOT, policyParts({ pluginPolicies: PLUGIN }));
    closed.close();
    assert.throws(() => closed.planOf(0, ONE!, 0), /is gone/);
    closed.dispose();
  });
});

describe('disposal', () => {
  const region = regionFor(SNAPSHOT);
  const build = (revision: number) =>
    new Runtime(
      { ...SNAPSHOT, revision },
      { region, worker: 0, random: seededRandom(1) },
      policyParts({ pluginPolicies: PLUGIN }),
    );

  function historyOf(clock: FakeClock): RuntimeHistory {
    return new RuntimeHistory(build(1), { clock, timers: clock, end: () => undefined, report: () => undefined });
  }

  test('waits for the last exchange of the Runtime, also where that has moved on', () => {
    const clock = new FakeClock();
    live = 0;
    const history = historyOf(clock);
    const exchange = new Exchange({} as ExchangeHooks);
    const client = { connection: {} } as never;
    exchange.begin({ client, head: requestHead(), upgrade: null }, history.runtime, 0, 0, 0);
    history.open.add(exchange);
    assert.equal(live, 4);
    for (let revision = 2; revision < 12; revision++) history.replace(build(revision));
    clock.advance(61_000);
    assert.equal(live, 8);
    exchange.openIn!.remove(exchange);
    clock.advance(1000);
    assert.equal(live, 4);
    history.stop();
  });

  test('leaves nothing behind after 1,000 reloads', () => {
    const clock = new FakeClock();
    live = 0;
    const history = historyOf(clock);
    const reload = (from: number, to: number): number => {
      for (let revision = from; revision < to; revision++) {
        history.replace(build(revision));
        history.runtime.policies.planOf(0, ONE!, 0);
      }
      collectGarbage();
      return readMemory().heapBytes;
    };
    const beforeBytes = reload(2, 200);
    const grownBytes = reload(200, 1200) - beforeBytes;
    assert.equal(live, 4);
    assert.ok(grownBytes < 1_000_000, `the heap grew by ${grownBytes} bytes`);
    history.stop();
  });
});
