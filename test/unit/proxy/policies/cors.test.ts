// Policy cors: preflight requests, fields of responses and local replies, and origins that are not allowed. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cors } from '../../../../proxy/policies/cors.ts';
import { type PolicyBench, testPolicy } from '../../../../testing/policy-bench.ts';

const bench = (options: object): PolicyBench => testPolicy(cors as never, { cors: options });
const preflight = (origin: string, ...more: string[]) => ({
  method: 'OPTIONS',
  fields: ['Origin', origin, 'Access-Control-Request-Method', 'PUT', ...more],
});

describe('a preflight', () => {
  test('is answered with the allowed methods, fields and age', async () => {
    const options = { origins: 'https://app.test', methods: ['GET', 'put'], headers: ['X-Key'], maxAge: '1m' };
    const { reply, sent } = await bench(options).request(preflight('https://app.test'));
    assert.equal(sent, null);
    assert.equal(reply?.status, 204);
    assert.deepEqual(reply.fields, [
      'Vary',
      'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
      'Access-Control-Allow-Origin',
      'https://app.test',
      'Access-Control-Allow-Methods',
      'GET, PUT',
      'Access-Control-Allow-Headers',
      'X-Key',
      'Access-Control-Max-Age',
      '60',
    ]);
  });

  test('may request any field where none is named', async () => {
    const { reply } = await bench({}).request(
      preflight('https://a.test', 'Access-Control-Request-Headers', 'x-a, x-b'),
    );
    assert.equal(reply?.field('access-control-allow-headers'), 'x-a, x-b');
    assert.equal(reply.field('access-control-allow-origin'), '*');
  });

  test('of an origin that is not allowed gets no permission', async () => {
    for (const origin of ['https://evil.test', 'null', 'https://app.test.evil.test', 'http://app.test']) {
      const { reply } = await bench({ origins: 'https://app.test' }).request(preflight(origin));
      assert.deepEqual([reply?.status, reply?.field('access-control-allow-origin')], [204, undefined], origin);
    }
  });

  test('is an OPTIONS request with an origin and a method; others pass', async () => {
    const one = bench({});
    for (const request of [
      { method: 'OPTIONS' },
      { method: 'OPTIONS', fields: ['Origin', 'https://a.test'] },
      { method: 'GET', fields: ['Origin', 'https://a.test', 'Access-Control-Request-Method', 'PUT'] },
    ]) {
      assert.equal((await one.request(request)).reply, null);
    }
  });
});

describe('a response', () => {
  const options = { origins: ['https://app.test', 'https://*.apps.test'], credentials: true, exposed: ['X-Total'] };

  test("names the allowed origin in place of the endpoint's fields", async () => {
    const exchange = await bench(options).request({ fields: ['Origin', 'https://a.apps.test'] });
    const { fields } = exchange.respond({ fields: ['Access-Control-Allow-Origin', '*', 'X-A', '1'] });
    assert.deepEqual(fields, [
      'X-A',
      '1',
      'Vary',
      'Origin',
      'Access-Control-Allow-Origin',
      'https://a.apps.test',
      'Access-Control-Allow-Credentials',
      'true',
      'Access-Control-Expose-Headers',
      'X-Total',
    ]);
  });

  test('to no origin, or one that is not allowed, has Vary alone', async () => {
    for (const fields of [[], ['Origin', 'https://evil.test'], ['Origin', 'https://.apps.test']]) {
      const exchange = await bench(options).request({ fields });
      assert.deepEqual(exchange.respond().fields, ['Vary', 'Origin']);
    }
  });

  test('for any origin needs no Vary', async () => {
    const exchange = await bench({}).request({ fields: ['Origin', 'https://a.test'] });
    assert.deepEqual(exchange.respond().fields, ['Access-Control-Allow-Origin', '*']);
  });

  test('that Fairlead makes itself can be read by scripts too', async () => {
    const exchange = await bench(options).request({ fields: ['Origin', 'https://app.test'] });
    const reply = exchange.localReply({ status: 503, cause: 'no-endpoint', fields: ['Content-Type', 'text/plain'] });
    assert.equal(reply.field('access-control-allow-origin'), 'https://app.test');
    assert.equal(reply.field('content-type'), 'text/plain');
  });
});

describe('options', () => {
  test('refuse credentials for any origin', () => {
    assert.throws(() => bench({ credentials: true }), /browsers refuse credentials for any origin/);
  });

  test('refuse what is no origin', () => {
    for (const origins of ['app.test', 'https://app.test/path', 'https://a.*.test', '']) {
      assert.throws(() => bench({ origins }), /is not an origin/, origins);
    }
  });
});
