// Contract of every balancer, whatever its algorithm. Run against each of them by balancers.test.ts. Thread: both.

import assert from 'node:assert/strict';
import { AVAILABILITY_NAMES, type Availability } from '../../../core/availability.ts';
import { PICK_FAILURE } from '../../../core/balancer.ts';
import { randomBelow, seededRandom } from '../../../core/random.ts';
import type { BalanceSnapshot } from '../../../core/snapshot/upstream.ts';
import { isUsable, selectCandidates } from '../../../balancers/candidates.ts';
import { buildBalancer } from '../../../balancers/registry.ts';
import { Balancing, testRequest } from '../../support/balancing.ts';
import { binomialRegion } from '../../support/statistics.ts';

export interface BalancerCase {
  readonly name: string;
  /** Cases about shares don't hold for a balancer that fills one endpoint before the next. */
  readonly isAboutShares?: boolean;
  run(balance: BalanceSnapshot): void;
}

const { noneUsable, allBusy, allTried } = PICK_FAILURE;
const UNUSABLE = ['ejected', 'down', 'drain', 'unresolved', 'maintenance'] as const;

export const balancerCases: readonly BalancerCase[] = [
  {
    name: 'gives a single endpoint everything',
    run(balance) {
      assert.deepEqual(new Balancing({ balance, weights: [7] }).shares(20), [20]);
    },
  },
  {
    name: 'finds none usable in an upstream without endpoints',
    run(balance) {
      assert.equal(new Balancing({ balance, weights: [] }).pick(), noneUsable);
    },
  },
  {
    name: 'finds none usable while all are out, for whichever cause, and picks again when one returns',
    run(balance) {
      for (const cause of UNUSABLE) {
        const balancing = new Balancing({ balance, weights: [1, 2] });
        balancing.setAvailability(0, cause);
        balancing.setAvailability(1, cause);
        assert.equal(balancing.pick(), noneUsable, cause);
        assert.equal(balancing.picker.usableCount, 0, cause);
        balancing.setAvailability(1, 'up');
        assert.equal(balancing.pick(), 1, cause);
        assert.equal(balancing.picker.usableCount, 1, cause);
      }
    },
  },
  {
    name: 'obeys a change of availability at the next pick',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1, 1, 1] });
      for (let i = 0; i < 60; i++) {
        const index = balancing.pick();
        balancing.setAvailability(index, 'down');
        assert.notEqual(balancing.pick(), index);
        balancing.setAvailability(index, 'up');
      }
    },
  },
  {
    name: 'uses a suspect like any other',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1, 1] });
      balancing.setAvailability(0, 'down');
      balancing.setAvailability(1, 'suspect');
      assert.equal(balancing.pick(), 1);
    },
  },
  {
    name: 'gives a half-open endpoint one trial at a time',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1, 1] });
      balancing.setAvailability(0, 'down');
      balancing.setAvailability(1, 'halfOpen');
      assert.equal(balancing.pick(), 1);
      balancing.setToken(1, 3);
      assert.equal(balancing.pick(), allBusy);
      balancing.setToken(1, 0);
      assert.equal(balancing.pick(), 1);
    },
  },
  {
    name: 'leaves a half-open endpoint to a request that may be repeated, for a second, unless nobody else is left',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1, 1, 1] });
      balancing.setAvailability(0, 'halfOpen');
      balancing.request.nowMs = 5_000;
      balancing.request.mayRetry = false;
      assert.equal(balancing.shares(100)[0], 0);
      balancing.request.mayRetry = true;
      assert.ok(balancing.shares(100)[0]! > 0);
      balancing.request.mayRetry = false;
      balancing.request.nowMs = 5_999;
      assert.equal(balancing.shares(100)[0], 0);
      balancing.try(1, 2);
      assert.equal(balancing.pick(), 0);
      balancing.try();
      balancing.request.nowMs = 6_000;
      assert.ok(balancing.shares(100)[0]! > 0);
    },
  },
  {
    name: 'never returns a tried endpoint, and says when all were tried',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1, 5, 2] });
      balancing.try(1);
      assert.equal(balancing.shares(100)[1], 0);
      balancing.try(2, 0);
      assert.deepEqual(balancing.shares(20), [0, 20, 0]);
      balancing.try(2, 0, 1);
      assert.equal(balancing.pick(), allTried);
    },
  },
  {
    name: 'never returns an endpoint at its limit, and says when all are',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [3, 1] });
      balancing.setLimit(0, 4);
      balancing.setInflight(0, 4);
      assert.deepEqual(balancing.shares(20), [0, 20]);
      balancing.setInflight(0, 3);
      balancing.setLimit(1, 2);
      balancing.setInflight(1, 3);
      assert.deepEqual(balancing.shares(20), [20, 0]);
      balancing.setInflight(0, 4);
      assert.equal(balancing.pick(), allBusy);
    },
  },
  {
    name: 'fills every place below the limits before it fails',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1, 2, 3] });
      [2, 3, 4].forEach((limit, index) => balancing.setLimit(index, limit));
      assert.deepEqual(balancing.shares(9, true), [2, 3, 4]);
      assert.equal(balancing.pick(), allBusy);
    },
  },
  {
    name: 'counts an untried busy endpoint more than tried ones',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1, 1] });
      balancing.setLimit(0, 1);
      balancing.setInflight(0, 1);
      balancing.try(1);
      assert.equal(balancing.pick(), allBusy);
    },
  },
  {
    name: 'uses backups only while no primary is usable',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1, 1], backups: [1, 1] });
      assert.deepEqual(balancing.shares(60).slice(2), [0, 0]);
      balancing.setAvailability(0, 'down');
      assert.deepEqual(balancing.shares(60), [0, 60, 0, 0]);
      balancing.setAvailability(1, 'ejected');
      assert.deepEqual(balancing.shares(60).slice(0, 2), [0, 0]);
      balancing.setAvailability(0, 'up');
      assert.deepEqual(balancing.shares(60), [60, 0, 0, 0]);
    },
  },
  {
    name: 'gives nothing to a factor of zero',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1, 1] });
      balancing.setFactor(0, 0);
      assert.deepEqual(balancing.shares(60), [0, 60], 'before the epoch moves');
      balancing.moveEpoch();
      assert.deepEqual(balancing.shares(60), [0, 60]);
      balancing.setFactor(1, 0);
      assert.equal(balancing.pick(), allBusy, 'before the epoch moves');
      balancing.moveEpoch();
      assert.equal(balancing.pick(), noneUsable);
    },
  },
  {
    name: 'goes to an endpoint of little factor where there is no other',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1] });
      balancing.setFactor(0, 0.01);
      assert.deepEqual(balancing.shares(60), [60]);
    },
  },
  {
    name: 'gives requests that pile up to endpoints by weight',
    isAboutShares: true,
    run(balance) {
      assertShares(new Balancing({ balance, weights: [1, 2, 3] }), [1, 2, 3]);
    },
  },
  {
    name: 'gives an endpoint with half its factor half its part',
    isAboutShares: true,
    run(balance) {
      const balancing = new Balancing({ balance, weights: Array.from({ length: 40 }, () => 1) });
      for (let index = 0; index < 20; index++) balancing.setFactor(index, 0.5);
      assertShares(balancing, [...Array(20).fill(1), ...Array(20).fill(2)] as number[]);
    },
  },
  {
    name: 'follows a weight that the operator sets',
    isAboutShares: true,
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1, 1] });
      balancing.setWeight(1, 4);
      assertShares(balancing, [1, 4]);
      balancing.setWeight(0, 16);
      for (const index of [0, 1]) balancing.setInflight(index, 0);
      assertShares(balancing, [4, 1]);
    },
  },
  {
    name: 'gives the same picks for the same seed',
    run(balance) {
      const sequence = () => {
        const balancing = new Balancing({ balance, weights: [3, 1, 2, 2], seed: 9 });
        return Array.from({ length: 100 }, () => balancing.pick());
      };
      assert.deepEqual(sequence(), sequence());
    },
  },
  {
    name: 'reserves nothing',
    run(balance) {
      const balancing = new Balancing({ balance, weights: [1, 2] });
      balancing.shares(50);
      assert.deepEqual([balancing.inflight(0), balancing.inflight(1)], [0, 0]);
    },
  },
  { name: 'keeps to the candidates it was built for', run: keepsToItsCandidates },
  { name: 'picks right in every random situation', run: (balance) => picksRight(balance, 12, 400) },
  { name: 'picks right in a large upstream', run: (balance) => picksRight(balance, 300, 12) },
];

