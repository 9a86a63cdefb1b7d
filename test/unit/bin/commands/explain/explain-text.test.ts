// An explanation as text: what stands in which line, and nothing that steers a terminal. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExplainQuery } from '../../../../../admin/api/explain-schemas.ts';
import { explainText } from '../../../../../bin/commands/explain/explain-text.ts';
import { AVAILABILITY } from '../../../../../core/availability.ts';
import { E_AVAILABILITY, E_INFLIGHT, E_LIMIT } from '../../../../../core/memory/layout.ts';
import { Region } from '../../../../../core/memory/region.ts';
import { seededRandom } from '../../../../../core/random.ts';
import type { Snapshot } from '../../../../../core/snapshot/snapshot.ts';
import { explain } from '../../../../../control/explain/explanation.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import {
  endpointSnapshot,
  listenerSnapshot,
  policySnapshot,
  routeSnapshot,
  snapshot,
  upstreamSnapshot,
} from '../../../../support/snapshots.ts';
import { settingsOf } from '../../../../support/sticky.ts';

const REGION = Region.allocate({ endpoints: 64, upstreams: 2, workers: 2, listeners: 2 }, 0);

function textOf(query: Partial<ExplainQuery>, of: Partial<Snapshot>, region = REGION): string {
  const asked = { url: 'http://a.test/', method: 'GET', headers: [], client: '10.0.0.9', listener: null, ...query };
  const clock = new FakeClock(0, 0);
  const facts = { origins: null, region, ports: new Map([['web', 80]]), clock, random: seededRandom(1) };
  return explainText(explain(asked, { snapshot: snapshot(of), ...facts }));
}

test('tells key, cookie, load, limit, trial and hedge in lines of their own', () => {
  const region = Region.allocate({ endpoints: 8, upstreams: 2, workers: 2, listeners: 2 }, 0);
  region.words[region.endpointWord(0) + E_LIMIT] = 9;
  region.words[region.endpointWord(0) + E_INFLIGHT] = 2;
  region.words[region.endpointWord(1) + E_AVAILABILITY] = AVAILABILITY.suspect;
  const sticky = settingsOf({ maxIdleMs: 0, maxLifeMs: 0 });
  const endpoints = [endpointSnapshot(0), endpointSnapshot(1)];
  const parts = {
    balance: { kind: 'least-request' },
    endpoints,
    sticky,
    hedge: { afterMs: 0, percentile: 0.95 },
  } as const;
  const text = textOf({}, { upstreams: [upstreamSnapshot(parts)] }, region);
  assert.match(text, /^cookie +lb is not there, or not valid$/m);
  assert.match(text, /^ +> +127\.0\.0\.1:3000 +up +usable +1 +2\/9 +3$/m);
  assert.match(text, /^ +127\.0\.0\.1:3001 +suspect +suspect +1 +0 +1$/m);
  assert.match(text, /^choice +127\.0\.0\.1:3000: fewest requests in flight for its weight$/m);
  assert.match(text, /^ +or 127\.0\.0\.1:3001, a suspect, with one request in 100 ms as a trial$/m);
  assert.match(text, /^hedge +after the usual time \(95 %\)$/m);
  assert.match(text, /^ +no connection could be made: again \(never-sent\)$/m);
});

test('protocols of both sides, and what can pass', () => {
  const of = (protocol: 'http1' | 'http2' | 'auto') => ({
    fastPath: true,
    listeners: [listenerSnapshot({ http2: true })],
    upstreams: [upstreamSnapshot({ protocol })],
  });
  assert.match(textOf({}, of('http1')), /^protocol +HTTP\/2 or HTTP\/1\.1 from clients, HTTP\/1\.1 to endpoints$/m);
  assert.match(
    textOf({}, of('http1')),
    /^ +no gRPC: upstream api is sent HTTP\/1\.1: set protocol: http2; WebSocket passes$/m,
  );
  assert.match(textOf({}, of('auto')), /^ +gRPC passes where the endpoint chooses HTTP\/2 by ALPN; WebSocket passes$/m);
});

