// The source `kubernetes` against an API server: list, watch, expired versions, broken connections, credentials.
// Thread: main.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { z } from 'zod';
import { optionSchemas } from '../../../config/schema/schema-values.ts';
import { kubernetes } from '../../../discovery/kubernetes-source.ts';
import type { EndpointSet } from '../../../discovery/source.ts';
import { eventually } from '../../support/fairlead.ts';
import {
  type KubernetesApi,
  kubeconfigFor,
  type KubernetesOptions,
  startKubernetes,
} from '../../support/kubernetes-api.ts';
import { StatusError } from '../../support/kubernetes-store.ts';

function slice(name: string, service: string, hosts: readonly string[], port = 3000) {
  return {
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: hosts.map((host) => ({ addresses: [host], conditions: { ready: true } })),
  };
}

const PLACE = { upstream: 'api', directory: '/etc', serverName: '' };

function compiled(given: object) {
  const options = z.strictObject(kubernetes.options(optionSchemas)).parse(given);
  return { problems: kubernetes.check!(options, PLACE), settings: kubernetes.compile(options, PLACE) };
}

async function begin(t: TestContext, given: object = {}, server: KubernetesOptions = {}, user: object = {}) {
  const api = await startKubernetes(t, server);
  const world = { user, cluster: {} as object, sets: [] as string[], failures: [] as string[], hasFailed: false };
  const timers = {
    // Backoff is a matter of the unit below: here everything is tried again soon.
    after: (delayMs: number, fire: () => void) => {
      const timer = setTimeout(fire, Math.min(delayMs, 20));
      return { cancel: () => clearTimeout(timer) };
    },
  };
  const { settings } = compiled({ service: 'api', namespace: 'shop', kubeconfig: '/k', ...given });
  const context = {
    upstream: 'api',
    clock: { nowMs: () => 0, wallMs: () => 0 },
    timers,
    random: { next: () => 0 },
    files: { watch: () => () => undefined, readText: () => kubeconfigFor(api.url, world.user, world.cluster) },
    parseList: () => ({ ok: false, cause: '' }) as const,
  };
  const start = (): void => {
    const running = kubernetes.start(settings, context, {
      publish: ({ endpoints }: EndpointSet) => {
        world.hasFailed = false;
        world.sets.push(endpoints.map(({ host, port }) => `${host}:${port}`).join());
      },
      fail: (cause) => {
        world.hasFailed = true;
        world.failures.push(cause);
      },
    });
    t.after(() => running.stop());
  };
  const yields = (hosts: string): Promise<void> =>
    eventually(() => world.sets.at(-1) === hosts && !world.hasFailed, `the set is ${hosts}, not ${world.sets.at(-1)}`);
  const fails = (cause: RegExp): Promise<void> =>
    eventually(() => world.hasFailed && cause.test(world.failures.at(-1)!), `${cause}, not ${world.failures.at(-1)}`);
  return { api, world, start, yields, fails };
}

const lists = ({ requests }: KubernetesApi): number =>
  requests.filter((one) => /endpointslices/.test(one) && !/watch=1/.test(one)).length;