/** 6,000 requests that stay in flight: each endpoint's count lies in its binomial region. */
function assertShares(balancing: Balancing, weights: readonly number[]): void {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = balancing.shares(6000, true);
  weights.forEach((weight, index) => {
    const { low, high } = binomialRegion(6000, weight / total);
    assert.ok(
      shares[index]! >= low && shares[index]! <= high,
      `endpoint ${index} got ${shares[index]}, not ${low}..${high}`,
    );
  });
}

function keepsToItsCandidates(balance: BalanceSnapshot): void {
  const balancing = new Balancing({ balance, weights: [1, 2, 3], backups: [1] });
  balancing.setAvailability(0, 'down');
  const candidates = selectCandidates(balancing.upstream, balancing.region, null);
  for (const list of [candidates.members, candidates.usable, candidates.configured.backup]) {
    for (const candidate of list) Object.freeze(candidate);
    Object.freeze(list);
  }
  const context = { region: balancing.region, upstreamIndex: 0, worker: 0, random: seededRandom(2) };
  const balancer = buildBalancer(balance, Object.freeze(candidates), context);
  balancing.setAvailability(0, 'up');
  balancing.setAvailability(1, 'down');
  balancing.setAvailability(2, 'down');
  const request = testRequest();
  for (let i = 0; i < 50; i++) assert.ok([1, 2].includes(balancer.pick(request)), 'what came later does not count');
}

