// The source `docker` against a played engine: events, health, reconnection. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { z } from 'zod';
import { optionSchemas } from '../../../../config/schema/schema-values.ts';
import { docker } from '../../../../discovery/docker-source.ts';
import type { EndpointSet } from '../../../../discovery/source.ts';
import { SourceRunner } from '../../../../discovery/source-runner.ts';
import { sourceContext, startDiscoveryServer } from '../../../support/discovery-server.ts';
import { eventually } from '../../../support/fairlead.ts';
import { type LogLine, recordingLog } from '../../../support/loggers.ts';

interface Played {
  readonly health?: string;
  readonly address?: string;
}

function idOf(name: string): string {
  return Buffer.from(name.padEnd(12, '_')).toString('hex').slice(0, 24);
}

async function begin(t: TestContext, containers: Map<string, Played>) {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-docker-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const where = path.join(folder, 'engine.sock');
  const streams = new Set<ServerResponse>();
  const engine = { status: 200 };
  const server = await startDiscoveryServer(
    t,
    ({ url = '' }, response) => {
      if (url.startsWith('/events')) {
        streams.add(response);
        response.writeHead(200).flushHeaders();
        return;
      }
      if (url.startsWith('/containers/json')) {
        const list = [...containers.keys()].map((name) => ({ Id: idOf(name), Labels: { 'fairlead.upstream': 'api' } }));
        response.writeHead(engine.status).end(JSON.stringify(list));
        return;
      }
      const found = [...containers].find(([name]) => url === `/containers/${idOf(name)}/json`);
      if (found === undefined) {
        response.writeHead(404).end();
        return;
      }
      const [name, { health = '', address = `10.0.0.${name.charCodeAt(0)}` }] = found;
      const State = { Running: true, ...(health !== '' && { Health: { Status: health } }) };
      const NetworkSettings = { Networks: { bridge: { IPAddress: address } } };
      response.end(JSON.stringify({ Id: idOf(name), Name: `/${name}`, State, Config: {}, NetworkSettings }));
    },
    { where },
  );
  const options = z.strictObject(docker.options(optionSchemas)).parse({ address: `unix:${where}`, port: 80 });
  const events: string[] = [];
  const { timers, ...parts } = sourceContext();
  // Back-offs take a tenth of their time, limits all of it.
  const after: typeof timers.after = (delayMs, fire) => timers.after(delayMs < 5_000 ? delayMs / 10 : delayMs, fire);
  const context = { ...parts, timers: { after } };
  const running = docker.start(docker.compile(options, { upstream: 'api', directory: '/', serverName: '' }), context, {
    publish: ({ endpoints, outdated = '' }: EndpointSet) => {
      const names = endpoints.map(({ metadata }) => metadata['container']);
      events.push(`${names.join(' ')}${outdated === '' ? '' : ` (${outdated})`}`);
    },
    fail: (cause) => void events.push(`failed: ${cause}`),
  });
  t.after(() => running.stop());
  const send = (Action: string, name: string, attributes: object = {}): void => {
    const event = { Type: 'container', Action, Actor: { ID: idOf(name), Attributes: attributes } };
    for (const stream of streams) stream.write(`${JSON.stringify(event)}\n`);
  };
  const until = (expected: string): Promise<void> => eventually(() => events.at(-1) === expected, `"${expected}"`);
  return { where, server, engine, streams, events, send, until };
}