describe('the source kubernetes', () => {
  test('lists, watches, unites the slices of its service, and continues after a watch ends', async (t) => {
    const { api, start, yields } = await begin(t);
    api.apply('endpointslices', slice('api-1', 'api', ['10.0.0.1']));
    api.apply('endpointslices', slice('other-1', 'other', ['10.9.9.9']));
    start();
    await yields('10.0.0.1:3000');
    api.apply('endpointslices', slice('api-2', 'api', ['10.0.0.2']));
    await yields('10.0.0.1:3000,10.0.0.2:3000');
    api.endWatches();
    api.apply('endpointslices', slice('api-1', 'api', ['10.0.0.3']));
    await yields('10.0.0.3:3000,10.0.0.2:3000');
    api.remove('endpointslices', 'shop', 'api-2');
    await yields('10.0.0.3:3000');
    api.apply('endpointslices', slice('api-1', 'api', []));
    await yields('');
    assert.equal(lists(api), 1, 'everything was listed once');
    assert.match(api.requests[0]!, /labelSelector=kubernetes\.io%2Fservice-name%3Dapi/);
  });

  test('lists again where its version has expired, in an event and in an answer', async (t) => {
    const { api, world, start, yields } = await begin(t);
    api.apply('endpointslices', slice('api-1', 'api', ['10.0.0.1']));
    start();
    await yields('10.0.0.1:3000');
    await eventually(() => api.watches === 1, 'the watch is open');
    api.endWatches(new StatusError(410, 'Expired', 'too old resource version'));
    await eventually(() => lists(api) === 2 && api.watches === 1, 'listed again');
    await api.stop();
    api.apply('endpointslices', slice('api-1', 'api', ['10.0.0.2']));
    api.store.compact();
    await api.start();
    await yields('10.0.0.2:3000');
    assert.equal(lists(api), 3);
    assert.equal(
      world.failures.some((cause) => /410/.test(cause)),
      false,
      'an expired version is no failure',
    );
  });

  test('continues from a bookmark', async (t) => {
    const { api, world, start, yields } = await begin(t);
    api.apply('endpointslices', slice('api-1', 'api', ['10.0.0.1']));
    start();
    await yields('10.0.0.1:3000');
    await eventually(() => api.watches === 1, 'the watch is open');
    api.apply('endpointslices', slice('other', 'other', []));
    const { length } = world.sets;
    api.bookmark();
    await eventually(() => world.sets.length > length, 'a bookmark confirms the set');
    api.store.compact();
    api.store.version--;
    api.endWatches();
    await eventually(() => api.requests.at(-1)!.includes(`resourceVersion=${api.store.version}`), 'from the bookmark');
  });

  test('keeps its set while the server is down, refuses or answers nonsense', async (t) => {
    const { api, world, start, yields, fails } = await begin(t);
    api.apply('endpointslices', slice('api-1', 'api', ['10.0.0.1']));
    start();
    await yields('10.0.0.1:3000');
    await api.stop();
    await fails(/^the API server 127\.0\.0\.1:\d+ is unreachable: /);
    await api.start();
    await yields('10.0.0.1:3000');
    api.failWith = 503;
    api.endWatches();
    await fails(/^the API server answers 503: the server is failing$/);
    api.failWith = 403;
    await fails(/^the API server answers 403: .*; the RBAC role lacks this permission/);
    api.failWith = 0;
    await yields('10.0.0.1:3000');
    assert.deepEqual([...new Set(world.sets)], ['10.0.0.1:3000']);
    assert.equal(lists(api), 1);
  });

  test('does not take a service without slices for one without endpoints', async (t) => {
    const { api, start, yields, fails } = await begin(t);
    start();
    await fails(/^service shop\/api has no EndpointSlice$/);
    api.apply('endpointslices', slice('api-1', 'api', ['10.0.0.1']));
    await yields('10.0.0.1:3000');
    api.remove('endpointslices', 'shop', 'api-1');
    await fails(/^service shop\/api has no EndpointSlice$/);
  });

  test('finds the port of a number in the service, and follows it', async (t) => {
    const { api, start, yields, fails } = await begin(t, { port: 80 });
    const service = (port: number) => ({
      metadata: { name: 'api', namespace: 'shop' },
      spec: { ports: [{ name: 'http', port, targetPort: 3000 }] },
    });
    api.apply('endpointslices', slice('api-1', 'api', ['10.0.0.1']));
    start();
    await fails(/^there is no service shop\/api$/);
    api.apply('services', service(8080));
    await fails(/^service shop\/api has no port 80$/);
    api.apply('services', service(80));
    await yields('10.0.0.1:3000');
  });

  test('reads lists in pages', async (t) => {
    const { api, world, start } = await begin(t);
    for (let at = 0; at < 1_201; at++)
      api.apply('endpointslices', slice(`api-${at}`, 'api', [`10.1.${at >> 8}.${at & 255}`]));
    start();
    await eventually(() => world.sets.at(-1)?.split(',').length === 1_201, 'all pages are there');
    assert.equal(lists(api), 3);
  });

  test('sources of a namespace share one watch, which ends with the last of them', async (t) => {
    const { api, start, yields } = await begin(t, { watch: 'namespace' });
    api.apply('endpointslices', slice('api-1', 'api', ['10.0.0.1']));
    api.apply('endpointslices', slice('other-1', 'other', ['10.9.9.9']));
    start();
    start();
    await yields('10.0.0.1:3000');
    await eventually(() => api.watches === 1, 'one watch');
    assert.equal(lists(api), 1);
  });

  test('reads a token again that has rotated', async (t) => {
    const tokens = new Set(['one']);
    const { api, world, start, yields, fails } = await begin(t, {}, { tokens }, { token: 'one' });
    api.apply('endpointslices', slice('api-1', 'api', ['10.0.0.1']));
    start();
    await yields('10.0.0.1:3000');
    tokens.clear();
    tokens.add('two');
    api.endWatches();
    await fails(/^the API server answers 401: Unauthorized; the token or client certificate is not accepted$/);
    world.user = { token: 'two' };
    await yields('10.0.0.1:3000');
  });

  test('fails for a kubeconfig that it refuses', async (t) => {
    const { start, fails } = await begin(t, {}, {}, { exec: { command: 'aws' } });
    start();
    await fails(/has "exec", which is refused/);
  });
});

describe('the options of the source kubernetes', () => {
  test('contradictions are found', () => {
    assert.match(compiled({ service: 'api', context: 'prod' }).problems[0]!.message, /"context" needs "kubeconfig"/);
    assert.match(compiled({ service: 'api', scheme: 'https' }).problems[0]!.message, /needs "tls.serverName"/);
    assert.deepEqual(compiled({ service: 'api' }).problems, []);
  });

  test('name the service for operators', () => {
    const { settings } = compiled({ service: 'api', namespace: 'shop', port: 'http' });
    assert.equal(kubernetes.describe(settings), 'shop/api:http');
  });
});
