// The source `consul` with real Consul servers, under load: no request fails while instances fail, are in maintenance, come
// and go, and while the servers lose their leader or are killed. Then Fairlead itself as a service. Thread: main.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { type AppServer, startApps } from '../support/app-server.ts';
import { ConsulCluster } from '../support/consul.ts';
import { eventually, type RunningFairlead, startFairlead } from '../support/fairlead.ts';
import { requirePeer } from '../support/peers.ts';
import { runBlocks } from '../integration/docs/page-steps.ts';

function yamlFor(url: string): string {
  return `
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: api }]
workers: 1
admin: { bind: "127.0.0.1:0" }
upstreams:
  api:
    discover: { consul: { address: "${url}", service: api } }
    health: { heartbeat: false }
  many:
    discover: { consul: { address: "${url}", service: many, tags: blue } }
    health: { heartbeat: false }
  keys:
    discover: { consul: { address: "${url}", kvPrefix: fairlead/api/ } }
    health: { heartbeat: false }
`;
}

function endpointsOf({ plane }: RunningFairlead, upstream: string): string {
  const found = plane.snapshot.upstreams.find(({ name }) => name === upstream)!;
  return found.endpoints
    .map(({ id, weight }) => `${id}*${weight}`)
    .toSorted()
    .join(' ');
}

/** Registers an app at the first server, with a check that the test sets. */
async function register(consul: ConsulCluster, { name, address }: AppServer, weight = 1): Promise<void> {
  const [host, port] = address.split(':');
  await consul.put('agent/service/register', {
    ID: name,
    Name: 'api',
    Address: host,
    Port: Number(port),
    Weights: { Passing: weight, Warning: 1 },
    Check: { CheckID: `check-${name}`, TTL: '1h', Status: 'passing' },
  });
}

async function sourceOf({ adminUrl }: RunningFairlead, upstream: string) {
  const response = await fetch(`${adminUrl}/api/v1/upstreams/${upstream}`);
  const { sources } = (await response.json()) as {
    readonly sources: readonly { readonly state: string; readonly cause: string; readonly endpoints: number }[];
  };
  return sources[0]!;
}

/** Sends requests until it is stopped, and counts the answers. */
function load(t: TestContext, { url }: RunningFairlead) {
  const answers = new Map<string, number>();
  const end = new AbortController();
  const client = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const body = await fetch(url).then(
        async (response) => (response.ok ? response.text() : `status ${response.status}`),
        (error: unknown) => String(error),
      );
      answers.set(body, (answers.get(body) ?? 0) + 1);
      await new Promise((resolve) => void setTimeout(resolve, 10));
    }
  };
  const clients = Promise.all([client(), client()]);
  t.after(() => end.abort());
  return async (): Promise<string> => {
    end.abort();
    await clients;
    return [...answers.keys()].toSorted().join('');
  };
}

async function begin(t: TestContext, program: string) {
  const consul = await ConsulCluster.start(t, program, 2);
  const apps = await startApps(t, 3);
  for (const app of apps) await register(consul, app);
  const fairlead = await startFairlead(t, yamlFor(consul.url));
  const until = (what: string, weights: readonly number[]): Promise<void> => {
    const expected = weights.flatMap((weight, at) => (weight === 0 ? [] : [`${apps[at]!.address}*${weight}`]));
    return eventually(() => endpointsOf(fairlead, 'api') === expected.toSorted().join(' '), what);
  };
  return { consul, apps, fairlead, until };
}

