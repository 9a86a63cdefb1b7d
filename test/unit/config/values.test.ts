// Values of a configuration: durations, sizes, addresses, statuses, names. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseBindAddress } from '../../../config/values/bind-address.ts';
import { formatBindAddress } from '../../../net/host-port.ts';
import { formatDuration, parseDuration } from '../../../config/values/duration.ts';
import { endpointId, parseEndpointAddress } from '../../../config/values/endpoint-address.ts';
import { isHostName } from '../../../net/host-name.ts';
import { editDistance, nearestName } from '../../../config/problems/nearest-name.ts';
import { quoted, type Parsed } from '../../../config/values/parsed.ts';
import { parsePercent } from '../../../config/values/quantity.ts';
import { formatPath } from '../../../config/problems/problem.ts';
import { parseHedgeDelay } from '../../../config/schema/schema-retry.ts';
import { formatSize, parseSize } from '../../../config/values/quantity.ts';
import { parseStatusRanges } from '../../../health/checkers/http-check.ts';

function valueOf<Value>(parsed: Parsed<Value>): Value {
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

function suggestionOf(parsed: Parsed<unknown>): string | undefined {
  assert.equal(parsed.ok, false);
  return parsed.ok ? undefined : parsed.suggestion;
}

test('durations are parsed to milliseconds', () => {
  const expected = {
    '500ms': 500,
    '2s': 2000,
    '1.5s': 1500,
    '5m': 300_000,
    '1h': 3_600_000,
    '2d': 172_800_000,
    '0s': 0,
  };
  for (const [text, ms] of Object.entries(expected)) assert.equal(valueOf(parseDuration(text)), ms, text);
});

test('malformed durations get a suggestion', () => {
  const expected = {
    '5': '5s',
    '5sec': '5s',
    '5 s': '5s',
    '5S': '5s',
    '2minutes': '2m',
    '1.5 H': '1.5h',
    soon: undefined,
    '10': '10s',
    '5000': '5000ms',
    '1m30s': '90s',
    '1h30m': '90m',
    '1h 30min': '90m',
    '.5s': '500ms',
    '2w': '14d',
    '3hrs': '3h',
    '1m30': undefined,
    '1x2y': undefined,
  };
  for (const [text, suggestion] of Object.entries(expected)) {
    assert.equal(suggestionOf(parseDuration(text)), suggestion, text);
  }
});

test('durations beyond the timer limit are refused', () => {
  assert.equal(valueOf(parseDuration('2147483647ms')), 2_147_483_647);
  assert.equal(parseDuration('2147483648ms').ok, false);
  assert.equal(parseDuration('9999999999999999999d').ok, false);
});

test('sizes are parsed to bytes', () => {
  const expected = {
    '512B': 512,
    '64KiB': 65_536,
    '1.5KiB': 1536,
    '10MiB': 10_485_760,
    '1GiB': 1_073_741_824,
    '0B': 0,
  };
  for (const [text, bytes] of Object.entries(expected)) assert.equal(valueOf(parseSize(text)), bytes, text);
});

test('malformed sizes get a suggestion', () => {
  const expected = {
    '64k': '64KiB',
    '64KB': '64KiB',
    '64kib': '64KiB',
    '1 MiB': '1MiB',
    '3b': '3B',
    '8192': '8KiB',
    '5x': undefined,
  };
  for (const [text, suggestion] of Object.entries(expected))
    assert.equal(suggestionOf(parseSize(text)), suggestion, text);
});

test('milliseconds and bytes are formatted with the largest fitting unit', () => {
  assert.deepEqual([0, 1500, 2000, 90_000, 3_600_000, 86_400_000].map(formatDuration), [
    '0ms',
    '1500ms',
    '2s',
    '90s',
    '1h',
    '1d',
  ]);
  assert.deepEqual([0, 1000, 1024, 65_536, 1_048_576].map(formatSize), ['0B', '1000B', '1KiB', '64KiB', '1MiB']);
});

test('bind addresses of every form are parsed and formatted back', () => {
  const expected = {
    '0.0.0.0:8080': { kind: 'tcp', host: '0.0.0.0', port: 8080 },
    '[::]:443': { kind: 'tcp', host: '::', port: 443 },
    ':8080': { kind: 'tcp', host: '', port: 8080 },
    'localhost:0': { kind: 'tcp', host: 'localhost', port: 0 },
    'unix:/run/x.sock': { kind: 'unix', path: '/run/x.sock' },
    'fd:3': { kind: 'fd', fd: 3 },
    'fd:web-1.socket': { kind: 'fd', fd: 'web-1.socket' },
  };
  for (const [text, bind] of Object.entries(expected)) {
    assert.deepEqual(valueOf(parseBindAddress(text)), bind, text);
    assert.equal(formatBindAddress(valueOf(parseBindAddress(text))), text);
  }
  assert.deepEqual(valueOf(parseBindAddress('*:80')), { kind: 'tcp', host: '', port: 80 });
});

describe('endpoint addresses', () => {
  test('have a default port, lower case and no brackets', () => {
    const tcp = (protocol: string, host: string, port: number) => ({ protocol, host, port, socketPath: '' });
    assert.deepEqual(valueOf(parseEndpointAddress('http://App_1.Internal')), tcp('http', 'app_1.internal', 80));
    assert.deepEqual(valueOf(parseEndpointAddress('HTTPS://app/')), tcp('https', 'app', 443));
    assert.deepEqual(valueOf(parseEndpointAddress('http://[FD00::1]:3000')), tcp('http', 'fd00::1', 3000));
  });

  test('can be Unix sockets', () => {
    const address = valueOf(parseEndpointAddress('unix:/run/app.sock'));
    assert.deepEqual(address, { protocol: 'http', host: 'localhost', port: 0, socketPath: '/run/app.sock' });
    assert.equal(endpointId(address), '/run/app.sock');
  });

  test('are identified by host and port alone', () => {
    const ids = ['http://a', 'https://a:80', 'http://[::1]:1'].map((text) =>
      endpointId(valueOf(parseEndpointAddress(text))),
    );
    assert.deepEqual(ids, ['a:80', 'a:80', '[::1]:1']);
  });

  test('with credentials are refused without showing them', () => {
    const parsed = parseEndpointAddress('http://user:secret@a:80');
    assert.ok(!parsed.ok && !parsed.message.includes('secret'));
  });

  test('get a suggestion if only the scheme is missing', () => {
    assert.equal(suggestionOf(parseEndpointAddress('10.0.0.1:3000')), 'http://10.0.0.1:3000');
    assert.equal(suggestionOf(parseEndpointAddress('ftp://10.0.0.1:3000')), 'http://10.0.0.1:3000');
    assert.equal(suggestionOf(parseEndpointAddress('http://a:1/path')), 'http://a:1');
    assert.equal(suggestionOf(parseEndpointAddress('a')), undefined);
  });
});

test('host names consist of labels; digits alone are not a name', () => {
  for (const good of ['a', 'a-b.c', 'app_1', 'xn--bcher-kva.example', '1a', '10.example'])
    assert.ok(isHostName(good), good);
  for (const bad of ['', '-a', 'a-', 'a..b', 'a b', '1.2.3', '127', 'a.'.repeat(130), 'x'.repeat(64)])
    assert.ok(!isHostName(bad), bad);
});

test('statuses are parsed to ranges', () => {
  assert.deepEqual(valueOf(parseStatusRanges('200-399')), [200, 399]);
  assert.deepEqual(valueOf(parseStatusRanges('200, 204-206,404')), [200, 200, 204, 206, 404, 404]);
  for (const bad of ['', '2xx', '99', '600', '300-200', '200-', '200;204'])
    assert.equal(parseStatusRanges(bad).ok, false, bad);
});

describe('the nearest name', () => {
  test('is found with one error in short names and two in longer ones', () => {
    const names = ['weight', 'url', 'backup', 'consecutiveFailures'];
    const expected = {
      wieght: 'weight',
      urll: 'url',
      bakup: 'backup',
      BACKUP: 'backup',
      consecutivFailure: 'consecutiveFailures',
    };
    for (const [given, meant] of Object.entries(expected)) assert.equal(nearestName(given, names), meant, given);
    for (const given of ['x', 'color', 'urlish', '']) assert.equal(nearestName(given, names), undefined, given);
  });

  test('can be the only candidate with that prefix', () => {
    assert.equal(nearestName('conn', ['connect-failure', 'reset']), 'connect-failure');
    assert.equal(nearestName('conn', ['connect-failure', 'connections']), undefined);
  });

  test('counts a transposition as one edit', () => {
    assert.equal(editDistance('wieght', 'weight'), 1);
    assert.equal(editDistance('', 'abc'), 3);
    assert.equal(editDistance('kitten', 'sitting'), 3);
  });
});

test('paths are formatted in the notation of messages', () => {
  assert.equal(formatPath(['upstreams', 'api', 'endpoints', 1, 'weight']), 'upstreams.api.endpoints[1].weight');
  assert.equal(formatPath(['upstreams', 'a.b', 'x y']), 'upstreams["a.b"]["x y"]');
  assert.equal(formatPath([]), '');
});

test('quoted texts are truncated and their control characters escaped', () => {
  assert.equal(quoted('a\u001b[31m\n'), '"a\\u001b[31m\\n"');
  assert.equal(quoted('x'.repeat(100)).length, 65);
});

test('percentages are parsed, and malformed ones get a suggestion', () => {
  const expected = { '0%': 0, '30%': 30, '12.5%': 12.5, '100%': 100 };
  for (const [text, percent] of Object.entries(expected)) assert.equal(valueOf(parsePercent(text)), percent, text);
  const meant = { '30': '30%', '30 %': '30%', '0.05': '5%', '0.07': '7%', '0.5%x': undefined, half: undefined };
  for (const [text, suggestion] of Object.entries(meant))
    assert.equal(suggestionOf(parsePercent(text)), suggestion, text);
});

test('hedge delays are durations or percentiles', () => {
  const expected = {
    '1ms': { afterMs: 1, percentile: 0 },
    '1.5s': { afterMs: 1500, percentile: 0 },
    p50: { afterMs: 0, percentile: 0.5 },
    'p97.5': { afterMs: 0, percentile: 0.975 },
    'p99.9': { afterMs: 0, percentile: 0.999 },
  };
  for (const [text, delay] of Object.entries(expected)) assert.deepEqual(valueOf(parseHedgeDelay(text)), delay, text);
  const meant = { '95%': 'p95', P99: 'p99', '99.9th': 'p99.9', '95': undefined, p100: undefined, p5: undefined };
  for (const [text, suggestion] of Object.entries(meant))
    assert.equal(suggestionOf(parseHedgeDelay(text)), suggestion, text);
  for (const text of ['0s', 'p49.9', 'p00', 'p99.95', '']) assert.equal(parseHedgeDelay(text).ok, false, text);
});
