// TCP listeners with real worker threads and sockets: relaying, placement, retries, limits, drains and reloads. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { UPSTREAM } from '../../../core/memory/layout.ts';
import { resetSocket } from '../../../net/reset-socket.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';
import { patientMs } from '../../support/patience.ts';
import { startTcpEndpoint, type TcpClient, tcpClient, type TcpEndpoint } from '../../support/tcp-endpoint.ts';

interface Upstream {
  readonly endpoints: readonly TcpEndpoint[];
  readonly more?: string;
}

/** One listener, route and upstream for each name. */
function config(upstreams: Readonly<Record<string, Upstream>>, more = ''): string {
  const names = Object.keys(upstreams);
  const upstreamText = ([name, one]: [string, Upstream]): string => `
  ${name}:
    endpoints: [${one.endpoints.map(({ port }) => `"tcp://127.0.0.1:${port}"`).join(', ')}]
    health: { heartbeat: false }
    ${one.more ?? ''}`;
  return `
workers: 1
listeners: [${names.map((name) => `{ name: ${name}, mode: tcp, bind: "127.0.0.1:0" }`).join(', ')}]
routes: [${names.map((name) => `{ match: { listener: ${name} }, upstream: ${name} }`).join(', ')}]
upstreams:${Object.entries(upstreams).map(upstreamText).join('')}
${more}`;
}

function portOf({ plane }: RunningFairlead, listener: string): number {
  return plane.bound.find(({ name }) => name === listener)!.port;
}

function availabilityOf({ plane }: RunningFairlead, endpoint: TcpEndpoint): string {
  return plane.health.endpoints().find(({ name }) => name.endsWith(`:${endpoint.port}`))!.availability;
}

function queuedAt({ plane }: RunningFairlead, upstream: string): number {
  const { index } = plane.snapshot.upstreams.find(({ name }) => name === upstream)!;
  return plane.region.words[plane.region.upstreamWord(index) + UPSTREAM.queued.index]!;
}

/** A server that sends as much as is taken, and counts it. */
function sender(endpoint: TcpEndpoint): () => number {
  let sent = 0;
  endpoint.serve = (socket) => {
    const chunk = Buffer.alloc(65_536);
    const fill = (): void => {
      while (sent < 256 * 1024 * 1024 && socket.write(chunk)) sent += chunk.length;
    };
    socket.on('drain', fill);
    fill();
  };
  return () => sent;
}

