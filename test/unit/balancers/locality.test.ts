// Preference for the own zone: how requests spill over as capacity is lost, with every balancer. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ownZoneShare, zoneViewOf } from '../../../balancers/zone-share.ts';
import { PICK_FAILURE } from '../../../core/balancer.ts';
import { UPSTREAM_FIELD } from '../../../core/memory/lane-fields.ts';
import type { BalanceSnapshot, UpstreamSnapshot } from '../../../core/snapshot/upstream.ts';
import { BALANCES, Balancing } from '../../support/balancing.ts';
import { endpointSnapshot, upstreamSnapshot } from '../../support/snapshots.ts';

const PICKS = 4_000;

interface Place {
  readonly zone: string;
  readonly weight?: number;
  readonly backup?: boolean;
}

/** An upstream of a Fairlead in zone `a`. */
function begin(zones: readonly (string | Place)[], balance: BalanceSnapshot, parts: Partial<UpstreamSnapshot> = {}) {
  const places = zones.map((one) => (typeof one === 'string' ? { zone: one } : one));
  const endpoints = places.map((place, slot) => endpointSnapshot(slot, place));
  const locality = { zone: 'a', spillBelowPercent: 70 };
  const upstream = upstreamSnapshot({ endpoints, balance, locality, ...parts });
  const bench = new Balancing({ balance, weights: [], upstream });
  places.forEach(({ weight = 1 }, index) => bench.setWeight(index, weight));
  /** Share of picks in zone `a`. */
  const home = (count = PICKS): number => {
    const counts = bench.shares(count);
    return counts.reduce((sum, picks, index) => sum + (places[index]!.zone === 'a' ? picks : 0), 0) / count;
  };
  const isNear = (value: number, expected: number, what = ''): void => {
    assert.ok(Math.abs(value - expected) < 0.03, `${value.toFixed(3)} instead of ${expected.toFixed(3)} ${what}`);
  };
  return { bench, home, isNear };
}

describe('the share of the own zone', () => {
  const of = (usable: number, other = 10, total = 10) =>
    Number(ownZoneShare({ usable, total }, { usable: other, total }, 0.7).toFixed(4));

  test('is all until capacity is below the threshold, then proportional, without a cliff', () => {
    assert.deepEqual(
      [10, 8, 7, 6, 3.5, 1, 0].map((usable) => of(usable)),
      [1, 1, 1, 0.8571, 0.5, 0.1429, 0],
    );
    let before = 1;
    for (let usable = 10; usable >= 0; usable -= 0.1) {
      const share = of(usable);
      assert.ok(before - share <= 0.0145 && share <= before, `${usable}: ${before} to ${share}`);
      before = share;
    }
  });

  test('takes back what the other zones cannot carry', () => {
    assert.equal(of(5, 0), 1);
    assert.equal(of(0, 0), 1);
    assert.equal(of(3.5, 3.5), 0.5);
    assert.equal(of(3.5, 1.75), 0.6667);
    assert.equal(ownZoneShare({ usable: 0, total: 0 }, { usable: 1, total: 1 }, 0.7), 0, 'no endpoint in the zone');
  });
});

for (const [name, balance] of Object.entries(BALANCES)) {
  describe(`with ${name}`, () => {
    test('requests stay in their zone while it has capacity, and spill in proportion', () => {
      const { bench, home, isNear } = begin(['a', 'a', 'a', 'a', 'b', 'b', 'b', 'b'], balance);
      assert.equal(home(), 1);
      bench.setAvailability(0, 'down');
      assert.equal(home(), 1, 'three of four are 75 %');
      bench.setAvailability(1, 'ejected');
      isNear(home(), 0.5 / 0.7, 'two of four');
      assert.equal(zoneViewOf(bench.upstream, bench.region)?.share, 0.5 / 0.7);
      bench.setAvailability(2, 'suspect');
      isNear(home(), 0.25 / 0.7, 'one of four');
      bench.setAvailability(3, 'maintenance');
      assert.equal(home(), 0, 'none');
      for (const index of [0, 1, 2, 3]) bench.setAvailability(index, 'up');
      for (const index of [4, 5, 6, 7]) bench.setAvailability(index, 'down');
      assert.equal(home(), 1, 'nowhere else to go');
    });

    test('a full zone overflows into the others, and back', () => {
      const { bench, home } = begin(['a', 'b'], balance);
      bench.setLimit(0, 1);
      bench.setInflight(0, 1);
      assert.equal(home(100), 0);
      bench.setLimit(1, 1);
      bench.setInflight(1, 1);
      assert.equal(bench.pick(), PICK_FAILURE.allBusy);
      bench.setInflight(0, 0);
      bench.setInflight(1, 0);
      bench.try(0);
      assert.equal(bench.pick(), 1, 'a retry leaves the zone whose endpoints it has tried');
      bench.try(0, 1);
      assert.equal(bench.pick(), PICK_FAILURE.allTried);
    });
  });
}

