// Event streams: content, resumption after a disconnect, and slow readers. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { live } from '../../../admin/api/reply-schemas.ts';
import { eventually } from '../../support/fairlead.ts';
import { adminAt, LOOPBACK } from '../../unit/admin/fake-context.ts';
import { AskedServer, errorCode, STATE } from './asked-server.ts';

let asked: AskedServer;

beforeEach(async () => {
  asked = await AskedServer.start();
});
afterEach(() => asked.server.close());

interface Told {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
}

class Stream {
  text = '';
  readonly response: http.IncomingMessage;

  constructor(response: http.IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (this.text += chunk));
    response.on('error', () => undefined);
  }

  static async open(target: string, headers: Record<string, string> = {}): Promise<Stream> {
    const fields = { accept: 'text/event-stream', ...headers };
    const request = http.get({ host: '127.0.0.1', port: asked.port, path: target, headers: fields, agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const stream = new Stream(response);
    await eventually(() => stream.text.startsWith('retry: 2000\n\n'), 'the stream begins');
    return stream;
  }

  get told(): Told[] {
    const blocks = this.text.split('\n\n').slice(0, -1);
    return blocks.map((block) =>
      Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2))),
    );
  }

  of(event: string): Told[] {
    return this.told.filter((one) => one.event === event);
  }
}

function happen(n: number, cause = 'no answer'): void {
  asked.context.health.events.add({
    at: asked.context.clock.wallMs(),
    upstream: 'api',
    endpoint: `api/${n}`,
    axis: 'check',
    from: 'up',
    to: 'down',
    detector: 'heartbeat',
    cause,
    availability: 'down',
  });
}