test('a service of Consul is followed without a failed request, whatever happens to it', async (t) => {
  const program = requirePeer(t, 'consul');
  if (program === undefined) return;
  const { consul, apps, fairlead, until } = await begin(t, program);
  const untilState = (state: string, what: string): Promise<void> =>
    eventually(async () => (await sourceOf(fairlead, 'api')).state === state, what);
  await until('all instances serve', [1, 1, 1]);
  const stop = load(t, fairlead);

  await consul.put('agent/check/fail/check-a');
  await until('a failed check removes an instance', [0, 1, 1]);
  await consul.put('agent/check/warn/check-a');
  await until('a warning does not', [1, 1, 1]);
  await register(consul, apps[0]!, 5);
  await consul.put('agent/check/pass/check-a');
  await until('weights follow', [5, 1, 1]);
  await consul.put('agent/service/maintenance/b?enable=true');
  await until('maintenance removes an instance', [5, 0, 1]);
  await consul.put('agent/service/maintenance/b?enable=false');
  await until('until it ends', [5, 1, 1]);
  for (const name of ['a', 'b', 'c']) await consul.put(`agent/check/fail/check-${name}`);
  await untilState('stale', 'a failure of all checks is none');
  assert.match((await sourceOf(fairlead, 'api')).cause, /the checks of all \d instance\(s\) of service api fail/);
  for (const name of ['a', 'b', 'c']) await consul.put(`agent/check/pass/check-${name}`);
  await until('all serve again', [5, 1, 1]);
  await untilState('current', 'the source is current');

  consul.kill(1);
  await eventually(async () => !(await consul.hasLeader()), 'the leader is lost');
  consul.kill(0);
  await untilState('stale', 'the agent is lost');
  await until('the last good set is kept', [5, 1, 1]);
  consul.launch(0);
  consul.launch(1);
  await consul.untilLeader();
  await untilState('current', 'the source recovers');
  await consul.put('agent/service/deregister/c');
  await until('changes are followed again', [5, 1, 0]);

  const instances = Array.from({ length: 1_000 }, (_, at) => ({
    Service: {
      Verb: 'set',
      Node: 'elsewhere',
      Service: { ID: `m${at}`, Service: 'many', Tags: ['blue'], Address: `127.2.${at >> 8}.${at & 255}`, Port: 80 },
    },
  }));
  await consul.put('catalog/register', { Node: 'elsewhere', Address: '127.2.0.1' });
  for (let at = 0; at < instances.length; at += 64) await consul.put('txn', instances.slice(at, at + 64));
  await eventually(async () => (await sourceOf(fairlead, 'many')).endpoints === 1_000, '1,000 instances');

  await consul.put('kv/fairlead/api/1', `http://${apps[0]!.address}`);
  await consul.put('kv/fairlead/api/2', '{ url: http://127.0.0.1:9, weight: 3 }');
  const keys = [`${apps[0]!.address}*1`, '127.0.0.1:9*3'].toSorted().join(' ');
  await eventually(() => endpointsOf(fairlead, 'keys') === keys, 'keys are followed');
  runBlocks('docs/discovery.md', 'consul', { CONSUL_HTTP_ADDR: consul.url });
  const written = '10.0.0.1:3000*1 10.0.0.2:3000*3';
  await eventually(() => endpointsOf(fairlead, 'keys') === written, 'the commands of the page');
  assert.match(await stop(), /^[abc]+$/, 'no request failed');
  assert.equal(fairlead.plane.snapshot.revision, 1);
});

/** Instances of service `edge`: id, port, and status of the TTL check. */
async function edges(consul: ConsulCluster): Promise<string> {
  const answer = await fetch(`${consul.url}/v1/health/service/edge`).catch(() => null);
  if (answer?.ok !== true) return 'no answer';
  const found = (await answer.json()) as {
    readonly Service: { readonly ID: string; readonly Port: number; readonly Address: string };
    readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[];
  }[];
  return found
    .map(({ Service: { ID, Address, Port }, Checks }) => {
      const own = Checks.find(({ CheckID }) => CheckID === `${ID}:ready`);
      return `${ID} ${Address}:${Port} ${own?.Status}`;
    })
    .join(', ');
}

test('Fairlead registers itself, again with an agent that has lost it, until a drain begins', async (t) => {
  const program = requirePeer(t, 'consul');
  if (program === undefined) return;
  const consul = await ConsulCluster.start(t, program, 1);
  const yaml = (register: string): string => `
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ respond: { status: 200, body: ok } }]
workers: 1
admin: { bind: "127.0.0.1:0" }
shutdown: { delay: 1s }
${register}
`;
  const register = (id: string): string =>
    `register: { consul: { address: "${consul.url}", service: edge, ttl: 3s, id: ${id} } }`;
  const fairlead = await startFairlead(t, yaml(register('one')));
  const expected = (id: string): string => `${id} 127.0.0.1:${fairlead.port} passing`;
  const untilIs = (what: string, instances: string): Promise<void> =>
    eventually(async () => (await edges(consul)) === instances, what);
  await untilIs('it is registered', expected('one'));
  await consul.put('agent/service/deregister/one');
  await untilIs('and again after it was removed', expected('one'));
  consul.kill(0);
  await eventually(
    async () => /fairlead_registered\{id="one"\} 0/.test(await (await fetch(`${fairlead.adminUrl}/metrics`)).text()),
    'the loss of the agent shows in metrics',
  );
  consul.launch(0);
  await untilIs('the agent is back', expected('one'));
  fairlead.rewrite(yaml(register('two')));
  assert.equal((await fairlead.plane.reload()).ok, true);
  await untilIs('a reload replaces it', expected('two'));
  const drained = fairlead.plane.drain(1_000);
  await untilIs('a drain removes it', '');
  assert.equal((await fetch(fairlead.url)).status, 200, 'while the listener is still open');
  await drained;
});
