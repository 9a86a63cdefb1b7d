// The tables of a chaos run. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figures } from '../../../../scripts/chaos/figures.ts';
import { faultsTable, figuresTable } from '../../../../scripts/chaos/table.ts';

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
  failedBy: { 'POST kill': 2 },
  slowBy: {},
  failures: { 502: 2 },
  shares: [1],
  lastFailureMs: 10,
  sendLagP99Ms: 1.25,
};

test('one line for each proxy, right-aligned under its headings', () => {
  const lines = figuresTable([
    { name: 'fairlead', figures: FIGURES },
    { name: 'nginx', figures: { ...FIGURES, availability: 1, failedPosts: 0 } },
  ]).split('\n');
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /succeeded +GETs +POSTs +at kill +doubled +p50 +p99 +p99\.9 +max/);
  assert.match(lines[1]!, /^ {2}fairlead +99\.980 % +0 +2 +1 +1 +2\.0 +100\.0 +150 +4000 +40\.0 +1\.021 +1\.\d$/);
  assert.ok(lines.every((line) => line.length === lines[0]!.length));
});

test('failures by fault have a column for each that occurred, and zeros', () => {
  const rows = [
    { name: 'fairlead', figures: FIGURES },
    { name: 'nginx', figures: { ...FIGURES, failedBy: { 'GET stop': 12 } } },
  ];
  const [headings, first, second] = faultsTable(rows, ({ failedBy }) => failedBy).split('\n');
  assert.match(headings!, /GET stop {2}POST kill/);
  assert.match(first!, /fairlead +0 +2$/);
  assert.match(second!, /nginx +12 +0$/);
});

test('where nothing failed the table says so', () => {
  assert.equal(
    faultsTable([{ name: 'fairlead', figures: FIGURES }], ({ slowBy }) => slowBy),
    '  none',
  );
});
