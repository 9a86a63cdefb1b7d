// The admin API over real sockets: what it serves, and how it answers what makes no sense. Thread: main.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { parseExposition, valueOf } from '../../../unit/admin/exposition.ts';
import { STARTED_AT } from '../../../unit/admin/fake-context.ts';
import { AskedServer, errorCode, STATE } from '../asked-server.ts';

let asked: AskedServer;

beforeEach(async () => {
  asked = await AskedServer.start();
});
afterEach(() => asked.server.close());

describe('the admin API', () => {
  test('says that the process lives', async () => {
    for (const target of ['/healthz', '/livez']) {
      const answer = await asked.ask('GET', target);
      assert.deepEqual([answer.status, answer.json()], [200, { alive: true }]);
    }
  });

  test('says whether it may be sent traffic, and why not', async () => {
    assert.deepEqual((await asked.ask('GET', '/readyz')).json(), { ready: true });
    asked.context.draining = true;
    const answer = await asked.ask('GET', '/readyz');
    assert.deepEqual([answer.status, answer.json()], [503, { ready: false, because: ['draining'] }]);
    assert.equal((await asked.ask('GET', '/healthz')).status, 200);
  });

  test('gives metrics that a scraper can read, by scope if asked', async () => {
    const answer = await asked.ask('GET', '/metrics');
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(valueOf(parseExposition(answer.text), 'fairlead_config_generation'), 7);
    const scoped = await asked.ask('GET', '/metrics?scope=listener&scope=upstream');
    assert.ok(!parseExposition(scoped.text).has('fairlead_config_generation'));
    assert.equal((await asked.ask('GET', '/metrics?scope=all')).status, 400);
  });

  test('shows the state of everything', async () => {
    asked.context.clock.advance(90_000);
    asked.context.health.change(1, {
      availability: 'ejected',
      cause: 'five failures',
      ejectedUntil: asked.context.clock.wallMs(),
    });
    const status = (await asked.ask('GET', '/api/v1/status')).json();
    assert.deepEqual(
      [status['version'], status['generation'], status['ready'], status['uptimeSeconds'], status['startedAt']],
      ['1.2.3', 7, true, 90, '2026-01-01T00:00:00.000Z'],
    );
    const listeners = status['listeners'] as Record<string, unknown>[];
    assert.deepEqual([listeners[0]!['name'], listeners[0]!['address']], ['web', '127.0.0.1:8080']);
    assert.deepEqual((status['workers'] as object[])[1], {
      worker: 1,
      state: 'listening',
      restarts: 2,
      generation: 0,
      exchanges: 0,
      connections: 0,
      upgraded: 0,
    });
    const upstreams = status['upstreams'] as {
      name: string;
      availability: object;
      endpoints: Record<string, unknown>[];
    }[];
    assert.deepEqual(
      upstreams.map(({ name }) => name),
      ['api', 'web'],
    );
    const { name, availability, cause, ejectedUntil, weight } = upstreams[0]!.endpoints[1]!;
    assert.deepEqual(
      { name, availability, cause, ejectedUntil, weight },
      {
        name: '127.0.0.1:3001',
        availability: 'ejected',
        cause: 'five failures',
        ejectedUntil: '2026-01-01T00:01:30.000Z',
        weight: 3,
      },
    );
    assert.deepEqual((await asked.ask('GET', '/api/v1/upstreams')).json()['upstreams'], status['upstreams']);
  });

  test('changes what an operator wants of an endpoint, and shows the outcome', async () => {
    const answer = await asked.post(STATE, { admin: 'drain' });
    assert.equal(answer.status, 200);
    assert.deepEqual([answer.json()['admin'], answer.json()['availability']], ['drain', 'drain']);
    assert.equal(asked.context.health.lastWho, 'the admin API');
    const shown = (await asked.ask('GET', '/api/v1/endpoints/api/127.0.0.1%3A3001')).json();
    assert.equal(shown['cause'], 'set to drain by the admin API');
    const weighed = await asked.post('/api/v1/endpoints/api/127.0.0.1:3001/weight', { weight: 40 });
    assert.equal(weighed.json()['weight'], 40);
  });

  test('says why an endpoint is as it is', async () => {
    const { health } = asked.context;
    const since = STARTED_AT + 1_000;
    const reason = { axis: 'outlier', value: 'ejected', effect: 'none', detector: 'outlierTest' } as const;
    health.reasons = [{ ...reason, cause: 'half of its requests failed', since, until: since + 10_000 }];
    const beat = {
      kind: 'fail',
      cause: 'got 503',
      startedMs: 1,
      durationMs: 2,
      at: since,
      isContradicted: false,
    } as const;
    health.change(0, { warming: { percent: 40, until: since }, share: 0.4, heartbeats: [beat] });
    const why = (await asked.ask('GET', '/api/v1/endpoints/api/127.0.0.1:3000/why')).json();
    assert.deepEqual(why['reasons'], [
      {
        ...reason,
        cause: 'half of its requests failed',
        since: '2026-01-01T00:00:01.000Z',
        until: '2026-01-01T00:00:11.000Z',
      },
    ]);
    assert.deepEqual(why['warming'], { percent: 40, until: '2026-01-01T00:00:01.000Z' });
    const { upstream, endpoint, now, availability, weightShare, wishes, detector } = why;
    assert.deepEqual(
      { upstream, endpoint, now, availability, weightShare, wishes, detector },
      {
        upstream: 'api',
        endpoint: '127.0.0.1:3000',
        now: '2026-01-01T00:01:00.000Z',
        availability: 'up',
        weightShare: 0.4,
        wishes: { operator: 'ready', agent: 'ready' },
        detector: null,
      },
    );
    assert.deepEqual(why['heartbeats'], [{ ...beat, at: '2026-01-01T00:00:01.000Z' }]);
    const agent = (await asked.ask('GET', '/api/v1/endpoints/web/127.0.0.1:3002/why')).json()['agent'];
    assert.deepEqual((agent as Record<string, unknown>)['share'], 0.751);
  });

  test('says which endpoints there are to somebody who asks about another one', async () => {
    const answer = await asked.ask('GET', '/api/v1/endpoints/api/10.9.9.9:1/why');
    assert.deepEqual([answer.status, errorCode(answer)], [404, 'no-such-endpoint']);
    const { endpoints, endpointCount } = answer.json();
    assert.deepEqual(endpoints, ['api/127.0.0.1:3000', 'api/127.0.0.1:3001', 'web/127.0.0.1:3002']);
    assert.equal(endpointCount, 3);
  });

  test('lists the newest state changes', async () => {
    for (let i = 0; i < 3; i++) {
      asked.context.health.events.add({
        at: asked.context.clock.wallMs(),
        upstream: 'api',
        endpoint: `api/${i}`,
        axis: 'check',
        from: 'up',
        to: 'down',
        detector: 'heartbeat',
        cause: 'no answer',
        availability: 'down',
      });
    }
    const events = (await asked.ask('GET', '/api/v1/events?limit=2')).json()['events'] as Record<string, unknown>[];
    assert.deepEqual(
      events.map(({ endpoint, at }) => [endpoint, at]),
      [
        ['1', '2026-01-01T00:00:00.000Z'],
        ['2', '2026-01-01T00:00:00.000Z'],
      ],
    );
    for (const limit of ['0', '1.5', 'x', '1001']) {
      assert.equal((await asked.ask('GET', `/api/v1/events?limit=${limit}`)).status, 400);
    }
  });

  test('reloads where there is something to reload', async () => {
    assert.equal((await asked.post('/api/v1/reload', {})).status, 501);
    asked.context.reload = () => Promise.resolve({ ok: true, revision: 8, changes: ['upstream api: weight'] });
    assert.deepEqual((await asked.post('/api/v1/reload', {})).json(), {
      generation: 8,
      changes: ['upstream api: weight'],
    });
    asked.context.reload = () => Promise.resolve({ ok: false, problems: ['a.yaml:3:1: no'] });
    const refused = await asked.post('/api/v1/reload', {});
    assert.equal(refused.status, 422);
    assert.deepEqual(refused.json()['problems'], ['a.yaml:3:1: no']);
    assert.deepEqual(refused.json()['findings'], []);
  });

  test('answers HEAD with the head of GET', async () => {
    const [head, get] = [await asked.ask('HEAD', '/readyz'), await asked.ask('GET', '/readyz')];
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal(head.headers['content-length'], get.headers['content-length']);
  });

  test('is never cached and never taken for a page', async () => {
    const { headers } = await asked.ask('GET', '/api/v1/status');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['access-control-allow-origin'], undefined);
  });
});

