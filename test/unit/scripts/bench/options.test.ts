// The options of npm run bench. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES } from '../../../../scripts/bench/cases.ts';
import { readBenchOptions } from '../../../../scripts/bench/options.ts';

test('without options everything is measured: three rounds of four seconds', () => {
  const options = readBenchOptions([]);
  assert.deepEqual(
    options.cases.map((one) => one.name),
    CASES.map((one) => one.name),
  );
  assert.deepEqual(
    options.proxies.map((one) => one.name),
    ['fairlead', 'fairlead-general', 'haproxy', 'nginx', 'caddy', 'http-proxy-3'],
  );
  assert.deepEqual([options.rounds, options.seconds, options.markdownFile, options.isCheck], [3, 4, null, false]);
});

test('cases and proxies keep the order of the tables', () => {
  const options = readBenchOptions(['--cases', 'tls,small', '--proxies', 'haproxy,fairlead']);
  assert.deepEqual(
    options.cases.map((one) => one.name),
    ['small', 'tls'],
  );
  assert.deepEqual(
    options.proxies.map((one) => one.name),
    ['fairlead', 'haproxy'],
  );
});

test('the second worker shares the core of the load where no third core is given', () => {
  assert.deepEqual(readBenchOptions([]).cores, { proxy: '0', load: '1', second: '1' });
  assert.deepEqual(readBenchOptions(['--cores', '2,3,4']).cores, { proxy: '2', load: '3', second: '4' });
});

test('wrong values are refused by name', () => {
  assert.throws(() => readBenchOptions(['--seconds', '0']), /--seconds takes a whole number from 1, not "0"/);
  assert.throws(() => readBenchOptions(['--rounds', '1.5']), /--rounds takes/);
  assert.throws(() => readBenchOptions(['--cases', 'smal']), /--cases: unknown "smal"; use small,browser/);
  assert.throws(() => readBenchOptions(['--proxies', 'envoy']), /--proxies: unknown "envoy"/);
  for (const cores of ['0', '1,1', '0,1,2,3', 'a,b'])
    assert.throws(() => readBenchOptions(['--cores', cores]), /--cores takes/);
  assert.throws(() => readBenchOptions(['--fast']), /--fast/);
});
