// Error rates of the comparison with the other endpoints, by simulation (docs/algorithms.md 3.2). Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom, type Random } from '../../../../core/random.ts';
import { findOutliers, type Tally } from '../../../../health/outlier/pooled-test.ts';

const SETTINGS = { minRequests: 100, minGap: 0.05, sigmas: 4 };
const SWEEPS_PER_HOUR = 360;

/** So many endpoints with so many requests in a sweep, each of which fails with this probability. */
interface Group {
  readonly count: number;
  readonly requests: number;
  readonly p: number;
}

function tallyOf(random: Random, { requests, p }: Group): Tally {
  let failures = 0;
  for (let i = 0; i < requests; i++) if (random.next() < p) failures++;
  return { requests, failures };
}

/** How often each group's endpoints were found, per sweep and endpoint. */
function simulate(groups: readonly Group[], sweeps: number, seed: number): number[] {
  const random = seededRandom(seed);
  const found = groups.map(() => 0);
  const groupOf = groups.flatMap((group, index) => Array.from({ length: group.count }, () => index));
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const tallies = groupOf.map((index) => tallyOf(random, groups[index]!));
    for (const { index } of findOutliers(tallies, SETTINGS)) found[groupOf[index]!]!++;
  }
  return groups.map(({ count }, index) => found[index]! / (sweeps * count));
}

describe('healthy endpoints', () => {
  const rows: readonly (readonly [count: number, requests: number, p: number, hours: number, flagsPerHour: number])[] =
    [
      [2, 100, 0.001, 20, 0],
      [2, 100, 0.01, 20, 0.2],
      [2, 100, 0.05, 20, 2],
      [2, 1_000, 0.05, 10, 0],
      [4, 100, 0.05, 20, 2],
      [10, 100, 0.001, 20, 0],
      [10, 100, 0.01, 20, 2],
      [10, 100, 0.05, 20, 3],
      [10, 100, 0.2, 20, 2],
      [10, 1_000, 0.01, 5, 0],
      [10, 1_000, 0.05, 5, 0],
      [50, 100, 0.01, 10, 10],
      [50, 100, 0.05, 10, 10],
      [50, 1_000, 0.05, 1, 0],
    ];
  for (const [count, requests, p, hours, flagsPerHour] of rows) {
    test(`${count} of them, ${requests} requests a sweep, ${p * 100} % failures: at most ${flagsPerHour} flags an hour`, () => {
      const [rate] = simulate([{ count, requests, p }], hours * SWEEPS_PER_HOUR, 1);
      const flags = rate! * count * SWEEPS_PER_HOUR;
      assert.ok(flags <= flagsPerHour, `${flags}`);
    });
  }

  test('one of which carries nearly all traffic: at most one flag an hour', () => {
    const rates = simulate(
      [
        { count: 1, requests: 5_000, p: 0.2 },
        { count: 1, requests: 100, p: 0.2 },
      ],
      3_600,
      2,
    );
    assert.ok((rates[0]! + rates[1]!) * SWEEPS_PER_HOUR <= 1, rates.join(' '));
  });
});

describe('bad endpoints among good ones', () => {
  const good = (count: number, requests = 100): Group => ({ count, requests, p: 0.01 });
  const rows: readonly (readonly [title: string, bad: Group, others: Group, low: number, high: number])[] = [
    ['1 of 2 that fails a fifth', { count: 1, requests: 100, p: 0.2 }, good(1), 0.95, 1],
    ['1 of 4 that fails half', { count: 1, requests: 100, p: 0.5 }, good(3), 1, 1],
    ['3 of 10 that fail half', { count: 3, requests: 100, p: 0.5 }, good(7), 1, 1],
    ['11 of 50 that fail half', { count: 11, requests: 100, p: 0.5 }, good(39), 1, 1],
    ['1 of 10 that fails a tenth', { count: 1, requests: 100, p: 0.1 }, good(9), 0.85, 0.95],
    ['1 of 10 that fails a tenth of many', { count: 1, requests: 1_000, p: 0.1 }, good(9, 1_000), 1, 1],
    ['1 of 10 that fails 5 %, which is no gap to act on', { count: 1, requests: 100, p: 0.05 }, good(9), 0, 0.4],
  ];
  for (const [title, bad, others, low, high] of rows) {
    test(`${title}: found in ${low * 100} to ${high * 100} % of sweeps, and nobody else`, () => {
      const [found, falsely] = simulate([bad, others], 500, 3);
      assert.ok(found! >= low && found! <= high, `${found}`);
      assert.ok(falsely! < 0.001, `${falsely}`);
    });
  }
});
