// Policy split: exact shares in turn, keys, cookies, and upstreams that testers name. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { split } from '../../../../proxy/policies/split.ts';
import { type PlayedRequest, testPolicy } from '../../../../testing/policy-bench.ts';
import { compileContext } from '../../../support/compile-context.ts';

const UPSTREAMS = ['stable', 'next', 'lab'];

function bench(options: object) {
  return testPolicy(split as never, { split: options }, { upstreams: UPSTREAMS });
}

const part = (upstream: string, weight: number) => ({ upstream, weight });
const WEIGHTED = [part('stable', 95), part('next', 5), part('lab', 0)];

async function countsOf(policy: ReturnType<typeof bench>, requests: readonly PlayedRequest[]) {
  const counts = new Map<string, number>();
  for (const request of requests) {
    const { upstream } = (await policy.request(request)).sent!;
    counts.set(upstream, (counts.get(upstream) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

const client = (address: string): PlayedRequest => ({ clientAddress: address });

describe('in turn', () => {
  test('the shares are exact after each round, and spread within it', async () => {
    const policy = bench(WEIGHTED);
    const requests = (count: number) => Array.from({ length: count }, () => ({}));
    for (let round = 0; round < 3; round++) {
      const halves = [await countsOf(policy, requests(50)), await countsOf(policy, requests(50))];
      assert.deepEqual(
        ['stable', 'next', 'lab'].map((name) => halves.reduce((sum, half) => sum + (half[name] ?? 0), 0)),
        [95, 5, 0],
      );
      for (const half of halves) assert.ok(half['next'] === 2 || half['next'] === 3, `${half['next']}`);
    }
  });

  test('one upstream gets everything', async () => {
    assert.deepEqual(await countsOf(bench([part('next', 1)]), [{}, {}]), { next: 2 });
  });
});

describe('by a key', () => {
  const clients = Array.from({ length: 2000 }, (_, at) => client(`10.0.${at >> 8}.${at & 255}`));
  const placesOf = async (weights: readonly [number, number]) => {
    const policy = bench({ upstreams: [part('stable', weights[0]), part('next', weights[1])], key: 'client-ip' });
    const places: string[] = [];
    for (const one of clients) places.push((await policy.request(one)).sent!.upstream);
    return places;
  };

  test('a client stays, shares follow the weights, and a larger share takes keys and gives none', async () => {
    const small = await placesOf([95, 5]);
    assert.deepEqual(await placesOf([95, 5]), small);
    const share = small.filter((one) => one === 'next').length / clients.length;
    assert.ok(share > 0.03 && share < 0.07, `${share}`);
    const large = await placesOf([80, 20]);
    assert.ok(small.every((one, at) => one !== 'next' || large[at] === 'next'));
  });

  test('requests without the key take turns', async () => {
    const policy = bench({ upstreams: [part('stable', 1), part('next', 1)], key: 'header:x-user' });
    assert.deepEqual(await countsOf(policy, [{}, {}, {}, {}]), { stable: 2, next: 2 });
  });
});

describe('by a cookie', () => {
  const options = { upstreams: [part('stable', 1), part('next', 1), part('lab', 0)], cookie: 'variant' };

  test('the first response names the upstream, and later requests stay with it', async () => {
    const policy = bench(options);
    const first = await policy.request({ connection: { isTls: true } });
    const cookie = first.respond().field('set-cookie')!;
    assert.equal(cookie, `variant=${first.sent!.upstream}; Path=/; HttpOnly; SameSite=Lax; Secure`);
    const fields = ['Cookie', `a=b; variant=${first.sent!.upstream}`];
    for (let i = 0; i < 3; i++) {
      const again = await policy.request({ fields });
      assert.equal(again.sent!.upstream, first.sent!.upstream);
      assert.equal(again.respond().field('set-cookie'), undefined);
    }
  });

  test('of an upstream without a share, or of none, counts for nothing', async () => {
    for (const value of ['lab', 'other', '']) {
      const exchange = await bench(options).request({ fields: ['Cookie', `variant=${value}`] });
      assert.notEqual(exchange.sent!.upstream, 'lab');
      assert.match(exchange.respond().field('set-cookie')!, /^variant=(?:stable|next);/);
    }
  });
});

test('testers name an upstream by a field or a cookie, whatever its weight', async () => {
  const byHeader = bench({ upstreams: WEIGHTED, override: 'header:X-Upstream' });
  assert.deepEqual(await countsOf(byHeader, [{ fields: ['x-upstream', 'lab'] }, { fields: ['x-upstream', 'none'] }]), {
    lab: 1,
    stable: 1,
  });
  const byCookie = bench({ upstreams: WEIGHTED, override: 'cookie:tester' });
  assert.deepEqual(await countsOf(byCookie, [{ fields: ['Cookie', 'tester=lab'] }]), { lab: 1 });
});

test('explains where a request goes', () => {
  const dataOf = (more: object) =>
    split.compile({ split: { upstreams: WEIGHTED, ...more } } as never, compileContext())!;
  const request = { target: '/', field: (name: string) => (name === 'x-upstream' ? 'lab' : undefined) };
  const exchange = { request, clientAddress: '10.0.0.1' } as never;
  assert.equal(split.explain!(dataOf({}), exchange), 'sends it in turn to stable 95 %, next 5 %, lab 0 %');
  const named = dataOf({ override: { kind: 'header', name: 'x-upstream' } });
  assert.equal(split.explain!(named, exchange), 'sends it to lab, which the request names');
  assert.match(
    split.explain!(dataOf({ key: { kind: 'client-ip' } }), exchange),
    /^sends it to (?:stable|next), by its key$/,
  );
});

test('twice the same upstream, no share at all, and a key beside a cookie are refused', () => {
  assert.throws(() => bench([part('next', 1), part('next', 2)]), /twice/);
  assert.throws(() => bench([part('next', 0)]), /every weight is 0/);
  assert.throws(() => bench({ upstreams: WEIGHTED, key: 'client-ip', cookie: 'a' }), /not both/);
  assert.throws(() => bench({ upstreams: WEIGHTED, override: 'x' }), /header:NAME or cookie:NAME/);
});
