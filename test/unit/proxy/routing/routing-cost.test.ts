// The cost of routing doesn't grow with the number of routes. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RouteMatch } from '../../../../core/snapshot/route.ts';
import { Router } from '../../../../proxy/routing/router.ts';
import { requestHead } from '../../../support/request-head.ts';
import { routeSnapshot } from '../../../support/snapshots.ts';

const ROUNDS = 2000;
const RUNS = 40;
/** Measured: at most 1.1 (npm run bench:micro -- --only routing). A scan would be at several thousand. */
const MOST_TIMES = 2;
const EMPTY: RouteMatch = { hosts: [], paths: [], methods: [], headers: [], query: [], listeners: [] };

interface Shape {
  readonly match: (n: number) => Partial<RouteMatch>;
  readonly authority: (n: number) => string;
  readonly target: (n: number) => string;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  hosts: {
    match: (n) => ({ hosts: [`h${n}.test`], paths: [{ kind: 'prefix', value: '/api' }] }),
    authority: (n) => `h${n}.test`,
    target: () => '/api/users/1',
  },
  wildcards: {
    match: (n) => ({ hosts: [`*.h${n}.test`] }),
    authority: (n) => `www.h${n}.test`,
    target: () => '/api/users/1',
  },
  'paths of one host': {
    match: (n) => ({ hosts: ['a.test'], paths: [{ kind: 'prefix', value: `/api/p${n}` }] }),
    authority: () => 'a.test',
    target: (n) => `/api/p${n}/users/1`,
  },
};

/** Finds the last of `count` routes many times. Returns the time in ms. */
function finding({ match, authority, target }: Shape, count: number): () => number {
  const routes = Array.from({ length: count }, (_, n) => routeSnapshot({ match: { ...EMPTY, ...match(n) } }));
  const router = new Router(routes, []);
  const head = requestHead({ authority: authority(count - 1), target: target(count - 1) });
  assert.equal(router.find(head, 'web', '192.0.2.1'), routes.at(-1));
  return () => {
    const beganMs = performance.now();
    for (let round = 0; round < ROUNDS; round++) router.find(head, 'web', '192.0.2.1');
    return performance.now() - beganMs;
  };
}

describe(`the last of 10,000 routes costs less than ${MOST_TIMES} times one route`, () => {
  for (const [name, shape] of Object.entries(SHAPES)) {
    test(name, () => {
      const cases = [finding(shape, 1), finding(shape, 10_000)];
      const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      // In turn, so that other load meets both; the least of each, because load only adds to it.
      for (let run = 0; run < RUNS; run++) {
        for (const [at, find] of cases.entries()) least[at] = Math.min(least[at]!, find());
      }
      assert.ok(least[1]! < MOST_TIMES * least[0]!, `${least[0]} ms, then ${least[1]} ms`);
    });
  }
});