describe('a request that makes no sense', () => {
  test('to an unknown path gets the list of paths', async () => {
    const answer = await asked.ask('GET', '/api/v2/status');
    assert.deepEqual([answer.status, errorCode(answer)], [404, 'not-found']);
    const { paths } = answer.json() as { paths: string[] };
    assert.ok(paths.some((line) => line.startsWith('GET /api/v1/status')));
  });

  test('with a wrong method gets the right ones', async () => {
    for (const [method, target, allow] of [
      ['POST', '/metrics', 'GET, HEAD, OPTIONS'],
      ['DELETE', '/api/v1/status', 'GET, HEAD, OPTIONS'],
      ['GET', STATE, 'POST, OPTIONS'],
      ['PUT', STATE, 'POST, OPTIONS'],
    ] as const) {
      const answer = await asked.ask(method, target, { headers: { 'content-type': 'application/json' } });
      assert.deepEqual([answer.status, answer.headers.allow, errorCode(answer)], [405, allow, 'method-not-allowed']);
    }
  });

  test('about an endpoint that there is not changes nothing', async () => {
    for (const target of ['api/127.0.0.1:9', 'none/127.0.0.1:3001', 'api/__proto__']) {
      const answer = await asked.post(`/api/v1/endpoints/${target}/state`, { admin: 'drain' });
      assert.deepEqual([answer.status, errorCode(answer)], [404, 'no-such-endpoint']);
      assert.equal((await asked.ask('GET', `/api/v1/endpoints/${target}`)).status, 404);
    }
    assert.equal((await asked.ask('GET', '/api/v1/endpoints/api/%zz')).status, 400);
  });

  const bodies: readonly (readonly [name: string, body: string, code: string])[] = [
    ['no JSON', '{"admin": drain}', 'malformed-json'],
    ['nothing', '', 'malformed-json'],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), 'malformed-json'],
    ['a list', '["drain"]', 'not-an-object'],
    ['null', 'null', 'not-an-object'],
    ['another key', '{"admin":"drain","force":true}', 'unknown-key'],
    ['a prototype', '{"__proto__":{"admin":"drain"}}', 'unknown-key'],
    ['no key', '{}', 'missing-key'],
    ['another word', '{"admin":"disabled"}', 'bad-value'],
    ['the name of a method', '{"admin":"toString"}', 'bad-value'],
    ['another type', '{"admin":["drain"]}', 'bad-value'],
  ];
  for (const [name, body, code] of bodies) {
    test(`with ${name} for a body is refused as ${code}`, async () => {
      const answer = await asked.post(STATE, body);
      assert.deepEqual([answer.status, errorCode(answer)], [400, code]);
      assert.equal(asked.admin, 'ready');
    });
  }

  for (const weight of [0, 257, 1.5, '3', true, Number.MAX_VALUE]) {
    test(`with the weight ${JSON.stringify(weight)} is refused`, async () => {
      const answer = await asked.post('/api/v1/endpoints/api/127.0.0.1:3001/weight', { weight });
      assert.deepEqual([answer.status, errorCode(answer)], [400, 'bad-value']);
    });
  }

  test('with a body that is too large is refused', async () => {
    const large = await asked.post(STATE, `{"admin":"${'x'.repeat(65_536)}"}`);
    assert.deepEqual([large.status, errorCode(large)], [413, 'body-too-large']);
    assert.equal(large.headers.connection, 'close');
    const exact = await asked.post(STATE, `{"admin":"${'x'.repeat(65_536 - '{"admin":""}'.length)}"}`);
    assert.equal(errorCode(exact), 'bad-value');
  });

  test('that fails inside is 500 without details, and the log has them', async () => {
    asked.context.reload = () => Promise.reject(new Error('secret detail'));
    const answer = await asked.post('/api/v1/reload', {});
    assert.deepEqual([answer.status, errorCode(answer)], [500, 'internal']);
    assert.doesNotMatch(answer.text, /secret/);
    assert.match(String((asked.context.errors[0]!.fields as { err: Error }).err), /secret detail/);
  });
});
