// Text forms of hosts, addresses and ports. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  authorityHost,
  bareHost,
  boundAddress,
  formatBindAddress,
  formatHostPort,
  splitHostPort,
} from '../../../net/host-port.ts';

test('formatHostPort puts IPv6 addresses in brackets', () => {
  assert.equal(formatHostPort('10.0.0.1', 80), '10.0.0.1:80');
  assert.equal(formatHostPort('::1', 443), '[::1]:443');
  assert.equal(formatHostPort('', 8080), ':8080');
  assert.equal(bareHost('[::1]'), '::1');
  assert.equal(bareHost('a.test'), 'a.test');
});

describe('splitHostPort', () => {
  const cases: readonly [string, ReturnType<typeof splitHostPort>][] = [
    ['a.test:80', { host: 'a.test', isBracketed: false, port: '80' }],
    ['a.test', { host: 'a.test', isBracketed: false, port: null }],
    ['[::1]:80', { host: '::1', isBracketed: true, port: '80' }],
    ['[::1]', { host: '::1', isBracketed: true, port: null }],
    [':80', { host: '', isBracketed: false, port: '80' }],
    ['a.test:', { host: 'a.test', isBracketed: false, port: '' }],
    ['a.test:x', { host: 'a.test', isBracketed: false, port: 'x' }],
    ['::1', null],
    ['2001:db8::1', null],
    ['[::1', null],
    ['a:80:90', null],
    ['[::1]x', null],
  ];
  for (const [text, parts] of cases) test(text, () => assert.deepEqual(splitHostPort(text), parts));
});

test('authorityHost removes the port and keeps brackets', () => {
  assert.equal(authorityHost('a.test:80'), 'a.test');
  assert.equal(authorityHost('a.test'), 'a.test');
  assert.equal(authorityHost('[::1]:80'), '[::1]');
  assert.equal(authorityHost(':80'), '');
});

test('boundAddress has the port that the system chose, and the path of a Unix socket', () => {
  const bind = { kind: 'tcp', host: '::1', port: 0 } as const;
  const bound = { address: '::1', family: 'IPv6', port: 4000 };
  assert.deepEqual(boundAddress(bind, bound), { address: '[::1]:4000', port: 4000 });
  const unix = { kind: 'unix', path: '/run/x.sock' } as const;
  assert.deepEqual(boundAddress(unix, '/run/x.sock'), { address: 'unix:/run/x.sock', port: 0 });
  assert.equal(formatBindAddress({ kind: 'fd', fd: 'web' }), 'fd:web');
});
