// The cost of routing doesn't grow with the number of routes. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Router } from '../../../../proxy/routing/router.ts';
import { requestHead } from '../../../support/request-head.ts';
import { routeSnapshot } from '../../../support/snapshots.ts';

const ROUNDS = 20_000;

function routerOf(count: number): Router {
  const routes = Array.from({ length: count }, (_, at) => {
    const paths = [{ kind: 'prefix', value: '/api' }] as const;
    const match = { hosts: [`h${at}.test`], paths, methods: [], headers: [], query: [], listeners: [] };
    return routeSnapshot({ name: `r${at}`, match });
  });
  return new Router(routes, []);
}

/** Least time of several runs: others only add to it. */
function leastMs(router: Router, last: number): number {
  const head = requestHead({ target: '/api/users/1', authority: `h${last}.test` });
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 7; run++) {
    const beganMs = performance.now();
    for (let round = 0; round < ROUNDS; round++) router.find(head, 'web', '192.0.2.1');
    least = Math.min(least, performance.now() - beganMs);
  }
  return least;
}

test('the last of 10,000 routes costs at most five times the last of ten', () => {
  const few = routerOf(10);
  const many = routerOf(10_000);
  leastMs(few, 9);
  assert.ok(leastMs(many, 9999) < 5 * leastMs(few, 9));
});
