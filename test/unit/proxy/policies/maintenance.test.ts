// Policies of maintenance: testers that pass, by address, field or cookie, and what explain shows. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { maintenance, type MaintenanceData } from '../../../../proxy/policies/maintenance.ts';
import { testPolicy } from '../../../../testing/policy-bench.ts';
import { requestHead } from '../../../support/request-head.ts';

const ACTIVE = { of: 'route', name: 'shop', retryAfterS: 60 } as const;
const BYPASS = {
  clients: ['10.0.0.0/8', '2001:db8::/32'],
  header: 'x-tester',
  cookie: 'tester',
  secret: 'long text',
} as const;
const SHUT: MaintenanceData = { maintenance: ACTIVE, bypass: BYPASS };

/** Status of a request: 503, or 200 where it passes. */
function statusOf(data: MaintenanceData, clientAddress: string, fields: readonly string[]): number {
  const policy = maintenance.create(data, {} as never);
  const answer = policy.onRequest?.({ clientAddress, request: requestHead({ fields }) } as never);
  return answer === undefined ? 200 : 503;
}

describe('a route in maintenance', () => {
  for (const [name, client, fields, status] of [
    ['a stranger', '192.0.2.1', [], 503],
    ['an address of testers', '10.1.2.3', [], 200],
    ['an IPv6 address of testers', '2001:db8::7', [], 200],
    ['a client without an address', '', [], 503],
    ['the field', '192.0.2.1', ['X-Tester', 'long text'], 200],
    ['the field with another value', '192.0.2.1', ['X-Tester', 'long texu'], 503],
    ['the field twice', '192.0.2.1', ['X-Tester', 'long text', 'X-Tester', 'x'], 503],
    ['the cookie', '192.0.2.1', ['Cookie', 'a=b; tester=long text'], 200],
    ['the cookie with a longer value', '192.0.2.1', ['Cookie', 'tester=long text!'], 503],
    ['the cookie under another name', '192.0.2.1', ['Cookie', 'xtester=long text'], 503],
  ] as const) {
    test(`answers ${status} to ${name}`, () => assert.equal(statusOf(SHUT, client, fields), status));
  }

  test('answers 503 to everybody where no testers are named', () => {
    assert.equal(statusOf({ ...SHUT, bypass: null }, '10.1.2.3', []), 503);
  });

  test('is explained', () => {
    const seen = (data: MaintenanceData, clientAddress: string) =>
      maintenance.explain!(data, { clientAddress, request: requestHead(), connection: {} } as never);
    assert.equal(seen(SHUT, '192.0.2.1'), 'answers 503: route shop is in maintenance');
    assert.equal(seen(SHUT, '10.0.0.1'), 'lets a tester pass: route shop is in maintenance');
    assert.equal(seen({ ...SHUT, maintenance: null }, '10.0.0.1'), 'does nothing: not in maintenance');
  });
});

test('testers of a route that is not in maintenance cost no hook', async () => {
  const bench = testPolicy(maintenance as never, { maintenanceBypass: { client: '10.0.0.0/8' } });
  assert.equal((await bench.request()).reply, null);
  assert.deepEqual(maintenance.create({ maintenance: null, bypass: BYPASS }, {} as never), {});
});

test('testers must be named', () => {
  const compile = (bypass: object) => () => testPolicy(maintenance as never, { maintenanceBypass: bypass });
  assert.throws(compile({}), /maintenanceBypass needs client, header or cookie/);
  assert.throws(compile({ client: 'everybody' }), /everybody/);
  assert.throws(compile({ header: 'x y', secret: 'a' }), /x y/);
  assert.throws(compile({ cookie: 'tester' }), /needs the secret/);
  assert.throws(compile({ client: '10.0.0.1', secret: 'a long random text' }), /needs header or cookie/);
});
