// Policy header-edits: fields set, added, set where absent and removed by name or prefix; local replies. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { headerEdits } from '../../../../proxy/policies/header-edits.ts';
import { compileContext } from '../../../support/compile-context.ts';
import { testPolicy } from '../../../../testing/policy-bench.ts';

const bench = (options: object) => testPolicy(headerEdits as never, options);

describe('request fields', () => {
  const fields = ['Accept', '*/*', 'X-Debug-A', '1', 'x-debug-b', '2', 'X-Keep', '3', 'Via', '1.0 other'];

  test('are set, added, set where absent, and removed by prefix', async () => {
    const requestHeaders = {
      set: { 'x-team': 'blue' },
      add: { Via: '1.1 fairlead' },
      setIfAbsent: { accept: 'text/html', 'Accept-Language': 'en' },
      remove: ['x-debug-*'],
    };
    const { sent } = await bench({ requestHeaders }).request({ fields });
    assert.equal(sent?.field('x-debug-a') ?? sent?.field('x-debug-b'), undefined);
    assert.deepEqual(
      ['x-team', 'via', 'accept', 'accept-language', 'x-keep'].map((name) => sent?.field(name)),
      ['blue', '1.0 other, 1.1 fairlead', '*/*', 'en', '3'],
    );
  });

  test('that belong to Fairlead survive a prefix', async () => {
    const given = ['X-Forwarded-Custom', '1', 'X-Forwarded-For', '1.2.3.4'];
    const { sent, reply } = await bench({ requestHeaders: { remove: ['x-forwarded-*'] } }).request({ fields: given });
    assert.deepEqual([reply, sent?.field('x-forwarded-custom')], [null, undefined]);
  });
});

describe('response fields', () => {
  const responseHeaders = {
    add: { Vary: 'Accept' },
    setIfAbsent: { 'cache-control': 'no-store' },
    remove: ['x-int-*'],
  };

  test('are added, set where absent, and removed by prefix', async () => {
    const exchange = await bench({ responseHeaders }).request();
    const sent = exchange.respond({ fields: ['Vary', 'Origin', 'Cache-Control', 'public', 'X-Int-A', '1'] });
    assert.deepEqual(sent.fields, ['Vary', 'Origin', 'Cache-Control', 'public', 'Vary', 'Accept']);
  });

  test('of local replies are edited where the route wants it, and never else', async () => {
    const reply = { status: 503, cause: 'no-endpoint', fields: ['Content-Type', 'text/plain', 'X-By', 'other'] };
    const set = { 'x-by': 'fairlead' };
    const always = await bench({ responseHeaders: { ...responseHeaders, set, always: true } }).request();
    assert.deepEqual(always.localReply(reply).fields, [
      'Content-Type',
      'text/plain',
      'x-by',
      'fairlead',
      'cache-control',
      'no-store',
      'Vary',
      'Accept',
    ]);
    const never = await bench({ responseHeaders: { ...responseHeaders, set } }).request();
    assert.deepEqual(never.localReply(reply).fields, reply.fields);
  });
});

test('edits by name alone have no hooks: they are merged into the plan', () => {
  const create = (options: object): string[] => {
    return Object.keys(headerEdits.create(headerEdits.compile(options as never, compileContext())!, {} as never));
  };
  const merged = ['requestFields', 'responseFields'];
  assert.deepEqual(create({ requestHeaders: { set: { a: 'b' }, remove: ['c'] } }), merged);
  assert.deepEqual(create({ responseHeaders: { set: { a: 'b' }, always: false } }), merged);
  assert.deepEqual(create({ responseHeaders: { always: true } }), [...merged, 'onLocalReply']);
});

test('framing, fields of Fairlead and a bare * are refused', () => {
  for (const options of [
    { requestHeaders: { add: { 'Content-Length': '5' } } },
    { requestHeaders: { setIfAbsent: { 'x-forwarded-for': '1' } } },
    { responseHeaders: { add: { Connection: 'close' } } },
    { responseHeaders: { remove: ['*'] } },
  ]) {
    assert.throws(() => bench(options), { name: 'PolicyOptionsError' }, JSON.stringify(options));
  }
});

describe('values in braces', () => {
  test('are set, added and set where absent; empty ones are not sent, and never leave the field of the client', async () => {
    const requestHeaders = {
      set: { 'X-Client': '{clientAddress}', 'X-Tls': '{tls.version}', 'X-Team': 'blue' },
      add: { Via: '1.1 {listener}', 'X-None': '{cookie.none}' },
      setIfAbsent: { 'X-Host': '{hostname}', 'X-Empty': '{header.none}' },
    };
    const fields = ['X-Client', '6.6.6.6', 'X-Tls', 'TLSv1.3', 'Via', '1.0 other'];
    const { sent } = await bench({ requestHeaders }).request({ fields });
    assert.deepEqual(
      ['x-client', 'x-tls', 'x-team', 'via', 'x-none', 'x-host', 'x-empty'].map((name) => sent?.field(name)),
      ['192.0.2.1', undefined, 'blue', '1.0 other, 1.1 web', undefined, 'example.com', undefined],
    );
  });

  test('with the endpoint are set for each attempt', async () => {
    const exchange = await bench({ requestHeaders: { set: { 'X-Endpoint': '{endpoint}' } } }).request();
    assert.equal(exchange.sent?.field('x-endpoint'), '10.0.0.1:3000');
    exchange.place({ id: '10.0.0.2:3000' });
    assert.equal(exchange.sent?.field('x-endpoint'), '10.0.0.2:3000');
  });

  test('are set on responses and local replies', async () => {
    const set = { 'X-By': '{upstream}/{endpoint}', 'X-None': '{header.none}' };
    const exchange = await bench({ responseHeaders: { set, always: true } }).request();
    assert.deepEqual(exchange.respond({ fields: ['X-None', '1'] }).fields, ['X-By', 'app/10.0.0.1:3000']);
    assert.deepEqual(exchange.localReply({ status: 503, cause: 'shed', fields: ['x-by', 'a'] }).fields, [
      'X-By',
      'app/10.0.0.1:3000',
    ]);
  });

  test('of hostile clients add no line', async () => {
    const { sent } = await bench({ requestHeaders: { set: { 'X-Copy': '{header.x}' } } }).request({
      fields: ['X', 'a\r\nX-Admin: 1\0'],
    });
    assert.equal(sent?.field('x-copy'), 'aX-Admin: 1');
  });
});