describe('the source docker', () => {
  test('follows containers that start, stop and fail their health checks', async (t) => {
    const containers = new Map<string, Played>([
      ['a', {}],
      ['b', { health: 'starting' }],
    ]);
    const { send, until, streams, events } = await begin(t, containers);
    await until('a');
    await eventually(() => streams.size === 1, 'the stream of events');
    containers.set('b', { health: 'healthy' });
    send('health_status: healthy', 'b');
    await until('a b');
    send('kill', 'a', { signal: '1' });
    containers.set('c', {});
    send('start', 'c');
    await until('a b c');
    send('kill', 'a', { signal: '15' });
    await until('b c');
    assert.ok(containers.has('a'), 'it leaves before it has stopped');
    containers.delete('a');
    send('die', 'a');
    containers.set('b', { health: 'unhealthy' });
    send('health_status: unhealthy', 'b');
    await until('c');
    containers.set('a', {});
    send('start', 'a');
    await until('c a');
    containers.delete('c');
    send('die', 'c');
    containers.delete('a');
    send('die', 'a');
    await until('b');
    containers.clear();
    send('die', 'b');
    await until('');
    assert.deepEqual(
      events.filter((event) => event.startsWith('failed')),
      [],
    );
  });

  test('keeps the last good set while the engine fails, and reads again when it is back', async (t) => {
    const containers = new Map<string, Played>([['a', {}]]);
    const { server, engine, streams, until, events } = await begin(t, containers);
    await until('a');
    await eventually(() => streams.size === 1, 'the stream of events');
    engine.status = 500;
    containers.set('b', {});
    streams.clear();
    server.cut();
    await until('failed: the engine answers with status 500');
    assert.ok(events.includes('a') && !events.includes(''));
    engine.status = 200;
    await until('a b');
  });

  test('is stale while a container is left out, with a set that is followed and a cause that is logged once', async (t) => {
    const containers = new Map<string, Played>([
      ['a', {}],
      ['b', { address: '' }],
    ]);
    const { where, streams, send } = await begin(t, containers);
    const log: LogLine[] = [];
    const context = sourceContext();
    const settings = docker.compile(
      z.strictObject(docker.options(optionSchemas)).parse({ address: `unix:${where}`, port: 80 }),
      { upstream: 'api', directory: '/', serverName: '' },
    );
    const runner = new SourceRunner({ kind: 'docker', settings }, null, context, {
      ...context,
      log: recordingLog(log),
      refusalOf: () => null,
      onEvent: () => undefined,
      onChange: () => undefined,
      onReport: () => undefined,
    });
    t.after(() => runner.stop());
    await eventually(() => runner.members.size === 1 && streams.size === 2, 'the first set');
    const cause = 'container b has no address in its networks (bridge)';
    assert.deepEqual([runner.view().state, runner.view().cause], ['stale', cause]);
    containers.set('c', {});
    send('start', 'c');
    await eventually(() => runner.members.size === 2, 'changes are followed');
    assert.equal(runner.view().state, 'stale');
    containers.delete('b');
    send('die', 'b');
    await eventually(() => runner.view().state === 'current', 'it recovers');
    assert.deepEqual(
      log.map(({ level, text }) => `${level}: ${text}`),
      [
        `warn: source docker of upstream api failed: ${cause}; 1 endpoint(s) are kept`,
        'info: source docker of upstream api works again',
      ],
    );
  });

  test('leaves out a container without a usable address, and says so', async (t) => {
    const { until } = await begin(
      t,
      new Map([
        ['a', {}],
        ['b', { address: '' }],
      ]),
    );
    await until('a (container b has no address in its networks (bridge))');
  });
});

describe('the options of the source docker', () => {
  test('are checked', () => {
    const schema = z.strictObject(docker.options(optionSchemas));
    const problemsOf = (given: object) =>
      docker.check!(schema.parse(given), { upstream: 'api', directory: '/', serverName: '' }).map(
        ({ message }) => message,
      );
    assert.deepEqual(problemsOf({}), []);
    assert.match(
      problemsOf({ reach: 'published', network: 'x' })[0]!,
      /"network" is not allowed with reach: published/,
    );
    assert.match(problemsOf({ tls: {} })[0]!, /"tls" has no effect/);
    assert.throws(() => schema.parse({ address: 'tcp://docker:2376' }), /write https:\/\/docker:2376/);
    assert.throws(() => schema.parse({ upstream: 'a b' }));
  });
});
