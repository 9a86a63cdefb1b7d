// `explain`: routes, listeners, candidates, picks, retries and fields. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExplainError, type ExplainQuery } from '../../../../admin/api/explain-schemas.ts';
import { AVAILABILITY } from '../../../../core/availability.ts';
import { E_AVAILABILITY, E_INFLIGHT, E_LIMIT, UPSTREAM } from '../../../../core/memory/layout.ts';
import { Region } from '../../../../core/memory/region.ts';
import { seededRandom } from '../../../../core/random.ts';
import type { RouteMatch } from '../../../../core/snapshot/route.ts';
import type { Snapshot } from '../../../../core/snapshot/snapshot.ts';
import { explain } from '../../../../control/explain/explanation.ts';
import { StickyCookies } from '../../../../proxy/policies/sticky-cookies.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import {
  literal,
  endpointSnapshot,
  listenerSnapshot,
  policySnapshot,
  routeSnapshot,
  snapshot,
  upstreamSnapshot,
} from '../../../support/snapshots.ts';
import { settingsOf } from '../../../support/sticky.ts';

const ANY: RouteMatch = { hosts: [], paths: [], methods: [], headers: [], query: [], listeners: [] };
const NOW = Date.UTC(2026, 0, 1);

function newRegion(): Region {
  return Region.allocate({ endpoints: 8, upstreams: 2, workers: 2, listeners: 2 }, NOW);
}

function asked(parts: Partial<ExplainQuery>, of: Partial<Snapshot> = {}, region = newRegion()) {
  const query = { url: 'http://a.test/', method: 'GET', headers: [], client: '127.0.0.1', listener: null, ...parts };
  const ports = new Map([['web', 80]]);
  return explain(query, {
    origins: null,
    snapshot: snapshot(of),
    region,
    ports,
    clock: new FakeClock(0, NOW),
    random: seededRandom(1),
  });
}

function withUpstream(
  parts: Parameters<typeof upstreamSnapshot>[0],
  region = newRegion(),
  query: Partial<ExplainQuery> = {},
) {
  return asked(query, { upstreams: [upstreamSnapshot(parts)] }, region).upstream!;
}

function setWord(region: Region, slot: number, word: number, value: number): void {
  region.words[region.endpointWord(slot) + word] = value;
}

test('a request to a TCP listener is refused with the reason: it serves sessions', () => {
  const of = { listeners: [listenerSnapshot({ mode: 'tcp' })] };
  assert.throws(() => asked({}, of), /listener web has mode: tcp, and serves no requests: write tcp:/);
});

test('timeouts and retries are those of the route, where it replaces those of the upstream', () => {
  const overrides = { timeouts: { responseMs: 1234 }, retry: { attempts: 7 } };
  const { plan } = asked({}, { routes: [routeSnapshot({ overrides })] });
  assert.deepEqual([plan!.timeouts.responseMs, plan!.retries], [1234, 7]);
});

describe('protocols', () => {
  const upstreams = (protocol: 'http1' | 'http2' | 'auto') => [upstreamSnapshot({ protocol })];
  const http2 = [listenerSnapshot({ http2: true })];

  const cases = [
    ['http1', 'http1', false, true],
    ['http1', 'http2', false, true],
    ['http2', 'http1', false, true],
    ['http2', 'http2', true, true],
    ['http2', 'auto', true, true],
  ] as const;
  for (const [client, endpoint, grpc, websocket] of cases) {
    test(`${client} listener, ${endpoint} endpoints`, () => {
      const listeners = client === 'http2' ? http2 : [listenerSnapshot()];
      const { protocols } = asked({}, { listeners, upstreams: upstreams(endpoint) });
      assert.deepEqual(protocols.listener, client === 'http2' ? ['http2', 'http1'] : ['http1']);
      assert.equal(protocols.endpoint, endpoint);
      assert.deepEqual([protocols.grpc.passes, protocols.websocket.passes], [grpc, websocket]);
      for (const passage of [protocols.grpc, protocols.websocket]) assert.ok(passage.passes || passage.because !== '');
    });
  }

  test('a route without an upstream has no endpoint protocol', () => {
    const { protocols } = asked({ url: 'http://b.test/' }, { routes: [] });
    assert.deepEqual([protocols.endpoint, protocols.grpc.passes, protocols.websocket.passes], [null, false, false]);
  });

  test('a gRPC call is explained as a request over HTTP/2 where the listener serves it', () => {
    const others = { cookies: [], clients: [], protocols: ['http2' as const], not: [] };
    const routes = [routeSnapshot({ name: 'calls', match: { ...ANY, others } })];
    const headers = ['content-type: application/grpc'];
    assert.equal(asked({ headers }, { listeners: http2, routes }).route, 'calls');
    assert.equal(asked({ headers }, { routes }).route, null);
    assert.equal(asked({}, { listeners: http2, routes }).route, null);
  });
});

