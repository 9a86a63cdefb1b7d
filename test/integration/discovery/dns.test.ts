// The source `dns` in a complete Fairlead: answers change and fail under load without a lost request. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppServer, startAppsOnAddresses } from '../../support/app-server.ts';
import { startDnsServer } from '../../support/dns-server.ts';
import { eventually, startFairlead } from '../../support/fairlead.ts';

describe('the source dns', () => {
  test('follows changed answers, and keeps its set over all failures, under load', async (t) => {
    const dns = await startDnsServer(t);
    const port = await startAppsOnAddresses(t, ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
    const answer = (...addresses: readonly string[]): void => {
      dns.zone.set('api.test A', { answers: addresses.map((address) => `api.test 0 A ${address}`) });
    };
    dns.zone.set('api.test AAAA', { authority: ['test 0 SOA 1 2 3 4 0'] });
    const source = `{ name: api.test, port: ${port}, minRefresh: 50ms, refresh: 300ms, resolvers: "127.0.0.1:${dns.port}" }`;
    // The name doesn't resolve at the start.
    const fairlead = await startFairlead(
      t,
      `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: api }]
upstreams: { api: { discover: { dns: ${source} }, health: { heartbeat: false }, timeouts: { queue: 20s } } }
`,
    );
    assert.deepEqual(fairlead.plane.snapshot.upstreams[0]!.endpoints, []);
    const answers = new Map<string, number>();
    const end = new AbortController();
    const client = async (): Promise<void> => {
      while (!end.signal.aborted) {
        const body = await fetch(fairlead.url)
          .then(async (response) => (response.ok ? await response.text() : `${response.status}`))
          .catch((error: unknown) => String(error));
        answers.set(body, (answers.get(body) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 4 }, client);
    const uses = (...addresses: readonly string[]) => {
      const before = new Map(answers);
      return eventually(
        () =>
          fairlead.plane.snapshot.upstreams[0]!.endpoints.length === addresses.length &&
          addresses.every((one) => (answers.get(one) ?? 0) > (before.get(one) ?? 0) + 2),
        `${addresses.join()} serve`,
      );
    };
    answer('127.0.0.1');
    await uses('127.0.0.1');
    answer('127.0.0.2', '127.0.0.3');
    await uses('127.0.0.2', '127.0.0.3');
    for (const failure of [{ code: 3 }, { code: 2 }, { authority: ['test 0 SOA 1 2 3 4 0'] }]) {
      const asked = dns.asked.length;
      dns.zone.set('api.test A', failure);
      await eventually(() => dns.asked.length > asked + 6, 'the failure is answered several times');
      await uses('127.0.0.2', '127.0.0.3');
    }
    answer('127.0.0.1', '127.0.0.3');
    await uses('127.0.0.1', '127.0.0.3');
    end.abort();
    await Promise.all(clients);
    assert.deepEqual([...answers.keys()].toSorted(), ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  });

  test('makes every address of an endpoint with `resolve: all` an endpoint', async (t) => {
    const app = new AppServer('a');
    await app.start();
    t.after(() => app.kill());
    const fairlead = await startFairlead(
      t,
      `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: api }]
upstreams:
  api: { endpoints: [{ url: "http://localhost:${app.port}", resolve: all, weight: 3 }], health: { heartbeat: false } }
`,
    );
    const { endpoints } = fairlead.plane.snapshot.upstreams[0]!;
    assert.ok(endpoints.some(({ id, source, weight }) => id === app.address && source === 'dns' && weight === 3));
    assert.equal(await (await fetch(fairlead.url)).text(), 'a');
  });
});