describe('a stream of events', () => {
  test('tells changes and reloads with their numbers, as the list does', async () => {
    const stream = await Stream.open('/api/v1/events?kind=change&kind=reload');
    assert.equal(stream.response.headers['content-type'], 'text/event-stream; charset=utf-8');
    assert.equal(stream.response.headers['cache-control'], 'no-store');
    happen(1);
    asked.server.noteReload({ ok: false, problems: ['a.yaml:3:1: no'] });
    await eventually(() => stream.of('reload').length === 1, 'both streams get it');
    const told = stream.told.slice(1);
    const listed = (await asked.ask('GET', '/api/v1/events')).json()['events'] as { id: string; kind: string }[];
    assert.deepEqual(
      told.map(({ data }) => JSON.parse(data!) as unknown),
      listed,
    );
    assert.deepEqual(
      told.map(({ id, event }) => ({ id, kind: event })),
      listed.map(({ id, kind }) => ({ id, kind })),
    );
    stream.response.destroy();
  });

  test('tells a client that comes back what it has missed, and all that is kept to one from another life', async () => {
    for (const n of [1, 2, 3]) happen(n);
    const listed = (await asked.ask('GET', '/api/v1/events')).json()['events'] as { id: string }[];
    const back = await Stream.open('/api/v1/events?kind=change', { 'last-event-id': listed[0]!.id });
    await eventually(() => back.of('change').length === 2, 'the missed events arrive');
    assert.deepEqual(
      back.of('change').map(({ id }) => id),
      [listed[1]!.id, listed[2]!.id],
    );
    const other = await Stream.open('/api/v1/events?kind=change', { 'last-event-id': 'gone-7' });
    await eventually(() => other.of('change').length === 3, 'all events arrive');
    for (const stream of [back, other]) stream.response.destroy();
  });

  test('gives a status at once and every second, the same to all, that fits its schema', async () => {
    const streams = [await Stream.open('/api/v1/events'), await Stream.open('/api/v1/events?kind=status')];
    for (const stream of streams) await eventually(() => stream.of('status').length === 1, 'the first status');
    asked.context.clock.advance(1000);
    for (const stream of streams) await eventually(() => stream.of('status').length === 2, 'the second status');
    const [first, second] = streams.map((stream) => stream.of('status')[1]!.data!);
    assert.equal(first, second);
    const { upstreams, generation } = live.parse(JSON.parse(first!));
    assert.equal(generation, 7);
    const { name, weight, operator } = upstreams[0]!.endpoints[1]!;
    assert.deepEqual({ name, weight, operator }, { name: '127.0.0.1:3001', weight: 3, operator: 'ready' });
    for (const stream of streams) stream.response.destroy();
  });

  test('shows that it lives when there is nothing to tell', async () => {
    const stream = await Stream.open('/api/v1/events?kind=change');
    for (let second = 0; second < 10; second++) asked.context.clock.advance(1000);
    await eventually(() => stream.text.includes(': still here\n\n'), 'a comment');
    stream.response.destroy();
  });

  test('ends when a reload changes the tokens: who lost one watches no longer', async () => {
    const stream = await Stream.open('/api/v1/events');
    const ended = once(stream.response, 'end');
    await asked.server.move(adminAt(LOOPBACK, { hosts: ['lb.internal'] }));
    assert.equal(asked.server.openStreams, 1);
    await asked.server.move(adminAt(LOOPBACK, { tokens: [{ name: 'eyes', role: 'read', digest: '0'.repeat(64) }] }));
    await ended;
    assert.equal(asked.server.openStreams, 0);
  });

  test('leaves no timer behind when its client goes', async () => {
    const before = asked.context.clock.pendingCount;
    const stream = await Stream.open('/api/v1/events');
    assert.equal(asked.context.clock.pendingCount, before + 1);
    stream.response.destroy();
    await eventually(() => {
      asked.context.clock.advance(1000);
      return asked.context.clock.pendingCount === before;
    }, 'the timer ends');
  });

  test('is one of 32 at most', async () => {
    const streams = await Promise.all(Array.from({ length: 32 }, () => Stream.open('/api/v1/events?kind=change')));
    const more = await asked.ask('GET', '/api/v1/events', { headers: { accept: 'text/event-stream' } });
    assert.deepEqual([more.status, errorCode(more), more.headers['retry-after']], [503, 'too-many-streams', '10']);
    streams[0]!.response.destroy();
    await eventually(async () => {
      const head = await asked.ask('HEAD', '/api/v1/events', { headers: { accept: 'text/event-stream' } });
      return head.status === 200;
    }, 'there is room again');
    for (const stream of streams) stream.response.destroy();
  });

  test('is closed when its client does not read, before it costs memory, without effect on others', async () => {
    const reader = await Stream.open('/api/v1/events?kind=change');
    const sloth = net.connect({ host: '127.0.0.1', port: asked.port });
    sloth.on('error', () => undefined);
    sloth.write('GET /api/v1/events?kind=change HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n');
    await once(sloth, 'readable');
    const isGone = once(sloth, 'close');
    const cause = 'x'.repeat(64 * 1024);
    let count = 0;
    // Each event is 64 KiB; the kernel's buffers of both ends take a few megabytes.
    await eventually(() => {
      for (let i = 0; i < 4; i++) happen(count++, cause);
      return asked.server.openStreams === 1;
    }, 'the one that does not read is cut off');
    assert.ok(count < 2000, `${count} events`);
    sloth.resume();
    await isGone;
    await eventually(() => reader.of('change').length === count, 'the other one has all');
    reader.response.destroy();
  });

  test('ends with the server', async () => {
    const stream = await Stream.open('/api/v1/events');
    const closed = once(stream.response, 'close');
    await asked.server.close();
    await closed;
    assert.equal(asked.context.clock.pendingCount, 0);
    asked = await AskedServer.start();
  });
});

describe('a list of events', () => {
  test('is for who does not ask for a stream, of the kinds that are asked for', async () => {
    happen(1);
    await asked.post(STATE, { admin: 'drain' });
    asked.server.noteReload({ ok: true, revision: 7, changes: ['one'] });
    for (const accept of ['*/*', 'application/json', 'text/*']) {
      const answer = await asked.ask('GET', '/api/v1/events?kind=reload', { headers: { accept } });
      const events = answer.json()['events'] as Record<string, unknown>[];
      assert.deepEqual(
        events.map(({ kind, changes }) => [kind, changes]),
        [['reload', ['one']]],
      );
    }
    const unknown = await asked.ask('GET', '/api/v1/events?kind=all');
    assert.deepEqual([unknown.status, errorCode(unknown)], [400, 'unknown-kind']);
  });
});
