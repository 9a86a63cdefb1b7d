// Readings of paths, and what the router decides by them. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PathNormalization } from '../../../../core/snapshot/listener.ts';
import type { RouteSnapshot } from '../../../../core/snapshot/route.ts';
import { pathReadings } from '../../../../core/path-readings.ts';
import { AMBIGUOUS_PATH, NormalizedRoute, routeOf, Router } from '../../../../proxy/routing/router.ts';
import { readAsAdmin, SERVERS, SPELLINGS } from '../../../support/guarded-path.ts';
import { requestHead } from '../../../support/request-head.ts';
import { listenerSnapshot, routeSnapshot } from '../../../support/snapshots.ts';

const ANY = { hosts: [], paths: [], methods: [], headers: [], query: [], listeners: [] };
const below = (name: string, prefix: string): RouteSnapshot =>
  routeSnapshot({ name, match: { ...ANY, paths: [{ kind: 'prefix', value: prefix }] } });
const rest = routeSnapshot({ name: 'rest' });

function routerOf(routes: RouteSnapshot[], normalization: Partial<PathNormalization> = {}): Router {
  const pathNormalization: PathNormalization = { ambiguous: 'normalize', forward: 'received', ...normalization };
  return new Router(routes, [listenerSnapshot({ pathNormalization })]);
}

/** `name`, `name <- target` where the endpoint gets another target, or what else is decided. */
function decide(router: Router, target: string): string {
  const result = router.find(requestHead({ target }), 'web', '192.0.2.1');
  if (result === AMBIGUOUS_PATH) return 'refused';
  if (result instanceof NormalizedRoute) return `${result.route.name} <- ${result.target}`;
  return result?.name ?? 'none';
}

test('the first reading is the normal form, and others are what servers may read', () => {
  assert.deepEqual(pathReadings('/a/b'), ['/a/b']);
  assert.deepEqual(pathReadings('/%61dmin'), ['/admin']);
  assert.deepEqual(pathReadings('/x/..%2fa'), ['/x/..%2Fa', '/x/../a', '/a']);
  assert.deepEqual(pathReadings('//x/a'), ['/x/a', '//x/a', '/a']);
  assert.deepEqual(pathReadings('/a/..;/b'), ['/a/..;/b', '/a/../b', '/b']);
});

test('a path with too many readings has none', () => {
  assert.equal(pathReadings(`${'/..;/%2f\\%252f//x'.repeat(400)}%00`), null);
});

describe('a guarded prefix', () => {
  const modes: readonly Partial<PathNormalization>[] = [
    {},
    { ambiguous: 'reject' },
    { forward: 'normalized' },
    { ambiguous: 'reject', forward: 'normalized' },
  ];
  const tables: Readonly<Record<string, RouteSnapshot[]>> = {
    'named first': [below('guard', '/admin'), below('public', '/public'), rest],
    'named first, before nothing else': [below('guard', '/admin'), rest],
    'what is not named': [below('public', '/public'), below('x', '/x'), routeSnapshot({ name: 'guard' })],
  };
  for (const mode of modes) {
    for (const [title, routes] of Object.entries(tables)) {
      test(`${title} is passed by no spelling: ${JSON.stringify(mode)}`, () => {
        const router = routerOf(routes, mode);
        for (const target of SPELLINGS.filter((one) => one.startsWith('/'))) {
          const result = router.find(requestHead({ target }), 'web', '192.0.2.1');
          const route = routeOf(result);
          if (route === null || route.name === 'guard') continue;
          const sent = result instanceof NormalizedRoute ? result.target : target;
          assert.deepEqual(readAsAdmin(sent), [], `${target} was sent to ${route.name} as ${sent}`);
        }
      });
    }
  }

  test('without the check it would be passed by each kind of server', () => {
    const router = routerOf(tables['named first']!, { ambiguous: 'keep' });
    const passed = SPELLINGS.filter(
      (target) => routeOf(router.find(requestHead({ target }), 'web', '192.0.2.1'))?.name !== 'guard',
    );
    assert.deepEqual(new Set(passed.flatMap(readAsAdmin)), new Set(Object.keys(SERVERS)));
  });
});

describe('an unusual path', () => {
  test('is forwarded as received where all its readings lead to one route', () => {
    const router = routerOf([below('guard', '/admin'), rest]);
    for (const target of ['/@scope%2fname', '/a//b', '/a/../b', '/a;v=1/b', '/100%25', '/caf%c3%a9', '/a%20b?x=%2F']) {
      assert.equal(decide(router, target), 'rest', target);
    }
    assert.equal(decide(router, '/%61dmin/x'), 'guard');
  });

  test('is sent in normal form where that settles its route, and refused otherwise', () => {
    const routes = [below('admin', '/admin'), below('api', '/api'), rest];
    const cases = {
      '//api/x?q=//': 'api <- /api/x?q=//',
      '/admin/../api': 'api <- /api',
      '/api/..;/admin': 'refused',
      '/api%2f..%2fadmin': 'refused',
      '/admin%00': 'refused',
    };
    for (const [target, expected] of Object.entries(cases)) {
      assert.equal(decide(routerOf(routes), target), expected);
      assert.equal(decide(routerOf(routes, { ambiguous: 'reject' }), target), 'refused');
    }
    assert.equal(decide(routerOf(routes, { ambiguous: 'keep' }), '/api/..;/admin'), 'api');
  });

  test('is always sent in normal form where the listener says so', () => {
    const router = routerOf([rest], { forward: 'normalized' });
    assert.equal(decide(router, '/a//b/%7ec/../d?x=//'), 'rest <- /a/b/d?x=//');
    assert.equal(decide(router, '/a'), 'rest');
    assert.equal(decide(router, '/a%2Fb'), 'rest');
  });

  test('is not inspected where no route compares paths', () => {
    const hosts = [routeSnapshot({ name: 'host', match: { ...ANY, hosts: ['a.test'] } }), rest];
    assert.equal(decide(routerOf(hosts), '/a/..;/%2f%00'), 'host');
    assert.equal(decide(routerOf([rest]), '//a'), 'rest');
  });
});
