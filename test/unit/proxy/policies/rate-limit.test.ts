// Policies rate-limit and client-concurrency: keys, bursts, delays, fields of responses, reports, and what explain says.
// Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientConcurrency } from '../../../../proxy/policies/client-concurrency.ts';
import { rateLimit } from '../../../../proxy/policies/rate-limit.ts';
import { type PlayedRequest, type PolicyBench, testPolicy } from '../../../../testing/policy-bench.ts';

function bench(options: unknown): PolicyBench & { nowMs: number } {
  return Object.assign(testPolicy(rateLimit as never, { rateLimit: options }), { nowMs: 1_000_000 });
}

/** Status of each request: 200 where it goes to an endpoint. */
async function statuses(options: unknown, requests: readonly PlayedRequest[]): Promise<number[]> {
  const limited = bench(options);
  const results: number[] = [];
  for (const request of requests) results.push((await limited.request(request)).reply?.status ?? 200);
  return results;
}

const from = (clientAddress: string, ...fields: string[]): PlayedRequest => ({ clientAddress, fields });

describe('a rate limit', () => {
  const a = '192.0.2.1';
  const b = '192.0.2.2';
  const cases: readonly [
    name: string,
    options: unknown,
    requests: readonly PlayedRequest[],
    expected: readonly number[],
  ][] = [
    ['allows a burst of the number in its rate', '2/s', [from(a), from(a), from(a), from(b)], [200, 200, 429, 200]],
    [
      'counts IPv6 clients by /64',
      '1/s',
      [from('2001:db8::1'), from('2001:db8::2'), from('2001:db8:0:1::1')],
      [200, 429, 200],
    ],
    [
      'counts by a field',
      { rate: '1/m', key: 'header:X-Key' },
      [from(a, 'x-key', 'k'), from(b, 'x-key', 'k'), from(a, 'x-key', 'l')],
      [200, 429, 200],
    ],
    [
      'counts by a cookie',
      { rate: '1/m', key: 'cookie:id' },
      [from(a, 'cookie', 'x=1; id=k'), from(b, 'cookie', 'id=k; x=2'), from(b, 'cookie', 'xid=k')],
      [200, 429, 200],
    ],
    [
      'counts by the address without the field',
      { rate: '1/m', key: 'header:x-key' },
      [from(a), from(a), from(b, 'x-key', a), from(a, 'x-key', '')],
      [200, 429, 200, 429],
    ],
    ['counts all of the route', { rate: '2/m', key: 'route' }, [from(a), from(b), from(a)], [200, 200, 429]],
    [
      'holds all limits of a list',
      ['2/s', { rate: '3/h', key: 'route' }],
      [from(a), from(a), from(a), from(b), from(b)],
      [200, 200, 429, 200, 429],
    ],
    ['takes another burst', { rate: '1/h', burst: 3 }, [from(a), from(a), from(a), from(a)], [200, 200, 200, 429]],
  ];
  for (const [name, options, requests, expected] of cases) {
    test(name, async () => assert.deepEqual(await statuses(options, requests), expected));
  }

  test('names the limit and the time to wait', async () => {
    const limited = bench({ rate: '6/m', burst: 1, name: 'site' });
    assert.equal((await limited.request()).respond().field('ratelimit'), undefined);
    const { reply } = await limited.request();
    const fields = ['retry-after', 'ratelimit-policy', 'ratelimit'].map((name) => reply?.field(name));
    assert.deepEqual(fields, ['10', '"site";q=1;w=10', '"site";r=0;t=10']);
    limited.nowMs += 9_990;
    assert.equal((await limited.request()).reply?.field('retry-after'), '1');
    limited.nowMs += 20;
    assert.equal((await limited.request()).reply, null);
  });

  test('adds what is left to every response, or to none', async () => {
    const always = bench({ rate: '2/s', fields: 'always' });
    const left = [await always.request(), await always.request()].map((one) => one.respond().field('ratelimit'));
    assert.deepEqual(left, ['"test";r=1;t=1', '"test";r=0;t=1']);
    const never = bench({ rate: '1/s', fields: 'never' });
    await never.request();
    const { reply } = await never.request();
    assert.deepEqual([reply?.field('ratelimit'), reply?.field('retry-after')], [undefined, '1']);
  });

  test('of a list that refuses counts for none of the others, and names the longest wait', async () => {
    const limits = [
      { rate: '1/s', name: 'second', fields: 'always' },
      { rate: '2/m', name: 'minute', fields: 'always' },
    ];
    const limited = bench(limits);
    const first = (await limited.request()).respond();
    assert.equal(first.field('ratelimit'), '"second";r=0;t=1, "minute";r=1;t=30');
    assert.equal(first.field('ratelimit-policy'), '"second";q=1;w=1, "minute";q=2;w=60');
    for (let sent = 0; sent < 5; sent += 1) {
      assert.equal(
        (await limited.request()).reply?.field('ratelimit'),
        '"second";r=0;t=1',
        'refused by the first alone',
      );
    }
    limited.nowMs += 1001;
    assert.equal((await limited.request()).reply, null, 'the second still has one');
    limited.nowMs += 1001;
    const { reply } = await limited.request();
    assert.deepEqual([reply?.status, reply?.field('retry-after')], [429, '28']);
  });

  test('only reports, and counts what it would have refused', async () => {
    const limited = bench({ rate: '1/s', report: true });
    for (const _ of [1, 2, 3]) assert.equal((await limited.request()).reply, null);
    assert.deepEqual([limited.counts.allowed, limited.counts.refused, limited.counts.reported], [3, 0, 2]);
  });

  test('holds requests back for its delay, and refuses beyond it', async () => {
    const limited = bench({ rate: '20/s', burst: 1, delay: '60ms' });
    const startMs = performance.now();
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => limited.request()));
    assert.deepEqual([first!.reply, second!.reply, third!.reply?.status], [null, null, 429]);
    assert.ok(performance.now() - startMs >= 49);
  });

  test('refuses what is no rate or no key', () => {
    for (const [options, message] of [
      ['10', /"10" is not a rate: write 1\/s/],
      ['0/s', /is not a rate/],
      ['1000001/s', /is not a rate/],
      [{ rate: '10/s', key: 'ip' }, /"ip" is not a key: write client-ip, route/],
      [{ rate: '1/d', burst: 40 }, /takes more than 30 days/],
      [{ rate: '1/s', delay: '2m' }, /a delay is at most 1m/],
      [{ burst: 3 }, /rate/],
      [['1/s', { rate: '1/d', burst: 40 }], /takes more than 30 days/],
      [Array.from({ length: 9 }, () => '1/s'), /at most 8 rate limits/],
      [[], /rateLimit/],
    ] as const) {
      assert.throws(() => bench(options), message, JSON.stringify(options));
    }
  });

  test('is described for explain', () => {
    const facts = { request: { field: () => 'k' }, clientAddress: '192.0.2.1', connection: {} } as never;
    const rate = { requests: 10, windowMs: 1000, text: '10/s' };
    const limit = { name: 'r', rate, burst: 20, delayMs: 0, reportsOnly: false, fields: 'never' } as const;
    const words = (more: object) => rateLimit.explain!({ rateLimits: [{ ...limit, ...more } as never] }, facts);
    assert.equal(words({ key: { kind: 'client-ip' } }), 'allows client-ip "192.0.2.1" 10/s, 20 at once');
    assert.equal(
      words({ key: { kind: 'header', name: 'x' }, reportsOnly: true }),
      'reports header "k" beyond 10/s, 20 at once',
    );
    assert.equal(words({ key: { kind: 'route' } }), 'allows all requests of the route 10/s, 20 at once');
  });
});

describe('requests of one client at a time', () => {
  test('are limited until they end, and refused ones are not counted', async () => {
    const limited = testPolicy(clientConcurrency as never, { requestsPerClient: 2 });
    const open = [await limited.request(), await limited.request()];
    const refused = await limited.request();
    assert.equal(refused.reply?.status, 429);
    refused.end();
    assert.equal((await limited.request()).reply?.status, 429);
    assert.equal((await limited.request({ clientAddress: '192.0.2.99' })).reply, null);
    open[0]!.end();
    assert.equal((await limited.request()).reply, null);
    assert.equal((await limited.request()).reply?.status, 429);
  });
});