describe('routes', () => {
  const routes = [
    routeSnapshot({ name: 'listener', match: { ...ANY, listeners: ['other'] } }),
    routeSnapshot({ name: 'host', match: { ...ANY, hosts: ['b.test', '*.b.test'] } }),
    routeSnapshot({ name: 'path', match: { ...ANY, paths: [{ kind: 'prefix', value: '/v1' }] } }),
    routeSnapshot({ name: 'method', match: { ...ANY, methods: ['POST'] } }),
    routeSnapshot({
      name: 'header',
      match: { ...ANY, headers: [{ name: 'x-a', match: { kind: 'exact', value: '1' } }] },
    }),
    routeSnapshot({ name: 'query', match: { ...ANY, query: [{ name: 'q', match: { kind: 'present' } }] } }),
    routeSnapshot({ name: 'taken' }),
    routeSnapshot({ name: 'late', match: { ...ANY, hosts: ['a.test'] } }),
    routeSnapshot({ name: 'later', match: { ...ANY, hosts: ['b.test'] } }),
  ];

  test('each mismatch names the part, the required values and those of the request', () => {
    const reply = asked({ url: 'http://a.test:80/v10?x=1', headers: ['X-A: 2'] }, { routes });
    const told = reply.routes.map(({ name, verdict, wanted, had }) => [name, verdict, wanted.join('|'), had]);
    assert.deepEqual(told, [
      ['listener', 'listener', 'other', 'web'],
      ['host', 'host', 'b.test|*.b.test', 'a.test'],
      ['path', 'path', '/v1', '/v10'],
      ['method', 'method', 'POST', 'GET'],
      ['header', 'header', 'x-a: 1', 'x-a: 2'],
      ['query', 'query', 'q: true', 'x=1'],
      ['taken', 'matched', '', ''],
      ['late', 'behind', '', ''],
      ['later', 'host', 'b.test', 'a.test'],
    ]);
    assert.deepEqual([reply.route, reply.action], ['taken', { kind: 'upstream', upstream: 'api' }]);
  });

  test('without a match there is a local reply and no upstream', () => {
    const reply = asked({}, { routes: routes.slice(0, 6) });
    assert.deepEqual(reply.action, { kind: 'no-route', status: 404, code: 'no-route' });
    assert.deepEqual([reply.route, reply.upstream, reply.plan, reply.fields], [null, null, null, null]);
  });

  test('redirects and fixed responses are described', () => {
    const respond = {
      kind: 'respond',
      status: 410,
      contentType: 'text/plain',
      body: literal('gone'),
      isBinary: false,
    } as const;
    assert.deepEqual(asked({}, { routes: [routeSnapshot({ action: respond })] }).action, {
      kind: 'respond',
      status: 410,
      contentType: 'text/plain',
      bodyBytes: 4,
    });
    const redirect = { kind: 'redirect', status: 308, location: literal('https://b.test/') } as const;
    assert.deepEqual(asked({}, { routes: [routeSnapshot({ action: redirect })] }).action, {
      kind: 'redirect',
      status: 308,
      location: 'https://b.test/',
    });
  });
});

