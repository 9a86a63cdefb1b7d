// Reading wrk's report, and the arguments for a case. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES } from '../../../../scripts/bench/cases.ts';
import { parseWrk, wrkArguments } from '../../../../scripts/bench/wrk.ts';

// As wrk writes it: behind a unit of one letter stands a space.
const REPORT = `Running 1s test @ http://127.0.0.1:18555/small
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     8.96ms   22.12ms 157.58ms   91.70%
    Req/Sec     4.70k     3.36k    9.92k    55.56%
  Latency Distribution
     50%  653.00us
     75%    4.76ms
     90%   27.43ms
     99%    1.13s 
  4339 requests in 1.05s, 1.03MB read
Requests/sec:   4145.33
Transfer/sec:      0.99MB
`;

/** The report with a line before the rates, as wrk adds it where something went wrong. */
function reportWith(line: string): string {
  return REPORT.replace('Requests/sec', `  ${line}\nRequests/sec`);
}

test('requests, rate and latency are read, whatever the unit of time', () => {
  assert.deepEqual(parseWrk(REPORT), {
    requests: 4339,
    requestsPerSecond: 4145.33,
    p50Ms: 0.653,
    p99Ms: 1130,
    problems: [],
  });
});

test('responses of a wrong status are a problem', () => {
  assert.deepEqual(parseWrk(reportWith('Non-2xx or 3xx responses: 12')).problems, ['12 responses not 2xx or 3xx']);
});

test('socket errors are a problem, and only the kinds that happened are named', () => {
  const read = parseWrk(reportWith('Socket errors: connect 0, read 10, write 0, timeout 2'));
  assert.deepEqual(read.problems, ['socket errors: read 10, timeout 2']);
  const connect = parseWrk(reportWith('Socket errors: connect 64, read 0, write 0, timeout 0'));
  assert.deepEqual(connect.problems, ['socket errors: connect 64']);
});

test('a run without any response is a problem', () => {
  assert.deepEqual(parseWrk(REPORT.replace('4339 requests', '0 requests')).problems, ['no request was answered']);
});

test('other text than a report of wrk is refused', () => {
  assert.throws(() => parseWrk('unable to connect to 127.0.0.1:1 Connection refused'), /not a report of wrk/);
  assert.throws(() => parseWrk(REPORT.replace('653.00us', 'nan')), /not a time of wrk: nan/);
});

test('a case becomes a URL, fields and, for a POST, a script', () => {
  const argumentsOf = (name: string): readonly string[] =>
    wrkArguments(
      CASES.find((one) => one.name === name)!,
      { folder: '/tmp', port: 8080, seconds: 4, connections: 64, cores: '1' },
      '/tmp/post.lua',
    );
  assert.equal(argumentsOf('64k').at(-1), 'http://127.0.0.1:8080/64k');
  assert.equal(argumentsOf('tls').at(-1), 'https://127.0.0.1:8080/small');
  assert.deepEqual(argumentsOf('connect').slice(-3, -1), ['--header', 'Connection: close']);
  assert.equal(argumentsOf('browser').filter((one) => one === '--header').length, 10);
  assert.deepEqual(argumentsOf('post').slice(-3, -1), ['--script', '/tmp/post.lua']);
  assert.equal(argumentsOf('small').includes('--script'), false);
});
