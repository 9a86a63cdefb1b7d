// Options of the chaos run. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HELP, readOptions } from '../../../../scripts/chaos/options.ts';
import { SCENARIOS } from '../../../../scripts/chaos/scenarios/registry.ts';

test('without options five seeds of the main scenario run against all proxies', () => {
  assert.deepEqual(readOptions([]), {
    scenario: 'faults',
    seeds: [1, 2, 3, 4, 5],
    seconds: null,
    rate: null,
    proxies: ['fairlead', 'haproxy', 'nginx', 'caddy'],
    balance: 'least-request',
    workers: 2,
    profiles: ['defaults', 'recommended'],
    isPinned: false,
    isChecked: false,
    resultsFile: null,
    mostRuns: Number.POSITIVE_INFINITY,
    isReportOnly: false,
    markdownFile: null,
    isVerbose: false,
  });
});

test('each option is read', () => {
  const args =
    '--scenario retry-storm --seeds 7,8 --seconds 5 --rate 100 --proxies nginx,fairlead --balance round-robin';
  const flags =
    '--workers 1 --profile recommended --pin --check --results out.json --most 2 --report --markdown chaos.md --verbose';
  assert.deepEqual(readOptions(`${args} ${flags}`.split(' ')), {
    scenario: 'retry-storm',
    seeds: [7, 8],
    seconds: 5,
    rate: 100,
    proxies: ['nginx', 'fairlead'],
    balance: 'round-robin',
    workers: 1,
    profiles: ['recommended'],
    isPinned: true,
    isChecked: true,
    resultsFile: 'out.json',
    mostRuns: 2,
    isReportOnly: true,
    markdownFile: 'chaos.md',
    isVerbose: true,
  });
});

test('one word selects all proxies', () => {
  assert.deepEqual(readOptions(['--proxies', 'all'])!.proxies, readOptions([])!.proxies);
});

test('the defaults run with their own balancers, and only in scenarios with goals for them', () => {
  assert.deepEqual(readOptions(['--profile', 'defaults'])!.profiles, ['defaults']);
  assert.deepEqual(readOptions(['--profile', 'defaults', '--scenario', 'bursts'])!.profiles, ['defaults']);
  const withBalance = ['--profile', 'defaults', '--balance', 'round-robin'];
  assert.throws(() => readOptions(withBalance), /the profile defaults has a balancer of its own/);
  const other = ['--profile', 'defaults', '--scenario', 'full-load'];
  assert.throws(() => readOptions(other), /--profile: full-load runs with recommended settings only/);
  assert.throws(() => readOptions(['--profile', 'fast']), /--profile: fast is none of defaults, recommended, both/);
});

test('the help names every scenario', () => {
  assert.equal(readOptions(['--help']), null);
  for (const { name } of SCENARIOS) assert.ok(HELP.includes(name), name);
});

test('invalid values are refused with the possible ones', () => {
  assert.throws(
    () => readOptions(['--scenario', 'chaos']),
    /--scenario: chaos is none of faults, bursts, rolling-restart/,
  );
  assert.throws(() => readOptions(['--proxies', 'fairlead,apache']), /--proxies: apache is none of fairlead, haproxy/);
  assert.throws(() => readOptions(['--balance', 'best']), /--balance: best is none of/);
  assert.throws(() => readOptions(['--seeds', '1,x']), /--seeds: x is not a whole number above zero/);
  assert.throws(() => readOptions(['--rate', '0']), /--rate: 0 is not/);
  assert.throws(() => readOptions(['--fast']), /--fast/);
});
