// Routes and revisions of the configuration over the admin API. Thread: main.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RevisionReply, RevisionsReply } from '../../../../admin/api/revision-schemas.ts';
import type { RoutesReply } from '../../../../admin/api/route-schemas.ts';
import { listenerSnapshot, policySnapshot, routeSnapshot } from '../../../support/snapshots.ts';
import { AskedServer, errorCode } from '../asked-server.ts';

let asked: AskedServer;

before(async () => {
  asked = await AskedServer.start();
});
after(() => asked.server.close());

async function get<Reply>(path: string): Promise<Reply> {
  return (await asked.ask('GET', path)).json() as Reply;
}

/** Two listeners, and three routes, of which one has a split. */
function configure({ context }: AskedServer): void {
  const match = { hosts: ['api.test'], paths: [{ kind: 'prefix' as const, value: '/v1' }] };
  const empty = { hosts: [], paths: [], methods: [], headers: [], query: [], listeners: [] };
  const not = { ...empty, methods: ['PUT'] };
  const others = { cookies: [], clients: ['10.0.0.0/8'], protocols: [], not: [not] };
  const proxyProtocol = { trusted: ['10.1.0.0/16'], others: 'close' as const, timeoutMs: 1 };
  context.current = {
    ...context.current,
    listeners: [
      listenerSnapshot({ name: 'web', index: 1, http2: true, proxyProtocol }),
      listenerSnapshot({ name: 'db', index: 0, mode: 'tcp' }),
    ],
    routes: [
      routeSnapshot({
        name: 'trial',
        match: { ...empty, ...match, others },
        policies: [policySnapshot('split', {})],
        action: { kind: 'upstream', upstream: 0 },
      }),
      routeSnapshot({
        name: 'rest',
        match: { ...empty, listeners: ['web'] },
        action: { kind: 'upstream', upstream: 2 },
      }),
    ],
    tcpRoutes: [
      {
        name: 'sessions',
        listeners: ['db'],
        clients: [],
        serverNames: [],
        alpn: [],
        not: [],
        upstream: 2,
        policies: [],
        overrides: null,
        priority: 'default',
      },
    ],
  };
}

test('routes have their listeners, conditions, policies and destinations', async () => {
  configure(asked);
  const { listeners, routes } = await get<RoutesReply>('/api/v1/routes');
  assert.deepEqual(
    listeners.map(({ name, protocols, proxyProtocol: proxy }) => [name, protocols, proxy]),
    [
      ['web', ['http2', 'http1'], { trusted: ['10.1.0.0/16'], others: 'close' }],
      ['db', ['tcp'], null],
    ],
  );
  assert.deepEqual(
    routes.map((one) => [one.name, one.listeners, one.match, one.upstreams]),
    [
      [
        'trial',
        ['web'],
        'host api.test and path /v1 and client 10.0.0.0/8 and not (method PUT)',
        [{ name: 'api', weight: 95 }],
      ],
      ['rest', ['web'], '', [{ name: 'web', weight: null }]],
      ['sessions', ['db'], '', [{ name: 'web', weight: null }]],
    ],
  );
  assert.deepEqual(routes[0]!.policies, ['split']);
});

test('routes and upstreams name the object of a provider that defines them, or null', async () => {
  configure(asked);
  const { routes, upstreams } = await get<RoutesReply>('/api/v1/routes');
  const [web, trial] = ['kubernetes service shop/web', 'kubernetes ingress shop/web'];
  assert.deepEqual(
    routes.map(({ origin }) => origin),
    [trial, null, null],
  );
  assert.deepEqual(
    upstreams.map(({ name, origin }) => [name, origin]),
    [
      ['api', null],
      ['web', web],
    ],
  );
  const { origin } = await get<{ origin: string }>('/api/v1/upstreams/web');
  assert.equal(origin, web);
  const { upstreamOrigin } = await get<{ upstreamOrigin: string }>('/api/v1/endpoints/web/127.0.0.1:3002/why');
  assert.equal(upstreamOrigin, web);
});

test('revisions keep the text that ran, and at most twenty', async () => {
  const { context, server } = asked;
  assert.deepEqual((await get<RevisionsReply>('/api/v1/revisions')).revisions, []);
  context.clock.advance(1_000);
  const first = await get<RevisionReply>('/api/v1/revisions/7');
  assert.deepEqual([first.text, first.file, first.changes], ['workers: 2\n', 'fairlead.yaml', []]);
  for (let revision = 8; revision < 30; revision++) {
    context.current = { ...context.current, revision };
    context.written = {
      file: 'fairlead.yaml',
      characters: revision === 28 ? 1e6 : 11,
      config: () => ({ workers: revision, padding: 'x'.repeat(revision === 29 ? 3e5 : 1) }),
    };
    server.noteReload({ ok: true, revision, changes: [`workers: ${revision - 1} to ${revision}`] });
  }
  server.noteReload({ ok: false, problems: ['workers is no number'] });
  const { revisions } = await get<RevisionsReply>('/api/v1/revisions');
  assert.deepEqual([revisions.length, revisions[0]!.generation, revisions.at(-1)!.generation], [20, 29, 10]);
  const hasText = revisions.slice(0, 3).map((one) => one.hasText);
  assert.deepEqual(hasText, [false, false, true], "a long text isn't kept, and that of long files isn't printed");
  assert.deepEqual(revisions[1]!.changes, ['workers: 27 to 28']);
  const gone = await asked.ask('GET', '/api/v1/revisions/7');
  assert.deepEqual([gone.status, errorCode(gone)], [404, 'no-such-revision']);
});
