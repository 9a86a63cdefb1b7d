// Verdicts of the aims on figures. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AIMS, aimsFor, isReached, judge } from '../../../../scripts/bench/aims.ts';
import { CASES } from '../../../../scripts/bench/cases.ts';
import { PROXIES } from '../../../../scripts/bench/proxies/registry.ts';
import { Results } from '../../../../scripts/bench/summary.ts';
import { resultsOf } from './sample-results.ts';

function aim(start: string) {
  return AIMS.find((one) => one.title.startsWith(start))!;
}

function verdictOf(title: string, results: Results): string {
  return judge(aim(title), results).verdict;
}

test('a speed is HAProxy’s CPU divided by ours: larger is faster', () => {
  assert.equal(
    verdictOf('small: times as fast as haproxy', resultsOf({ small: { haproxy: 12, fairlead: 11 } })),
    'goal reached',
  );
  assert.equal(
    verdictOf('small: times as fast as haproxy', resultsOf({ small: { haproxy: 12, fairlead: 14 } })),
    'reached',
  );
  assert.equal(
    verdictOf('small: times as fast as haproxy', resultsOf({ small: { haproxy: 12, fairlead: 15 } })),
    'missed',
  );
});

test('a cost is our CPU with something divided by ours without: smaller is better', () => {
  const withLog = (cpuUs: number) => resultsOf({ small: { fairlead: 10 }, log: { fairlead: cpuUs } });
  assert.equal(verdictOf('log', withLog(10.5)), 'goal reached');
  assert.equal(verdictOf('log', withLog(12.4)), 'reached');
  assert.equal(verdictOf('log', withLog(12.6)), 'missed');
});

test('an aim without a measurement counts as missed', () => {
  const judgement = judge(aim('tls'), new Results());
  assert.equal(judgement.verdict, 'not measured');
  assert.equal(isReached(judgement), false);
});

test('only the aims of the chosen cases and proxies are judged', () => {
  const titles = aimsFor(['small', 'log'], ['fairlead', 'caddy']).map((one) => one.title);
  assert.deepEqual(titles, ['small: times as fast as caddy', 'log: times the CPU of small']);
});

test('every aim names a case and a proxy of the tables', () => {
  const cases = CASES.map((one) => one.name);
  const proxies = PROXIES.map((one) => one.name);
  assert.deepEqual(aimsFor(cases, proxies), AIMS);
});