describe('the request', () => {
  const trusting = listenerSnapshot({ trustedProxies: ['10.0.0.0/8'] });
  const tls = { certificates: [], minVersion: 'TLSv1.2', http2: true } as const;

  test('arrives at the listener with its port, the first of its kind, or the one that is named', () => {
    const listeners = [listenerSnapshot(), listenerSnapshot({ name: 'secure', index: 1, tls })];
    assert.equal(asked({}, { listeners }).listener.because, 'it listens on port 80');
    assert.match(
      asked({ url: 'https://a.test' }, { listeners }).listener.because,
      /^no listener with TLS has port 443/,
    );
    assert.equal(asked({ url: 'https://a.test' }, { listeners }).listener.name, 'secure');
    assert.equal(asked({ listener: 'secure' }, { listeners }).listener.name, 'secure');
    assert.equal(asked({ url: 'https://a.test' }).listener.name, 'web');
  });

  test('has the client address behind trusted proxies', () => {
    const headers = ['X-Forwarded-For: 203.0.113.5'];
    const trusted = asked({ client: '10.1.1.1', headers }, { listeners: [trusting] }).request;
    assert.deepEqual([trusted.client, trusted.isTrusted], ['203.0.113.5', true]);
    const stranger = asked({ client: '192.0.2.1', headers }, { listeners: [trusting] }).request;
    assert.deepEqual([stranger.client, stranger.isTrusted], ['192.0.2.1', false]);
  });

  test('keeps its path as written; a Host field precedes the URL', () => {
    const { target, host } = asked({ url: 'http://a.test/x/../y%2f?z#frag', headers: ['Host: B.test'] }).request;
    assert.deepEqual([target, host], ['/x/../y%2f?z', 'B.test']);
    assert.equal(asked({ url: 'http://a.test?x' }).request.target, '/?x');
    assert.equal(asked({ url: 'http://a.test', method: 'OPTIONS' }).request.target, '*');
  });

  for (const wrong of [
    { url: 'a.test' },
    { url: 'http://' },
    { url: 'http://a b/' },
    { url: 'http://a.test/\u00e4' },
    { method: 'GE T' },
    { headers: ['nothing'] },
    { headers: ['a b: c'] },
    { headers: ['a: b\r\nc: d'] },
    { client: 'somebody' },
    { listener: 'none' },
  ]) {
    test(`that no client could send is refused: ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => asked(wrong), ExplainError);
    });
  }
});

describe('the choice', () => {
  test('of least-request has the compared loads and the endpoints that tie', () => {
    const region = newRegion();
    setWord(region, 0, E_INFLIGHT, 4);
    const endpoints = [endpointSnapshot(0, { weight: 5 }), endpointSnapshot(1), endpointSnapshot(2, { weight: 2 })];
    const upstream = withUpstream({ balance: { kind: 'least-request' }, endpoints }, region);
    assert.deepEqual(
      upstream.candidates.map(({ inFlight, load }) => [inFlight, load]),
      [
        [4, 1],
        [0, 1],
        [0, 0.5],
      ],
    );
    assert.deepEqual([upstream.choice.endpoint, upstream.choice.isByChance], ['127.0.0.1:3002', false]);
    const tie = withUpstream({ balance: { kind: 'least-request' } });
    assert.deepEqual([tie.choice.isByChance, tie.choice.equals.length], [true, 3]);
    assert.match(tie.choice.because, /3 are equal/);
  });

  test('of round-robin is the next turn, and does not advance it', () => {
    const region = newRegion();
    const cursor = region.upstreamWord(0) + UPSTREAM.roundRobinCursor.index;
    const chosen = [0, 1, 2].map((turn) => {
      region.words[cursor] = turn;
      const before = region.words.slice();
      const { choice } = withUpstream({}, region);
      assert.deepEqual(region.words, before);
      assert.equal(choice.isByChance, false);
      return choice.endpoint;
    });
    assert.deepEqual(chosen, ['127.0.0.1:3000', '127.0.0.1:3001', '127.0.0.1:3002']);
  });

  test('of a hash names key and value, and is random without a key', () => {
    const balance = {
      kind: 'consistent-hash',
      key: { kind: 'header', name: 'x-user' },
      boundedLoad: 0,
      tableSize: 1021,
      seed: 0,
    } as const;
    const known = withUpstream({ balance }, newRegion(), { headers: ['X-User: 7'] });
    assert.deepEqual(known.hashKey, { from: 'header x-user', value: '7' });
    assert.equal(known.choice.isByChance, false);
    const unknown = withUpstream({ balance });
    assert.deepEqual(unknown.hashKey, { from: 'header x-user', value: '' });
    assert.equal(unknown.choice.isByChance, true);
  });

  test('avoids suspects except for a trial, and reports both', () => {
    const region = newRegion();
    setWord(region, 1, E_AVAILABILITY, AVAILABILITY.suspect);
    setWord(region, 2, E_AVAILABILITY, AVAILABILITY.down);
    const upstream = withUpstream({}, region);
    assert.deepEqual(
      upstream.candidates.map(({ role }) => role),
      ['usable', 'suspect', 'last-resort'],
    );
    assert.deepEqual([upstream.choice.endpoint, upstream.choice.trial], ['127.0.0.1:3000', '127.0.0.1:3001']);
    const post = withUpstream({}, region, { method: 'POST' });
    assert.deepEqual([post.choice.endpoint, post.choice.trial], ['127.0.0.1:3000', null]);
  });

  test('is a suspect where no other endpoint has room, and a backup where no primary is usable', () => {
    const region = newRegion();
    setWord(region, 0, E_LIMIT, 1);
    setWord(region, 0, E_INFLIGHT, 1);
    setWord(region, 1, E_AVAILABILITY, AVAILABILITY.suspect);
    const two = [endpointSnapshot(0), endpointSnapshot(1)];
    const { choice } = withUpstream({ endpoints: two }, region, { method: 'POST' });
    assert.deepEqual([choice.endpoint, choice.by], ['127.0.0.1:3001', 'suspect']);
    setWord(region, 0, E_AVAILABILITY, AVAILABILITY.drain);
    const spare = withUpstream({ endpoints: [endpointSnapshot(0), endpointSnapshot(2, { backup: true })] }, region);
    assert.deepEqual([spare.tier, spare.choice.endpoint], ['backup', '127.0.0.1:3002']);
  });

  test('explains why there is none, and the consequence', () => {
    const region = newRegion();
    const endpoints = [endpointSnapshot(0)];
    setWord(region, 0, E_LIMIT, 1);
    setWord(region, 0, E_INFLIGHT, 1);
    assert.match(withUpstream({ endpoints }, region).choice.because, /at its limit: it waits up to 5000 ms/);
    setWord(region, 0, E_AVAILABILITY, AVAILABILITY.down);
    const { endpoint, by, because } = withUpstream({ endpoints }, region).choice;
    assert.deepEqual([endpoint, by, because], [null, 'nobody', 'no endpoint is usable: 503 at once']);
    assert.match(withUpstream({ endpoints, whenAllDown: 'wait' }, region).choice.because, /it waits up to 5000 ms/);
    assert.equal(withUpstream({ endpoints, whenAllDown: 'try-all' }, region).choice.by, 'nobody');
  });

  test('follows a sticky cookie to a draining endpoint, not to one that is down', () => {
    const sticky = settingsOf({ maxIdleMs: 0, maxLifeMs: 0 });
    const { endpoints } = upstreamSnapshot();
    const cookie = new StickyCookies(sticky, endpoints, upstreamSnapshot().name)
      .setCookieFor(2, false, NOW)
      .split(';')[0]!;
    const region = newRegion();
    setWord(region, 2, E_AVAILABILITY, AVAILABILITY.drain);
    const drained = withUpstream({ sticky }, region, { headers: [`Cookie: ${cookie}`] });
    assert.deepEqual([drained.choice.endpoint, drained.choice.by], ['127.0.0.1:3002', 'sticky-cookie']);
    setWord(region, 2, E_AVAILABILITY, AVAILABILITY.down);
    const down = withUpstream({ sticky }, region, { headers: [`Cookie: ${cookie}`] });
    assert.deepEqual([down.sticky?.leadsTo, down.choice.by], ['127.0.0.1:3002', 'balancer']);
    assert.match(down.choice.because, /^the endpoint of its cookie is not available; /);
    assert.equal(withUpstream({ sticky }, region, { headers: ['Cookie: lb=forged'] }).sticky?.leadsTo, null);
  });
});

describe('the plan', () => {
  test('has the verdict on each failure of a first attempt, by method', () => {
    const verdicts = (method: string): string[] => asked({ method }).plan!.verdicts.map(({ verdict }) => verdict);
    assert.deepEqual(verdicts('GET'), [
      'never-sent',
      'unanswered-safe',
      'unanswered-safe',
      'unanswered-safe',
      'refused-not-retryable',
    ]);
    assert.deepEqual(verdicts('POST').slice(0, 2), ['never-sent', 'refused-not-retryable']);
    const keyed = asked({ method: 'POST', headers: ['Idempotency-Key: 1'] }).plan!;
    assert.deepEqual([keyed.mayRepeat, keyed.timeouts.tryMs], [true, 30_000]);
  });

  test('hedges only requests that may be hedged', () => {
    const upstreams = [upstreamSnapshot({ hedge: { afterMs: 100, percentile: 0 } })];
    assert.deepEqual(asked({}, { upstreams }).plan!.hedge, { afterMs: 100, percentile: 0 });
    assert.equal(asked({ method: 'PUT' }, { upstreams }).plan!.hedge, null);
    assert.equal(asked({ headers: ['Content-Length: 5'] }, { upstreams }).plan!.hedge, null);
  });

  test('fields: forwarding fields of untrusted clients are removed, those of the route are set, the id is new', () => {
    const route = routeSnapshot({
      requestHeaders: { set: ['X-Team', 'shop'], remove: ['cookie'] },
      responseHeaders: { set: ['X-By', 'us'], remove: ['server'] },
      hostField: { kind: 'endpoint' },
    });
    const headers = ['X-Forwarded-For: 1.2.3.4', 'Cookie: a=b', 'X-Kept: 1'];
    const { fields } = asked({ headers, client: '203.0.113.5' }, { routes: [route] });
    assert.equal(fields!.host, '127.0.0.1:3000');
    assert.deepEqual(fields!.notToEndpoint, ['X-Forwarded-For', 'Cookie']);
    const set = Object.fromEntries(fields!.toEndpoint.map(({ name, value }) => [name, value]));
    assert.deepEqual(
      [set['X-Forwarded-For'], set['X-Team'], set['X-Request-Id']],
      ['203.0.113.5', 'shop', '(a new one)'],
    );
    assert.deepEqual([fields!.toClient, fields!.notToClient], [[{ name: 'X-By', value: 'us' }], ['server']]);
  });

  test('fields of the upstream are set after those of the route, and before them on responses', () => {
    const edits = (set: readonly string[]) => ({
      requestHeaders: { set, remove: [] },
      responseHeaders: { set, remove: [] },
    });
    const routes = [routeSnapshot(edits(['X-Both', 'route', 'X-Route', '1']))];
    const policies = [policySnapshot('upstream-header-edits', edits(['x-both', 'upstream', 'X-Upstream', '1']))];
    const { fields } = asked({}, { routes, upstreams: [upstreamSnapshot({ policies })] });
    const both = (list: readonly { readonly name: string; readonly value: string }[]): string[] =>
      list
        .filter(({ name }) => /^x-(?:both|route|upstream)$/i.test(name))
        .map(({ name, value }) => `${name}: ${value}`);
    assert.deepEqual(both(fields!.toEndpoint), ['X-Route: 1', 'x-both: upstream', 'X-Upstream: 1']);
    assert.deepEqual(both(fields!.toClient), ['X-Upstream: 1', 'X-Both: route', 'X-Route: 1']);
  });
});
