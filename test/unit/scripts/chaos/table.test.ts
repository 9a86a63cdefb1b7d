// The tables of a chaos run. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figures } from '../../../../scripts/chaos/figures.ts';
import { figuresTable } from '../../../../scripts/chaos/table.ts';

const FIGURES: Figures = {
  requests: 10_000,
  failedGets: 0,
  failedPosts: 2,
  failedPostsUnderWay: 1,
  doubledPosts: 1,
  availability: 0.9998,
  ofSuccesses: { p50: 2, p99: 5, p999: 40, max: 100 },
  ofAll: { p50: 2.04, p99: 99.96, p999: 150.4, max: 4000 },
  attemptsPerRequest: 1.0214,
  failedBy: { 'POST reset': 1, 'POST kill': 2 },
  slowBy: {},
  failures: { 502: 2 },
  shares: [1],
  lastFailureMs: 10,
  lag: { p50: 0.5, p99: 1.26, p999: 2, max: 3 },
};

test('one line for each run, with its figures under their headings', () => {
  const lines = figuresTable([
    { seed: 1, name: 'fairlead', figures: FIGURES },
    { seed: 12, name: 'nginx slow', figures: { ...FIGURES, failedPosts: 0, failedBy: {}, slowBy: { 'GET stop': 7 } } },
  ]).split('\n');
  assert.equal(lines.length, 4);
  const cells = (line: string): string[] => line.split('|').map((cell) => cell.trim());
  const [first, second] = lines.slice(2).map((line) => cells(line).slice(1, -1).join(' '));
  const counts = 'fairlead 1 99.980 % 0 2 1 1';
  assert.equal(first, `${counts} 2.0 100.0 150 4000 1.021 1.3 POST kill 2, POST reset 1 -`);
  assert.match(second!, /^nginx slow 12 .* - GET stop 7$/);
  assert.ok(lines.every((line) => line.length === lines[0]!.length));
});

test('a run whose client was late is marked', () => {
  const figures = { ...FIGURES, lag: { p50: 1, p99: 30, p999: 40, max: 50 } };
  assert.match(figuresTable([{ seed: 1, name: 'fairlead', figures }]), /30\.0 LATE/);
});
