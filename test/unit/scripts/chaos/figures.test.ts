// The figures of a run, from made-up observations. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blameOf, describeFaults } from '../../../../scripts/chaos/attribution.ts';
import { figuresOf, isClientLate, percentilesOf } from '../../../../scripts/chaos/figures.ts';
import { parseLedger } from '../../../../scripts/chaos/ledger.ts';
import type { Outcome } from '../../../../scripts/chaos/outcome.ts';
import type { Fault } from '../../../../scripts/chaos/plan.ts';

interface Given {
  readonly id: string;
  readonly atMs?: number;
  readonly endMs?: number;
  readonly failure?: string;
}

function outcome({ id, atMs = 0, endMs = atMs + 2, failure }: Given): Outcome {
  const method = id.startsWith('p') ? 'POST' : 'GET';
  const arrival = { id, atMs, method, workMs: 1, bodyBytes: 0, isAlone: false } as const;
  return { arrival, sentMs: atMs + 0.5, endMs, failure: failure ?? null };
}

const FAULTS: readonly Fault[] = [
  { kind: 'kill', endpoint: 0, startMs: 1000, endMs: 2000 },
  { kind: 'late', endpoint: 1, startMs: 1500, endMs: 3000 },
];

describe('percentiles', () => {
  test('use the nearest rank', () => {
    const values = Array.from({ length: 1000 }, (_, index) => 1000 - index);
    assert.deepEqual(percentilesOf(values), { p50: 500, p99: 990, p999: 999, max: 1000 });
    assert.deepEqual(percentilesOf([7]), { p50: 7, p99: 7, p999: 7, max: 7 });
  });

  test('of no values are zero', () => {
    assert.deepEqual(percentilesOf([]), { p50: 0, p99: 0, p999: 0, max: 0 });
  });
});

test('failures, doubled POSTs, shares and latencies are counted', () => {
  const outcomes = [
    outcome({ id: 'g1', atMs: 10, endMs: 13 }),
    outcome({ id: 'g2', atMs: 1200, endMs: 1600 }),
    outcome({ id: 'g3', atMs: 1700, failure: '502' }),
    outcome({ id: 'p4', atMs: 1800, failure: 'reset' }),
    outcome({ id: 'p5', atMs: 1900 }),
  ];
  const ledger = [
    ...parseLedger('GET g1 well\nPOST p5 well\nPOST p4 well\n', 0),
    ...parseLedger('POST p5 well\nGET g2 late\n', 1),
  ];
  const figures = figuresOf({ outcomes, ledger, faults: FAULTS, endpoints: 2 });
  assert.equal(figures.requests, 5);
  assert.equal(figures.failedGets, 1);
  assert.equal(figures.failedPosts, 1);
  assert.equal(figures.failedPostsUnderWay, 0);
  assert.equal(figures.doubledPosts, 1);
  assert.equal(figures.availability, 0.6);
  assert.equal(figures.ofAll.max, 399.5);
  assert.equal(figures.ofSuccesses.p50, 2.5);
  assert.equal(figures.attemptsPerRequest, 1);
  assert.deepEqual(figures.shares, [0.6, 0.4]);
  assert.equal(figures.lastFailureMs, 1800);
  assert.deepEqual(figures.failures, { 502: 1, reset: 1 });
  assert.deepEqual(figures.failedBy, { 'GET kill': 1, 'POST kill': 1 });
  assert.deepEqual(figures.slowBy, { 'GET late': 1 });
  assert.equal(figures.lag.p99, 0.5);
});

describe('a failure is attributed to', () => {
  const blame = (given: Given, ledger = ''): string => blameOf(outcome(given), parseLedger(ledger, 0), FAULTS);

  test('the action of the endpoint that received it', () => {
    assert.equal(blame({ id: 'g1', atMs: 1600 }, 'GET g1 unavailable\n'), 'unavailable');
  });

  test('the fault of the endpoint that received it', () => {
    assert.equal(blame({ id: 'g1', atMs: 990, endMs: 1001 }, 'GET g1 well\n'), 'kill');
  });

  test('a fault without a trace, if no endpoint received it', () => {
    assert.equal(blame({ id: 'g1', atMs: 1600 }), 'kill');
  });

  test('the fault that has just ended', () => {
    assert.equal(blame({ id: 'g1', atMs: 3500 }), 'late');
  });

  test('no fault, if none is near', () => {
    assert.equal(blame({ id: 'g1', atMs: 10 }), 'none');
  });
});

test('a POST in flight at a kill is counted separately', () => {
  const outcomes = [
    outcome({ id: 'p1', atMs: 998, endMs: 1003, failure: '502' }),
    outcome({ id: 'p2', atMs: 1004, failure: '502' }),
    outcome({ id: 'p3', atMs: 1499, endMs: 1501, failure: '502' }),
    outcome({ id: 'g4', atMs: 998, endMs: 1003, failure: '502' }),
  ];
  const figures = figuresOf({ outcomes, ledger: [], faults: FAULTS, endpoints: 2 });
  assert.equal(figures.failedPosts, 3);
  assert.equal(figures.failedPostsUnderWay, 1);
});

test('the faults at a moment are described in words', () => {
  assert.equal(describeFaults(FAULTS, 1600), 'kill of 1, late of 2');
  assert.equal(describeFaults(FAULTS, 500), 'no fault');
});

describe('the client counts as late', () => {
  const even = (timeMs: number) => ({ p50: timeMs, p99: timeMs, p999: timeMs, max: timeMs });
  const isLate = (lag: object, timesMs = 10): boolean =>
    isClientLate({ lag: { ...even(1), ...lag }, ofAll: even(timesMs) });

  test('if one request in a hundred was sent 4 ms late, or one in a thousand 25 ms', () => {
    assert.ok(!isLate({ p99: 4, p999: 25, max: 500 }));
    assert.ok(isLate({ p99: 4.1 }));
    assert.ok(isLate({ p999: 25.1 }));
  });

  test('but not for less than a twentieth of the latencies', () => {
    assert.ok(!isLate({ p99: 9.9, p999: 30 }, 1000));
    assert.ok(isLate({ p99: 50.1 }, 1000));
  });
});