/** Draws situations and checks each pick against what may be returned. */
function picksRight(balance: BalanceSnapshot, size: number, situations: number): void {
  const random = seededRandom(77);
  const weights = Array.from({ length: size }, () => 1 + randomBelow(random, 9));
  const balancing = new Balancing({ balance, weights });
  for (let situation = 0; situation < situations; situation++) {
    const states = weights.map(() => drawAvailability());
    const isBusy = weights.map(() => random.next() < 0.3);
    states.forEach((state, index) => {
      balancing.setLimit(index, isBusy[index]! ? 2 : random.next() < 0.5 ? 3 : 0);
      balancing.setInflight(index, 2);
      balancing.setFactor(index, random.next() < 0.3 ? 0.05 + random.next() * 0.9 : 1);
      balancing.setAvailability(index, state);
    });
    const tried = weights.map((_, index) => index).filter(() => random.next() < situation / situations);
    balancing.try(...tried);
    const usable = weights.map((_, index) => index).filter((index) => isUsable(states[index]!));
    const untried = usable.filter((index) => !tried.includes(index));
    const free = untried.filter((index) => !isBusy[index]!);
    const failure = usable.length === 0 ? noneUsable : untried.length === 0 ? allTried : allBusy;
    for (let i = 0; i < 5; i++) {
      const index = balancing.pick();
      if (free.length === 0) assert.equal(index, failure);
      else assert.ok(free.includes(index), `picked ${index} of ${free.join()}`);
    }
  }

  function drawAvailability(): Availability {
    return random.next() < 0.5 ? 'up' : AVAILABILITY_NAMES[randomBelow(random, AVAILABILITY_NAMES.length)]!;
  }
}
