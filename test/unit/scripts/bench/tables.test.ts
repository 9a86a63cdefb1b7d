// The tables as text. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AIMS, judge } from '../../../../scripts/bench/aims.ts';
import { CASES } from '../../../../scripts/bench/cases.ts';
import { summarise } from '../../../../scripts/bench/summary.ts';
import { aimsTable, caseTable, overview, table } from '../../../../scripts/bench/tables.ts';
import { resultsOf, sampleOf } from './sample-results.ts';

const [SMALL] = CASES;
const PROXIES = [
  { name: 'fairlead', title: 'Fairlead' },
  { name: 'haproxy', title: 'HAProxy' },
  { name: 'caddy', title: 'Caddy' },
  { name: 'nginx', title: 'nginx' },
];

function someResults() {
  const results = resultsOf({ small: { haproxy: 12 } });
  const rounds = [sampleOf(14.04), sampleOf(16, { note: '3 connections went elsewhere' }), sampleOf(15)];
  results.set('small', 'fairlead', summarise(rounds.map((sample) => ({ sample }))));
  results.set('small', 'caddy', { kind: 'failed', why: '1 of 3 rounds: it fell over' });
  results.set('small', 'nginx', { kind: 'absent', why: 'not installed (apt)' });
  return results;
}

test('columns are as wide as their widest cell, with figures aligned right', () => {
  assert.equal(
    table([
      ['a', 'figure'],
      ['longer', '7'],
    ]),
    ['| a      | figure |', '|--------|-------:|', '| longer |      7 |'].join('\n'),
  );
});

test('the overview has CPU and ratio, and marks failed and absent cells', () => {
  const lines = overview(someResults(), [SMALL!], PROXIES).split('\n');
  assert.equal(lines[0], '| case  |    Fairlead |     HAProxy |  Caddy | nginx |');
  assert.equal(lines[2], '| small | 15.0 (0.80) | 12.0 (1.00) | FAILED |     - |');
});

test('without HAProxy there is no ratio', () => {
  const lines = overview(resultsOf({ small: { fairlead: 1234.4 } }), [SMALL!], PROXIES.slice(0, 1)).split('\n');
  assert.equal(lines[2], '| small | 1234 (-) |');
});

test('the table of a case has a row for each measured proxy, and a remark for the others', () => {
  const lines = caseTable(someResults(), SMALL!, PROXIES).split('\n');
  assert.deepEqual(
    lines.slice(2).map((line) => line.replaceAll(/ +/g, ' ')),
    [
      '| Fairlead | 15.0 | 14.0-16.0 | 0.80 | 40000 | 1.50 | 4.00 | 100 |',
      '| HAProxy | 12.0 | 12.0-12.0 | 1.00 | 40000 | 1.50 | 4.00 | 100 |',
      '| Caddy | FAILED | | | | | | |',
      '',
      '- Fairlead: 3 connections went elsewhere',
      '- Caddy: FAILED in 1 of 3 rounds: it fell over',
      '- nginx: not installed (apt)',
    ],
  );
});

test('aims are shown with limit, goal, figure and verdict', () => {
  const results = resultsOf({ small: { haproxy: 12, fairlead: 16 }, log: { fairlead: 17 } });
  const lines = aimsTable(AIMS.map((aim) => judge(aim, results))).split('\n');
  const row = (start: string) => lines.find((line) => line.startsWith(`| ${start}`))!.replaceAll(/ +/g, ' ');
  assert.equal(
    row('small: times as fast as haproxy'),
    '| small: times as fast as haproxy | at least 0.85 | 1.00 | 0.75 | missed |',
  );
  assert.equal(row('log'), '| log: times the CPU of small | at most 1.25 | 1.10 | 1.06 | goal reached |');
  assert.equal(row('tls'), '| tls: times as fast as haproxy | at least 0.80 | 0.95 | - | not measured |');
});
