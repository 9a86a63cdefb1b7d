// Requests that the admin API accepts, and addresses that it may be bound to. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refuseRemoteBind } from '../../../../admin/api/admin-bind.ts';
import { isLoopback } from '../../../../net/host-port.ts';
import { type CallerRules, guardCaller, guardChange } from '../../../../admin/api/request-guard.ts';

const TCP: CallerRules = { isUnixSocket: false, isRemote: false, hosts: [], scheme: 'http' };
const UNIX: CallerRules = { ...TCP, isUnixSocket: true };

describe('the Host field', () => {
  for (const host of [
    'localhost',
    'localhost:9900',
    'LOCALHOST:1',
    '127.0.0.1',
    '127.3.2.1:80',
    '[::1]',
    '[::1]:9900',
  ]) {
    test(`${host} names this machine`, () => guardCaller({ host }, TCP));
  }

  const foreign = [
    undefined,
    '',
    'evil.example',
    'evil.example:9900',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.0.0.1@evil.example',
    'localhost:9900:80',
    'localhost:9900/',
    '[::1].evil.example',
    '::1',
    '0.0.0.0',
    '10.0.0.1',
    '[::2]',
    '127.1',
  ];
  for (const host of foreign) {
    test(`${host} does not`, () => {
      const headers = host === undefined ? {} : { host };
      assert.throws(() => guardCaller(headers, TCP), { status: 403, code: 'host-not-allowed' });
    });
  }

  test('may be a configured name, and an address where other machines come', () => {
    const rules: CallerRules = { ...TCP, isRemote: true, hosts: ['lb.internal'] };
    for (const host of ['lb.internal', 'LB.internal:9900', '10.0.0.1:9900', '[2001:db8::1]:9900', 'localhost']) {
      guardCaller({ host }, rules);
    }
    guardCaller({ host: 'lb.internal' }, { ...rules, isRemote: false });
    for (const host of [
      'evil.example',
      'x.lb.internal',
      'lb.internal.evil.example',
      '10.0.0.1.evil.example',
      '127.1',
    ]) {
      assert.throws(() => guardCaller({ host }, rules), { status: 403, code: 'host-not-allowed' });
    }
  });

  test('is anything on a Unix socket', () => guardCaller({ host: 'anything' }, UNIX));
});

describe('the Origin field', () => {
  test('may be the one of our own pages', () => {
    guardCaller({ host: 'localhost:9900', origin: 'http://localhost:9900' }, TCP);
  });

  test('has the scheme of the API', () => {
    const secure: CallerRules = { ...TCP, scheme: 'https' };
    guardCaller({ host: 'localhost:9900', origin: 'https://localhost:9900' }, secure);
    const plain = { host: 'localhost:9900', origin: 'http://localhost:9900' };
    assert.throws(() => guardCaller(plain, secure), { code: 'origin-not-allowed' });
  });

  for (const origin of ['null', 'http://evil.example', 'http://localhost:3000', 'https://localhost:9900', '']) {
    test(`may not be ${JSON.stringify(origin)}`, () => {
      assert.throws(() => guardCaller({ host: 'localhost:9900', origin }, TCP), { code: 'origin-not-allowed' });
    });
  }

  test('counts on a Unix socket too', () => {
    assert.throws(() => guardCaller({ host: 'x', origin: 'http://evil.example' }, UNIX), {
      code: 'origin-not-allowed',
    });
  });
});

describe('a change', () => {
  const json = { 'content-type': 'application/json; charset=utf-8' };

  test('is JSON, from no page or from one of ours', () => {
    guardChange('POST', json);
    guardChange('POST', { ...json, 'sec-fetch-site': 'same-origin' });
    guardChange('POST', { 'content-type': 'Application/JSON', 'sec-fetch-site': 'none' });
  });

  for (const type of [
    undefined,
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    'text/json',
    'application/jsonp',
  ]) {
    test(`is not ${type}`, () => {
      assert.throws(() => guardChange('POST', type === undefined ? {} : { 'content-type': type }), { status: 415 });
    });
  }

  for (const site of ['cross-site', 'same-site', 'nonsense']) {
    test(`is not asked for by a page that is ${site}`, () => {
      assert.throws(() => guardChange('POST', { ...json, 'sec-fetch-site': site }), {
        status: 403,
        code: 'site-not-allowed',
      });
    });
  }
});

describe('the bind address', () => {
  for (const host of ['127.0.0.1', '127.8.9.10', '::1', 'localhost', '::ffff:127.0.0.1']) {
    test(`${host} is loopback`, () => assert.equal(isLoopback(host), true));
  }
  for (const host of [
    '',
    '0.0.0.0',
    '::',
    '10.0.0.1',
    'fe80::1',
    'example.com',
    '127.evil.example',
    '::ffff:10.0.0.1',
  ]) {
    test(`${JSON.stringify(host)} is not`, () => assert.equal(isLoopback(host), false));
  }

  test('that others can reach is not refused where they need a token or a certificate', () => {
    refuseRemoteBind({ kind: 'tcp', host: '0.0.0.0', port: 9900 }, true);
  });

  test('that others can reach is refused with what to do instead', () => {
    assert.throws(
      () => refuseRemoteBind({ kind: 'tcp', host: '0.0.0.0', port: 9900 }, false),
      /not bound to 0\.0\.0\.0:9900: other machines could change this one; set admin\.token or admin\.tls\.clientCa, or bind it to 127\.0\.0\.1, \[::1\] or unix:/,
    );
  });
});
