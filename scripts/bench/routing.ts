// Nanoseconds to find the route of a request, by number of routes: hosts differ, wildcards differ, paths under one host
// differ. Requests rotate over all routes, or name the last one. Thread: main.
// Usage: node scripts/bench/routing.ts

import { bench, do_not_optimize, group, run } from 'mitata';
import type { RequestHead } from '../../core/head.ts';
import type { RouteMatch } from '../../core/snapshot/route.ts';
import { Router } from '../../proxy/routing/router.ts';
import { requestHead } from '../../test/support/request-head.ts';
import { routeSnapshot } from '../../test/support/snapshots.ts';

const SIZES = [1, 100, 1000, 10_000] as const;
const EMPTY: RouteMatch = { hosts: [], paths: [], methods: [], headers: [], query: [], listeners: [] };
/** Requests that rotate: few enough for the caches of the processor, as those of a busy site are. */
const MOST_HEADS = 64;

interface Shape {
  readonly match: (n: number) => Partial<RouteMatch>;
  readonly head: (n: number) => RequestHead;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  hosts: {
    match: (n) => ({ hosts: [`h${n}.example.com`] }),
    head: (n) => requestHead({ authority: `h${n}.example.com`, target: '/api/users/1?page=2' }),
  },
  wildcards: {
    match: (n) => ({ hosts: [`*.h${n}.example.com`] }),
    head: (n) => requestHead({ authority: `www.h${n}.example.com`, target: '/api/users/1?page=2' }),
  },
  'paths of one host': {
    match: (n) => ({ hosts: ['a.test'], paths: [{ kind: 'prefix', value: `/api/p${n}` }] }),
    head: (n) => requestHead({ target: `/api/p${n}/users/1?page=2` }),
  },
};

for (const [name, shape] of Object.entries(SHAPES)) {
  group(name, () => {
    for (const size of SIZES) benchFind(shape, size);
  });
}
await run({ colors: false });

function benchFind({ match, head }: Shape, size: number): void {
  const routes = Array.from({ length: size }, (_, n) =>
    routeSnapshot({ name: `r${n}`, match: { ...EMPTY, ...match(n) } }),
  );
  const router = new Router(routes, []);
  const heads = Array.from({ length: MOST_HEADS }, (_, n) => head(Math.floor((n * size) / MOST_HEADS)));
  let turn = 0;
  bench(`${size} routes`, () => {
    turn = (turn + 1) % MOST_HEADS;
    do_not_optimize(router.find(heads[turn]!, 'web', '192.0.2.1'));
  });
}