// size: the cases share one proxy, and each is a subtest
test('TCP sessions', async (t) => {
  const names = ['echo', 'answer', 'sender', 'dead', 'alive', 'full', 'idle', 'old', 'next'] as const;
  const list = await Promise.all(names.map((name) => startTcpEndpoint(t, name)));
  const at = Object.fromEntries(names.map((name, index) => [name, list[index]!])) as Record<
    (typeof names)[number],
    TcpEndpoint
  >;
  at.answer.serve = (socket) => {
    socket.on('data', () => undefined);
    socket.on('end', () => socket.end('answer after the end'));
  };
  const sentBy = sender(at.sender);
  await at.dead.kill();
  const file = join(tmpdir(), `fairlead-tcp-${process.pid}.log`);
  t.after(() => rmSync(file, { force: true }));
  const yaml = config(
    {
      echo: { endpoints: [at.echo] },
      answer: { endpoints: [at.answer] },
      sender: { endpoints: [at.sender] },
      retried: { endpoints: [at.dead, at.alive], more: 'balance: first' },
      full: { endpoints: [at.full], more: 'limits: { maxConnections: 1, maxQueue: 1 }\n    timeouts: { queue: 30s }' },
      impatient: { endpoints: [at.dead], more: 'timeouts: { queue: 100ms }' },
      failing: { endpoints: [at.dead], more: 'whenAllDown: fail' },
      idle: { endpoints: [at.idle], more: 'timeouts: { tunnel: 200ms }' },
      down: { endpoints: [at.old, at.next], more: 'balance: first\n    onDown: close' },
    },
    `accessLog: { output: ${file} }`,
  );
  const fairlead = await startFairlead(t, yaml);
  const open = (listener: string): TcpClient => tcpClient(portOf(fairlead, listener));
  const logged = (): Record<string, unknown>[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  await t.test('relay both directions, each half-close by itself, and nothing is lost', async () => {
    const client = open('echo');
    await client.received(/^echo\n$/);
    const size = 8 * 1024 * 1024;
    client.socket.end(Buffer.alloc(size, 'x'));
    assert.equal(await client.closed, 'end');
    assert.equal(client.text().length, size + 5);
  });

  await t.test('deliver bytes and the end of a client that has half-closed before it was connected', async () => {
    const client = open('answer');
    client.socket.end('question');
    assert.equal(await client.closed, 'end');
    assert.equal(client.text(), 'answer after the end');
  });

  await t.test('pass a reset on, in both directions', async () => {
    const first = open('echo');
    await first.received(/echo/);
    for (const socket of at.echo.sockets) resetSocket(socket);
    assert.equal(await first.closed, 'reset');
    const second = open('echo');
    await second.received(/echo/);
    const errors: unknown[] = [];
    for (const socket of at.echo.sockets) socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
    resetSocket(second.socket);
    await eventually(() => at.echo.sockets.size === 0, 'the endpoint sees the end');
    assert.deepEqual(errors, ['ECONNRESET']);
  });

  await t.test('do not read faster than the other side takes', async () => {
    const client = open('sender');
    client.socket.pause();
    let before = -1;
    await eventually(async () => {
      const isSteady = sentBy() === before && before > 0;
      before = sentBy();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return isSteady;
    }, 'the endpoint has to wait');
    assert.ok(sentBy() < 64 * 1024 * 1024, `${sentBy()} bytes were taken from the endpoint`);
    client.socket.destroy();
  });

  await t.test('go to another endpoint where one refuses connections, which becomes suspect', async () => {
    const client = open('retried');
    await client.received(/alive/);
    await eventually(() => availabilityOf(fairlead, at.dead) !== 'up', 'it is suspect');
    client.socket.end();
    await client.closed;
    await eventually(() => logged().some(({ upstream }) => upstream === 'retried'), 'it is logged');
    const { attempts, redispatched, failure, termination } = logged().find(({ upstream }) => upstream === 'retried')!;
    const wanted = { attempts: 2, redispatched: true, failure: 'connect-refused', termination: 'ok' };
    assert.deepEqual({ attempts, redispatched, failure, termination }, wanted);
  });

  await t.test('wait in the queue for a place, and are closed where that is full', async () => {
    const first = open('full');
    await first.received(/full/);
    const second = open('full');
    second.socket.write('held');
    const isQueued = (): boolean => queuedAt(fairlead, 'full') === 1;
    await eventually(isQueued, 'the second one is queued');
    assert.equal(await open('full').closed, 'reset');
    first.socket.end();
    await second.received(/full\nheld/);
    assert.equal(at.full.accepted, 2);
    second.socket.end();
    await second.closed;
  });

  await t.test('are closed when no endpoint accepts them in time', async () => {
    assert.equal(await open('impatient').closed, 'reset');
    assert.equal(await open('failing').closed, 'reset');
  });

  await t.test('end when they have been idle for too long', async () => {
    const client = open('idle');
    await client.received(/idle/);
    assert.equal(await client.closed, 'reset');
    await eventually(() => at.idle.sockets.size === 0, 'the endpoint sees the end');
  });

  await t.test('are closed with onDown: close when their endpoint is out of use', async () => {
    const client = open('down');
    await client.received(/old/);
    fairlead.plane.health.setAdmin('down', `127.0.0.1:${at.old.port}`, 'maintenance', 'a test');
    assert.equal(await client.closed, 'reset');
    const next = open('down');
    await next.received(/next/);
    next.socket.end();
    await next.closed;
  });

  await t.test('have one line each in the access log, with bytes and the cause of the end', async () => {
    const causes = (): string[] =>
      [...new Set(logged().map(({ termination }) => String(termination)))].toSorted((a, b) => a.localeCompare(b));
    const wanted = [
      'clientGoneData',
      'connectFailed',
      'endpointDown',
      'endpointGoneData',
      'ok',
      'queueFull',
      'queueTimeout',
      'sessionIdle',
    ];
    await eventually(() => causes().length >= wanted.length, `all causes, not only ${causes().join(' ')}`).catch(
      () => undefined,
    );
    assert.deepEqual(causes(), wanted);
    const { listener, route, endpoint, bytesReceived, bytesSent, attempts } = logged().find(
      (one) => one['upstream'] === 'answer',
    )!;
    assert.deepEqual(
      { listener, route, endpoint, bytesReceived, bytesSent, attempts },
      {
        listener: 'answer',
        route: 'route-2',
        endpoint: `127.0.0.1:${at.answer.port}`,
        bytesReceived: 8,
        bytesSent: 20,
        attempts: 1,
      },
    );
  });
});

test('TCP sessions survive a reload that keeps their endpoint, and end after the drain time of one that removes it', async (t) => {
  const [first, second] = [await startTcpEndpoint(t, 'first'), await startTcpEndpoint(t, 'second')];
  const more = 'balance: first';
  const fairlead = await startFairlead(t, config({ db: { endpoints: [first, second], more } }));
  const client = tcpClient(fairlead.port);
  await client.received(/first/);
  fairlead.rewrite(config({ db: { endpoints: [first], more } }));
  await fairlead.plane.reload();
  client.socket.write('still here');
  await client.received(/still here/);
  fairlead.rewrite(config({ db: { endpoints: [second] } }, 'reload: { drain: 100ms }'));
  await fairlead.plane.reload();
  assert.equal(await client.closed, 'reset');
});

test('TCP sessions survive reloads, a drain and the maintenance of their endpoint; a shutdown waits for them and counts those that it cuts', async (t) => {
  const [first, second] = [await startTcpEndpoint(t, 'first'), await startTcpEndpoint(t, 'second')];
  const yaml = config({ db: { endpoints: [first, second], more: 'balance: first' } });
  const fairlead = await startFairlead(t, yaml);
  const { health } = fairlead.plane;
  const [staying, ending] = [tcpClient(fairlead.port), tcpClient(fairlead.port)];
  await Promise.all([staying.received(/first/), ending.received(/first/)]);
  const isAlive = async (word: string): Promise<void> => {
    staying.socket.write(word);
    await staying.received(new RegExp(word));
  };

  fairlead.rewrite(yaml.replace('workers: 1', 'workers: 1\nlog: { level: warn }'));
  await fairlead.plane.reload();
  await isAlive('reloaded');
  for (const state of ['drain', 'maintenance'] as const) {
    health.setAdmin('db', `127.0.0.1:${first.port}`, state, 'a test');
    const next = tcpClient(fairlead.port);
    await next.received(/second/);
    next.socket.end();
    assert.equal(await next.closed, 'end');
    await isAlive(state);
  }

  const graceMs = patientMs(1000);
  const stopped = fairlead.plane.drain(graceMs, 0, 0);
  await isAlive('draining');
  ending.socket.end();
  assert.equal(await ending.closed, 'end');
  assert.equal(await staying.closed, 'reset');
  await stopped;
  const cut = fairlead.log.filter(({ text }) => text.includes('reset at the end of the drain'));
  assert.deepEqual(
    cut.map(({ text }) => text),
    [
      `1 client connection reset at the end of the drain: still open after ${graceMs / 1000} s, 1 of them TCP sessions; raise shutdown.grace to give them more time`,
    ],
  );
});
