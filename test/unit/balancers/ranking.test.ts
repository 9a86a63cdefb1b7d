// The ranking of the balancers in the queueing model, as ratios over paired runs of three seeds (docs/algorithms.md 1.5).
// Ten endpoints that serve four requests at once. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BALANCES } from '../../support/balancing.ts';
import { modelEndpoints, runModel, type ModelEndpoint, type ModelResult } from '../../support/queueing-model.ts';
import { quantile } from '../../support/statistics.ts';

const REQUESTS = 50_000;
const SEEDS = [1, 2, 3];

function run(
  name: keyof typeof BALANCES,
  endpoints: readonly ModelEndpoint[],
  load: number,
  seed: number,
): ModelResult {
  return runModel({ balance: BALANCES[name], endpoints, load, requests: REQUESTS, seed });
}

function p99(result: ModelResult): number {
  return quantile(result.latenciesMs, 0.99);
}

/** Asserts for each seed; `ratioAt` runs both sides on the same arrivals and service times. */
function assertAtMost(limit: number, ratioAt: (seed: number) => number): void {
  for (const seed of SEEDS) {
    const ratio = ratioAt(seed);
    assert.ok(ratio <= limit, `${ratio.toFixed(3)} with seed ${seed}, at most ${limit}`);
  }
}

describe('ten equal endpoints at 90 % load', () => {
  const endpoints = modelEndpoints(10);
  const known = new Map<string, number>();
  const p99Of = (name: keyof typeof BALANCES, seed: number): number => {
    const key = `${name} ${seed}`;
    const result = known.get(key) ?? p99(run(name, endpoints, 0.9, seed));
    known.set(key, result);
    return result;
  };

  test('p99 of least-request is at most 0.85 of round robin', () => {
    assertAtMost(0.85, (seed) => p99Of('leastRequest', seed) / p99Of('roundRobin', seed));
  });

  test('p99 of least-request is at most 0.6 of random', () => {
    assertAtMost(0.6, (seed) => p99Of('leastRequest', seed) / p99Of('random', seed));
  });

  test('p99 of least-request is within 5 % of one central queue, which no balancer can beat', () => {
    const central = modelEndpoints(1, { places: 40 });
    assertAtMost(1.05, (seed) => p99Of('leastRequest', seed) / p99(run('first', central, 0.9, seed)));
  });

  test('p99 of peak-ewma and of two random choices is within 10 % of least-request', () => {
    assertAtMost(1.1, (seed) => p99Of('peakEwma', seed) / p99Of('leastRequest', seed));
    assertAtMost(1.1, (seed) => p99Of('randomTwo', seed) / p99Of('leastRequest', seed));
  });
});

describe('one endpoint slower than the others, at 70 % load', () => {
  test('ten times slower: it gets less than a fifth of its even share under least-request', () => {
    const endpoints = modelEndpoints(10, { slowness: 10 });
    assertAtMost(1 / 5, (seed) => run('leastRequest', endpoints, 0.7, seed).shares[0]! / (1 / 10));
  });

  test('five times slower: it gets at most 4 % under least-request, and p99 stays within twice the healthy one', () => {
    const endpoints = modelEndpoints(10, { slowness: 5 });
    assertAtMost(0.04, (seed) => run('leastRequest', endpoints, 0.7, seed).shares[0]!);
    assertAtMost(2, (seed) => {
      return p99(run('leastRequest', endpoints, 0.7, seed)) / p99(run('leastRequest', modelEndpoints(10), 0.7, seed));
    });
  });

  test('five times slower: p99 of peak-ewma stays within 1.25 times the healthy one', () => {
    assertAtMost(1.25, (seed) => {
      const slow = run('peakEwma', modelEndpoints(10, { slowness: 5 }), 0.7, seed);
      return p99(slow) / p99(run('peakEwma', modelEndpoints(10), 0.7, seed));
    });
  });
});

describe('one endpoint that fails every request after 1 ms, at 70 % load, without ejection', () => {
  const endpoints = modelEndpoints(10, { failsAfterMs: 1 });

  test('peak-ewma with its penalty sends it next to nothing', () => {
    assertAtMost(0.0005, (seed) => run('peakEwma', endpoints, 0.7, seed).failedShare);
  });

  test('least-request alone sends it more than its even share: why ejection is on by default', () => {
    for (const seed of SEEDS) assert.ok(run('leastRequest', endpoints, 0.7, seed).failedShare > 0.2);
  });
});
