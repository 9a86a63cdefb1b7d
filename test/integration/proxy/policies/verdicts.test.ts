// Metrics of verdicts: each built-in policy that answers requests itself lets one request pass, and answers another one.
// Thread: main.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { POLICIES } from '../../../../proxy/policies/registry.ts';
import { AppServer } from '../../../support/app-server.ts';
import { eventually, startFairlead } from '../../../support/fairlead.ts';
import { RawClient } from '../../../support/raw-client.ts';
import { talk } from '../../../support/wire.ts';

const HASH = '$2b$04$8o8jOrMpduLTyqweYF/z2ugQcrcHAVwQwaNDkk16JSMnwzKUpkXS2';

/** Policies whose refusal takes more than one request; their own tests read their metrics. */
const ELSEWHERE: readonly string[] = ['acme-challenge', 'maintenance', 'upstream-maintenance', 'shedding'];

interface Case {
  /** Keys of the route. */
  readonly route: string;
  readonly allowed: Request;
  readonly refused: Request;
  readonly status: number;
}

interface Request {
  readonly method?: string;
  readonly path?: string;
  /** Of the listeners in order. */
  readonly listener?: number;
  readonly field?: string;
}

/** The first judges responses alone, the second answers every request. */
const NEVER_ALLOWS: readonly string[] = ['response-limit', 'redirect-to-https'];

const CASES: Readonly<Record<string, Case>> = {
  'address-rules': {
    route: 'allow: 192.0.2.0/24',
    allowed: { field: 'X-Forwarded-For: 192.0.2.1' },
    refused: { field: 'X-Forwarded-For: 198.51.100.1' },
    status: 403,
  },
  'listener-address-rules': {
    route: 'priority: default',
    allowed: { listener: 1, field: 'X-Forwarded-For: 192.0.2.1' },
    refused: { listener: 1, field: 'X-Forwarded-For: 198.51.100.1' },
    status: 403,
  },
  'redirect-to-https': { route: 'priority: default', allowed: {}, refused: { listener: 2 }, status: 308 },
  'client-concurrency': {
    route: 'requestsPerClient: 1',
    allowed: {},
    refused: { path: '/while-another-is-open' },
    status: 429,
  },
  'rate-limit': { route: 'rateLimit: { rate: 1/h, burst: 1 }', allowed: {}, refused: {}, status: 429 },
  cors: {
    route: 'cors: { origins: "https://a.test" }',
    allowed: { field: 'Origin: https://a.test' },
    refused: { method: 'OPTIONS', field: 'Origin: https://a.test\r\nAccess-Control-Request-Method: GET' },
    status: 204,
  },
  'basic-auth': {
    route: `basicAuth: { users: { alice: "${HASH}" } }`,
    allowed: { field: `Authorization: Basic ${Buffer.from('alice:correct horse').toString('base64')}` },
    refused: {},
    status: 401,
  },
  'forward-auth': {
    route: 'forwardAuth: { url: "http://APP/auth", copyRequest: [x-pass] }',
    allowed: { field: 'X-Pass: yes' },
    refused: { field: 'X-Pass: no' },
    status: 401,
  },
  rewrite: {
    route: 'rewrite: { addPrefix: /t/1 }',
    allowed: { path: '/x' },
    refused: { path: '/x%2f..%2f..%2fy' },
    status: 400,
  },
  'response-limit': {
    route: 'responseLimit: 1KiB',
    allowed: {},
    refused: { path: '/large' },
    status: 502,
  },
};

async function start(t: TestContext) {
  const app = new AppServer('app');
  app.handler = (request, response) => {
    if (request.url === '/auth') response.statusCode = request.headers['x-pass'] === 'yes' ? 204 : 401;
    if (request.url === '/open') return;
    response.end(request.url?.endsWith('/large') === true ? 'x'.repeat(2000) : '');
  };
  await app.start();
  t.after(() => app.kill());
  const routes = Object.entries(CASES).map(
    ([name, { route }]) => `  - { match: { host: ${name} }, upstream: app, ${route.replace('APP', app.address)} }\n`,
  );
  const fairlead = await startFairlead(
    t,
    `
workers: 1
listeners:
  - { name: web, bind: "127.0.0.1:0", trustedProxies: [127.0.0.1] }
  - { name: closed, bind: "127.0.0.1:0", trustedProxies: [127.0.0.1], deny: 198.51.100.0/24 }
  - { name: redirects, bind: "127.0.0.1:0", redirectToHttps: true }
admin: { bind: "127.0.0.1:0" }
routes:
${routes.join('')}upstreams: { app: { endpoints: ["http://${app.address}"], health: { heartbeat: false } } }
`,
  );
  return { app, fairlead };
}

test('every policy that answers requests itself counts those that it lets pass and those that it answers', async (t) => {
  const { app, fairlead } = await start(t);
  const statusOf = async (
    host: string,
    { method = 'GET', path = '/', field = 'X-None: 1', listener = 0 }: Request,
  ): Promise<number> => {
    const head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${field}\r\n\r\n`;
    return Number(/^HTTP\/1\.1 (\d+)/.exec((await talk(fairlead.plane.bound[listener]!.port!, head)).text)?.[1]);
  };
  const open = await RawClient.connect({ port: fairlead.port });
  t.after(() => open.destroy());
  for (const [name, { allowed, refused, status }] of Object.entries(CASES)) {
    assert.deepEqual([name, await statusOf(name, allowed)], [name, 200]);
    if (name === 'client-concurrency') {
      const servedBefore = app.served;
      open.send(`GET /open HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
      await eventually(() => app.served > servedBefore, 'the request is open');
    }
    assert.deepEqual([name, await statusOf(name, refused)], [name, status]);
  }
  let metrics = '';
  const counts = (name: string, verdict: string): number =>
    Number(
      new RegExp(`fairlead_policy_requests_total\\{policy="${name}",verdict="${verdict}"\\} (\\d+)`).exec(metrics)?.[1],
    );
  await eventually(async () => {
    metrics = await (await fetch(`${fairlead.adminUrl}/metrics`)).text();
    return Object.keys(CASES).every(
      (name) => counts(name, 'refused') > 0 && (NEVER_ALLOWS.includes(name) || counts(name, 'allowed') > 0),
    );
  }, 'each policy has counted');
  const answering = POLICIES.filter(({ needs }) => (needs as readonly string[]).includes('reply')).map(
    ({ name }) => name,
  );
  assert.deepEqual(
    answering.filter((name) => !(name in CASES) && !ELSEWHERE.includes(name)),
    [],
  );
});
