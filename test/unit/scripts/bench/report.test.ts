// The report and its place in a document. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CASES } from '../../../../scripts/bench/cases.ts';
import { placeReport, renderReport } from '../../../../scripts/bench/report.ts';
import { resultsOf } from './sample-results.ts';

const DOCUMENT = readFileSync(new URL('../../../../docs/benchmarks.md', import.meta.url), 'utf8');

test('a report has the facts, the overview, the aims that apply and a section for each case', () => {
  const report = renderReport({
    results: resultsOf({ small: { haproxy: 12, fairlead: 12 }, tls: { haproxy: 15, fairlead: 15 } }),
    cases: CASES.filter((one) => ['small', 'tls'].includes(one.name)),
    proxies: [
      { name: 'fairlead', title: 'Fairlead' },
      { name: 'haproxy', title: 'HAProxy' },
    ],
    facts: [['date', '2026-11-21']],
  });
  const headings = report.split('\n').filter((line) => line.startsWith('### '));
  assert.match(report, /^- date: 2026-11-21\n/);
  assert.deepEqual(headings, [
    '### CPU microseconds a request (ratio to HAProxy, larger is faster)',
    '### Aims',
    '### small: small response, few request headers',
    '### tls: small, TLS with keep-alive',
  ]);
});

test('without HAProxy and the other peers there are no aims to list', () => {
  const cases = CASES.slice(0, 1);
  const proxies = [{ name: 'fairlead', title: 'Fairlead' }];
  const report = renderReport({ results: resultsOf({ small: { fairlead: 12 } }), cases, proxies, facts: [] });
  assert.doesNotMatch(report, /### Aims/);
});

test('a report is written into docs/benchmarks.md, and again, without changing other text', () => {
  const once = placeReport(DOCUMENT, 'the report before\n');
  const twice = placeReport(once, 'second\n');
  const [before, after] = [twice.slice(0, twice.indexOf('\nsecond\n')), twice.slice(twice.indexOf('second\n'))];
  assert.ok(DOCUMENT.startsWith(before.trimEnd()));
  assert.match(after, /^second\n\n<!-- results: to here -->\n/);
  assert.doesNotMatch(twice, /the report before/);
});

test('a document without the markers, or with reversed ones, is refused', () => {
  assert.throws(() => placeReport('# Notes\n', 'x'), /needs a line/);
  assert.throws(() => placeReport(DOCUMENT.split('\n').toReversed().join('\n'), 'x'), /needs a line/);
});
