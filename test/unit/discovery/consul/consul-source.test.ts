// The source `consul` against a played agent: indexes, consistency, tokens, datacenters, failures. Thread: main.

import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { z } from 'zod';
import { optionSchemas } from '../../../../config/schema/schema-values.ts';
import { parseEndpointList } from '../../../../config/files/endpoint-list.ts';
import { consul } from '../../../../discovery/consul-source.ts';
import { nextIndex } from '../../../../discovery/consul/consul-query.ts';
import type { EndpointSet } from '../../../../discovery/source.ts';
import { sourceContext, startDiscoveryServer } from '../../../support/discovery-server.ts';
import { eventually } from '../../../support/fairlead.ts';

interface Answer {
  readonly hosts?: readonly string[];
  readonly status?: number;
  readonly text?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

function textOf({ hosts = [], text }: Answer): string {
  return text ?? JSON.stringify(hosts.map((host) => ({ Service: { ID: host, Address: host, Port: 80 } })));
}

/** Starts the source at an agent that gives the answers in turn, and doesn't answer after the last one. */
async function begin(t: TestContext, given: object, answers: (request: IncomingMessage) => Answer | undefined) {
  const tokens: unknown[] = [];
  const server = await startDiscoveryServer(t, (request: IncomingMessage, response: ServerResponse) => {
    tokens.push(request.headers['x-consul-token']);
    const answer = answers(request);
    if (answer === undefined) return;
    response.writeHead(answer.status ?? 200, { 'x-consul-index': '7', ...answer.fields }).end(textOf(answer));
  });
  const options = z
    .strictObject(consul.options(optionSchemas))
    .parse({ address: `http://127.0.0.1:${server.port}`, ...given });
  const settings = consul.compile(options, { upstream: 'api', directory: '/etc', serverName: '' });
  const events: string[] = [];
  const { timers, ...parts } = sourceContext({ '/etc/token': 'from-file\n' });
  // Back-offs take a tenth of their time, limits all of it.
  const after: typeof timers.after = (delayMs, fire) => timers.after(delayMs < 5_000 ? delayMs / 10 : delayMs, fire);
  const context = { ...parts, timers: { after }, parseList: parseEndpointList };
  const running = consul.start(settings, context, {
    publish: ({ endpoints, outdated = '' }: EndpointSet) => {
      const hosts = endpoints.map(({ host, backup }) => `${host}${backup ? '/backup' : ''}`);
      events.push(`${hosts.join(' ')}${outdated === '' ? '' : ` (${outdated})`}`);
    },
    fail: (cause) => void events.push(`failed: ${cause}`),
  });
  t.after(() => running.stop());
  return {
    server,
    events,
    tokens,
    until: (count: number) => eventually(() => events.length >= count, `${count} events`),
  };
}

function inTurn(...answers: readonly Answer[]): () => Answer | undefined {
  let at = 0;
  return () => answers[at++];
}

describe('the source consul', () => {
  test('waits for changes with the index of the last answer', async (t) => {
    const answers = inTurn({ hosts: ['a'] }, { hosts: ['a', 'b'], fields: { 'x-consul-index': '9' } });
    const { server, events } = await begin(
      t,
      { service: 'a/b', tags: ['x', 'y'], wait: '1m', token: 'sesame' },
      answers,
    );
    await eventually(() => server.requests.length === 3, 'three queries');
    const path = 'GET /v1/health/service/a%2Fb?tag=x&tag=y&stale';
    assert.deepEqual(server.requests, [path, `${path}&index=7&wait=60000ms`, `${path}&index=9&wait=60000ms`]);
    assert.deepEqual(events, ['a', 'a b']);
  });

  test('begins again where the index goes backwards', async (t) => {
    const answers = inTurn({ hosts: ['a'] }, { hosts: ['b'], fields: { 'x-consul-index': '3' } });
    const { server, events } = await begin(t, { service: 'api' }, answers);
    await eventually(() => server.requests.length === 3, 'three queries');
    assert.ok(!server.requests[2]!.includes('index='), "the third doesn't wait");
    assert.deepEqual(events, ['a', 'b']);
  });

  test('has rules for indexes', () => {
    const indexOf = (before: number, text?: string): number => nextIndex(before, { 'x-consul-index': text });
    assert.deepEqual([indexOf(0, '5'), indexOf(5, '5'), indexOf(5, '4'), indexOf(0, '0')], [5, 5, 0, 1]);
    assert.deepEqual([indexOf(0), indexOf(5), indexOf(0, 'x'), indexOf(0, '-3'), indexOf(0, '1e3')], [1, 0, 1, 1, 1]);
  });

  for (const [field, value] of [
    ['knownleader', 'false'],
    ['lastcontact', '60000'],
  ] as const) {
    test(`reads from the leader what a server out of touch answers: ${field} ${value}`, async (t) => {
      const fields = { [`x-consul-${field}`]: value };
      const answers = inTurn({ hosts: ['old'], fields }, { hosts: ['new'] });
      const { server, events, until } = await begin(t, { service: 'api' }, answers);
      await until(1);
      assert.deepEqual(events, ['new']);
      assert.deepEqual(
        server.requests.slice(0, 2).map((line) => line.includes('stale')),
        [true, false],
      );
    });
  }

  const failures: readonly (readonly [what: string, answer: Answer, cause: RegExp])[] = [
    ['no leader', { status: 500, text: 'No cluster leader' }, /^failed: status 500: No cluster leader$/],
    ['a refused token', { status: 403, text: 'Permission denied' }, /^failed: permission denied \(403\)/],
    ['control characters', { status: 500, text: '\u001b[2J\nx' }, /^failed: status 500: \[2J x$/],
    ['an empty service', { hosts: [] }, /^failed: service api has no instance$/],
    ['another server', { status: 404 }, /^failed: status 404: this is no Consul agent$/],
    ['no JSON', { text: '<html>' }, /^failed: the list of instances is malformed/],
  ];
  for (const [what, answer, cause] of failures) {
    test(`fails with ${what}, and doesn't wait for the old index afterwards`, async (t) => {
      const { server, events } = await begin(t, { service: 'api' }, inTurn({ hosts: ['a'] }, answer, { hosts: ['b'] }));
      await eventually(() => events.length === 3, 'it recovers');
      assert.deepEqual([events[0], events[2]], ['a', 'b']);
      assert.match(events[1]!, cause);
      assert.ok(!server.requests[2]!.includes('index='));
    });
  }

  test('reads its token for each query, and never sends a malformed one', async (t) => {
    const { tokens } = await begin(t, { service: 'api', tokenFile: 'token' }, () => ({ hosts: ['a'] }));
    await eventually(() => tokens.length > 1, 'two queries');
    assert.deepEqual(new Set(tokens), new Set(['from-file']));
    const missing = await begin(t, { service: 'api', tokenFile: 'missing' }, () => ({ hosts: ['a'] }));
    await missing.until(1);
    assert.deepEqual(missing.events, ['failed: the file /etc/missing is missing']);
    assert.deepEqual(missing.tokens, []);
  });

  test('unites datacenters, the first with precedence, and keeps what is known of one that fails', async (t) => {
    const state: Record<string, Answer> = {
      fra: { hosts: ['a'] },
      ams: { status: 500, text: 'No path to datacenter' },
    };
    const served = new Map<string, Answer>();
    const isWaiting = (url: string, name: string): boolean =>
      url.includes('index=') && served.get(name) === state[name];
    const { server, events } = await begin(t, { service: 'api', datacenters: ['fra', 'ams'] }, ({ url = '' }) => {
      const name = /dc=(\w+)/.exec(url)![1]!;
      if (isWaiting(url, name)) return undefined;
      served.set(name, state[name]!);
      return state[name];
    });
    await eventually(() => events.includes('a (datacenter ams: status 500: No path to datacenter)'), 'the first alone');
    state['ams'] = { hosts: ['b'] };
    await eventually(() => events.includes('a b/backup'), 'both');
    state['ams'] = { status: 500, text: 'x' };
    server.cut();
    await eventually(() => events.some((line) => line.startsWith('a b/backup (datacenter ams:')), 'the last known');
  });

  test('reads lists below a prefix of keys', async (t) => {
    const text = JSON.stringify([{ Key: 'p/a', Value: Buffer.from('http://a:1').toString('base64') }]);
    const { server, events, until } = await begin(t, { kvPrefix: 'p%q/' }, inTurn({ text }, { status: 404 }));
    await until(2);
    assert.deepEqual(events, ['a', 'failed: no key begins with p%q/']);
    assert.equal(server.requests[0], 'GET /v1/kv/p%25q/?recurse&stale');
  });
});
