// Reading h2load's report and log, and the arguments for a case. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES } from '../../../../scripts/bench/cases.ts';
import { h2loadArguments, parseH2load } from '../../../../scripts/bench/h2load.ts';

const REPORT = `starting benchmark...
progress: 100% of clients started

finished in 2.00s, 2000.00 req/s, 1.21MB/s
requests: 4010 total, 4128 started, 4000 done, 4000 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 4005 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 2.43MB (2550000) total, 61.25KB (62720) headers (space savings 92.31%), 2.07MB (2170000) data
                     min         max         mean         sd        +/- sd
time for request:     2.20ms    120.13ms     63.59ms     14.61ms    92.00%
`;
const LOG = '1700000000000001\t200\t4000\n1700000000000002\t200\t1000\n1700000000000003\t200\t2000\n';
const FILES = { body: '/tmp/body', log: '/tmp/log' };
const OPTIONS = { folder: '/tmp', port: 18_555, seconds: 2, connections: 64, cores: '1' };

test('requests, rate and latency are read', () => {
  assert.deepEqual(parseH2load(REPORT, LOG, 2), {
    requests: 4000,
    requestsPerSecond: 2000,
    p50Ms: 2,
    p99Ms: 4,
    problems: [],
  });
});

test('failed requests and responses of a wrong status are problems', () => {
  const failed = REPORT.replace('0 failed, 0 errored', '3 failed, 2 errored').replace('0 5xx', '7 5xx');
  assert.deepEqual(parseH2load(failed, LOG, 2).problems, [
    '3 requests failed, 2 with an error, 0 by a timeout',
    'responses not 2xx: 0 3xx, 0 4xx, 7 5xx',
  ]);
});

test('a run without any response is a problem, and another text is refused', () => {
  const none = REPORT.replace('4000 done, 4000 succeeded', '0 done, 0 succeeded');
  assert.deepEqual(parseH2load(none, '', 2).problems, ['no request was answered']);
  assert.throws(() => parseH2load('h2load: command not found', '', 2), /not a report of h2load/);
});

test('a case decides connections, streams, scheme, fields and body', () => {
  const argumentsOf = (name: string): string =>
    h2loadArguments(CASES.find((one) => one.name === name)!, OPTIONS, FILES).join(' ');
  assert.match(argumentsOf('h2'), /--clients 8 --max-concurrent-streams 16 .* https:\/\/127\.0\.0\.1:18555\/small$/);
  assert.match(argumentsOf('h2-single'), /--clients 64 --max-concurrent-streams 1 /);
  assert.match(argumentsOf('h2-clear'), / http:\/\/127\.0\.0\.1:18555\/small$/);
  assert.match(argumentsOf('h2-post'), /--data \/tmp\/body https:.*\/post$/);
  assert.ok(
    CASES.every(({ http2, fields }) => http2 === null || fields.every((field) => !/^connection:/i.test(field))),
  );
});