test('tells a client behind a trusted proxy, and fields that come and go', () => {
  const route = routeSnapshot({ requestHeaders: { set: ['X-Team', 'shop'], remove: ['cookie'] } });
  const listeners = [listenerSnapshot({ trustedProxies: ['10.0.0.0/8'] })];
  const text = textOf({ headers: ['X-Forwarded-For: 192.0.2.1', 'Cookie: a=b'] }, { routes: [route], listeners });
  assert.match(text, /^GET \/ for a\.test, from 192\.0\.2\.1 by the trusted proxy 10\.0\.0\.9\n/);
  assert.match(text, /^ +- Cookie\n(?: +.*\n)* +\+ X-Team: shop$/m);
});

test('leaves out candidates beyond a screen, and says so', () => {
  const endpoints = Array.from({ length: 50 }, (_, slot) => endpointSnapshot(slot));
  assert.match(textOf({}, { upstreams: [upstreamSnapshot({ endpoints })] }), /^ +and 10 more \(--json\)$/m);
});

test('has no control character but line feeds, whatever names hold', () => {
  const routes = [routeSnapshot({ name: 'evil\u001b[31m\u202e' })];
  assert.match(textOf({}, { routes }), /^route +evil\?\[31m\? -> upstream api$/m);
});

test('shows how a path is compared, its readings where they disagree, and the path that is sent', () => {
  const match = { hosts: [], methods: [], headers: [], query: [], listeners: [] };
  const guard = routeSnapshot({ name: 'guard', match: { ...match, paths: [{ kind: 'prefix', value: '/admin' }] } });
  const routes = [guard, routeSnapshot({ name: 'rest' })];
  const refused = textOf({ url: 'http://a.test/x/..;/admin' }, { routes });
  assert.match(refused, /^route +the path has readings that lead to different routes -> 400 ambiguous-path$/m);
  assert.match(refused, /^ +\/x\/\.\.;\/admin -> rest\n(?: +.*\n)* +\/admin -> guard$/m);
  const normalized = textOf({ url: 'http://a.test/admin/../%7ex?a' }, { routes });
  assert.match(normalized, /^path +compared as \/~x\nsent +\/~x\?a$/m);
  assert.doesNotMatch(textOf({ url: 'http://a.test/x' }, { routes }), /^(?:path|sent) /m);
});

test('shows the condition under not that excludes a request, and cookies that differ', () => {
  const match = { hosts: [], paths: [], methods: [], headers: [], query: [], listeners: [] };
  const none = { cookies: [], clients: [], protocols: [], not: [] };
  const paths = [{ kind: 'regex', value: '^/pub' }] as const;
  const cookies = [{ name: 'beta', match: { kind: 'exact', value: '1' } }] as const;
  const not = [
    { ...match, methods: ['PUT'] },
    { ...match, paths, methods: ['GET'] },
  ];
  const routes = [
    routeSnapshot({ name: 'private', match: { ...match, others: { ...none, not } } }),
    routeSnapshot({ name: 'beta', match: { ...match, others: { ...none, cookies } } }),
    routeSnapshot({ name: 'inside', match: { ...match, others: { ...none, clients: ['192.0.2.0/24'] } } }),
    routeSnapshot({ name: 'grpc', match: { ...match, others: { ...none, protocols: ['grpc'] } } }),
    routeSnapshot({ name: 'rest' }),
  ];
  const text = textOf({ url: 'http://a.test/public', headers: ['Cookie: beta=2'] }, { routes });
  assert.match(text, /^ +1 +private +no, excluded by not: path \{ regex: \^\/pub \} and method GET$/m);
  assert.match(text, /^ +2 +beta +no, cookie: wants beta: 1, has beta: 2$/m);
  assert.match(text, /^ +3 +inside +no, client: wants 192\.0\.2\.0\/24, has 10\.0\.0\.9$/m);
  assert.match(text, /^ +4 +grpc +no, protocol: wants grpc, has http1$/m);
});

test('shows the path that a rewrite sends, and the prefix that it removed', () => {
  const rewrite = { stripPrefix: '/api', addPrefix: '', path: '', regex: null, query: null };
  const data = { rewrite, location: null, cookies: null };
  const routes = [routeSnapshot({ policies: [policySnapshot('rewrite', data)] })];
  const text = textOf({ url: 'http://a.test/api/x?y' }, { routes });
  assert.match(text, /^sent +\/x\?y$/m);
  assert.match(text, /^ +\+ X-Forwarded-Prefix: \/api$/m);
});