describe('locality', () => {
  test('returns to the own zone by ten points a second, and leaves it at once', () => {
    const { bench, home, isNear } = begin(['a', 'a', 'b', 'b'], BALANCES.leastRequest);
    assert.equal(home(), 1);
    bench.setAvailability(0, 'down');
    isNear(home(), 0.5 / 0.7);
    bench.setAvailability(0, 'up');
    bench.request.nowMs = 1_000;
    isNear(home(), 0.5 / 0.7 + 0.1);
    bench.request.nowMs = 2_000;
    isNear(home(), 0.5 / 0.7 + 0.2);
    bench.request.nowMs = 4_000;
    assert.equal(home(), 1);
    bench.setAvailability(0, 'down');
    isNear(home(), 0.5 / 0.7, 'without any time');
  });

  test('counts a slow start as the capacity that it is', () => {
    const { bench, home, isNear } = begin(['a', 'a', 'b', 'b'], BALANCES.random);
    bench.setFactor(0, 0.1);
    bench.moveEpoch();
    isNear(home(), 0.55 / 0.7);
    bench.setFactor(0, 0.4);
    bench.request.nowMs = 60_000;
    assert.equal(home(), 1, 'the factor is read again without an epoch');
  });

  test('weighs by weights, not by numbers', () => {
    const { bench, home, isNear } = begin([{ zone: 'a', weight: 8 }, { zone: 'a', weight: 2 }, 'b'], BALANCES.random);
    bench.setAvailability(1, 'down');
    assert.equal(home(), 1, '80 %');
    bench.setAvailability(1, 'up');
    bench.setAvailability(0, 'down');
    isNear(home(), 0.2 / 0.7);
  });

  test('with backups: those of the own zone first, once the primaries need them', () => {
    const zones = ['a', 'b', { zone: 'b', backup: true }, { zone: 'a', backup: true }];
    const { bench } = begin(zones, BALANCES.leastRequest);
    assert.deepEqual(bench.shares(100), [100, 0, 0, 0]);
    bench.setAvailability(0, 'down');
    assert.deepEqual(bench.shares(100), [0, 100, 0, 0], 'primaries of another zone before backups');
    bench.setAvailability(1, 'down');
    bench.request.nowMs = 60_000;
    assert.deepEqual(bench.shares(100), [0, 0, 0, 100]);
  });

  test('moves a key away once, and back to its endpoint', () => {
    const { bench } = begin(['a', 'a', 'a', 'a', 'b', 'b', 'b', 'b'], BALANCES.hash);
    const keys = Array.from({ length: 2_000 }, () => {
      bench.drawKey();
      return [bench.request.hash1, bench.request.hash2] as const;
    });
    const placed = (): number[] =>
      keys.map(([hash1, hash2]) => {
        Object.assign(bench.request, { hash1, hash2 });
        return bench.pick(false);
      });
    const before = placed();
    bench.setAvailability(0, 'down');
    const three = placed();
    assert.ok(
      before.every((slot, at) => slot === 0 || slot === three[at]),
      'only the keys of the lost endpoint move',
    );
    bench.setAvailability(1, 'down');
    const two = placed();
    const moved = three.filter((slot, at) => slot !== 1 && slot !== two[at]).length / keys.length;
    assert.ok(moved < 0.25, `${moved}: those that spill over, and no others`);
    const oneMore = (bench.setAvailability(2, 'down'), placed());
    const spilt = two.flatMap((slot, at) => (slot >= 4 ? [at] : []));
    assert.ok(
      spilt.every((at) => two[at] === oneMore[at]),
      'keys that have left stay where they are',
    );
    for (const index of [0, 1, 2]) bench.setAvailability(index, 'up');
    bench.request.nowMs = 60_000;
    assert.deepEqual(placed(), before);
  });

  test('counts picks of both kinds, and none without it', () => {
    const { bench, home } = begin(['a', 'a', 'b'], BALANCES.roundRobin);
    bench.setAvailability(0, 'down');
    const share = home(1_000);
    const lane = bench.region.upstreamLane(0, bench.upstream.index);
    const counts = [UPSTREAM_FIELD.picksOwnZone, UPSTREAM_FIELD.picksOtherZone].map(
      (field) => bench.region.doubles[lane + field],
    );
    assert.deepEqual(counts, [Math.round(share * 1000), 1000 - Math.round(share * 1000)]);
    const plain = new Balancing({ balance: BALANCES.roundRobin, weights: [1, 1] });
    plain.shares(10);
    assert.equal(plain.region.doubles[plain.region.upstreamLane(0, 0) + UPSTREAM_FIELD.picksOwnZone], 0);
  });

  test('try-all stays in the zone too', () => {
    const { bench, home } = begin(['a', 'b'], BALANCES.leastRequest, { whenAllDown: 'try-all' });
    for (const index of [0, 1]) bench.setAvailability(index, 'down');
    assert.equal(home(100), 1);
  });
});
