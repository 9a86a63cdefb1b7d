// Tunnels over streams of an HTTP/2 endpoint, frame by frame. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { resetSocket } from '../../../../../net/reset-socket.ts';
import { ErrorCode } from '../../../../../proxy/http2/error-code.ts';
import { eventually } from '../../../../support/fairlead.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';
import { Http2Origin, type Http2Request } from '../../../../support/http2-origin.ts';
import {
  HANDSHAKE,
  type RawClient,
  type RecordedTunnel,
  type TunnelBench,
  type TunnelBenchParts,
  withTunnels,
} from '../../../../support/tunnel-bench.ts';

const ENABLE_CONNECT_PROTOCOL = [8, 1];
const ACCEPTED = [':status', '200', 'sec-websocket-protocol', 'chat'];

function accept({ connection, stream }: Http2Request): void {
  connection.headers(stream, ACCEPTED, false);
}

async function withOrigin(
  parts: TunnelBenchParts,
  onRequest: (request: Http2Request) => void,
  body: (bench: TunnelBench, origin: Http2Origin) => Promise<void>,
  settings = ENABLE_CONNECT_PROTOCOL,
): Promise<void> {
  const origin = await Http2Origin.listen();
  origin.firstSettings = settings;
  origin.onRequest = onRequest;
  try {
    const http2 = { endpoint: { port: origin.port }, upstream: { protocol: 'http2' as const, ...parts.upstream } };
    await withTunnels({ ...parts, ...http2 }, (bench) => body(bench, origin));
  } finally {
    await origin.close();
  }
}

interface Ends {
  readonly bench: TunnelBench;
  readonly client: RawClient;
  readonly tunnel: RecordedTunnel;
  readonly request: Http2Request;
  readonly origin: Http2Origin;
}

async function open(bench: TunnelBench, origin: Http2Origin): Promise<Ends> {
  const client = bench.client();
  await client.received('\r\n\r\n');
  const tunnel = await bench.tunnel();
  await tunnel.opened;
  return { bench, client, tunnel, request: origin.requests[0]!, origin };
}

/** [act, by whom the tunnel was ended, code of the RST_STREAM that the endpoint gets or -1] */
const ENDS: readonly (readonly [string, (ends: Ends) => void | Promise<void>, string, number])[] = [
  [
    'the client ends, then the endpoint',
    async ({ client, request, origin }) => {
      client.socket.end();
      await origin.until(() => request.isEnded);
      request.connection.data(request.stream, '', true);
    },
    'client',
    -1,
  ],
  ['the client resets', ({ client }) => resetSocket(client.socket), 'client', ErrorCode.CANCEL],
  [
    'the endpoint ends, then the client',
    ({ request }) => request.connection.data(request.stream, '', true),
    'endpoint',
    -1,
  ],
  [
    'the endpoint ends and resets with NO_ERROR, as node:http2 does',
    ({ request: { connection, stream } }) => {
      connection.data(stream, '', true);
      connection.write((writer) => writer.addReset(stream, ErrorCode.NO_ERROR));
    },
    'endpoint',
    -1,
  ],
  [
    'the endpoint resets',
    ({ request: { connection, stream } }) => connection.write((writer) => writer.addReset(stream, ErrorCode.CANCEL)),
    'endpoint',
    -1,
  ],
  ['the connection to the endpoint is lost', ({ request }) => request.connection.socket.destroy(), 'endpoint', -1],
  ['the drain deadline comes', ({ bench }) => bench.tunnels.closeAll(), 'drain', ErrorCode.CANCEL],
];

/** Answers before the tunnel is open, and the outcome. */
const FAILURES: readonly (readonly [string, (request: Http2Request) => void, string])[] = [
  ['closes its connection', ({ connection }) => connection.socket.destroy(), 'reset sent'],
  [
    'refuses the stream',
    ({ connection, stream }) => connection.write((writer) => writer.addReset(stream, ErrorCode.REFUSED_STREAM)),
    'refused-stream unsent',
  ],
  [
    'says 101',
    ({ connection, stream }) => connection.headers(stream, [':status', '101'], false),
    'malformed-response sent',
  ],
  [
    'sends a field of HTTP/1.1',
    ({ connection, stream }) => connection.headers(stream, [':status', '200', 'upgrade', 'websocket'], false),
    'malformed-response sent',
  ],
];

describe('a WebSocket to an HTTP/2 endpoint', () => {
  test('is an extended CONNECT without the handshake of HTTP/1.1, whose accept value is computed', () =>
    withOrigin({}, accept, async (bench, origin) => {
      const { client, request } = await open(bench, origin);
      const pseudo = ':method CONNECT :protocol websocket :scheme http :authority a.test :path /chat?x=1';
      const regular = 'sec-websocket-version 13 sec-websocket-protocol chat';
      assert.equal(request.fields.join(' '), `${pseudo} ${regular}`);
      assert.equal(request.isEnded, false);
      const lines = client.text.split('\r\n');
      assert.equal(lines[0], 'HTTP/1.1 101 Switching Protocols');
      assert.ok(lines.includes('sec-websocket-protocol: chat'));
      assert.ok(lines.includes('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo='));
    }));

  test('relays bytes both ways, counts them, and half-closes by END_STREAM', () =>
    withOrigin({}, accept, async (bench, origin) => {
      const client = bench.client(`${HANDSHAKE}first`);
      await client.received('\r\n\r\n');
      const request = await origin.request(0);
      request.connection.data(request.stream, 'from endpoint', false);
      await client.received('from endpoint');
      client.socket.end(', second');
      await origin.until(() => request.isEnded);
      assert.equal(request.body, 'first, second');
      request.connection.data(request.stream, ', late', true);
      await client.received(', late');
      const tunnel = await (await bench.tunnel()).over;
      assert.deepEqual(tunnel.end, { by: 'client', bytesFromClient: 13, bytesFromEndpoint: 19 });
      assert.ok(bench.lane('bytesReceived') > 19);
      assert.equal(bench.lane('http2Streams'), 0);
    }));

  for (const [name, act, by, resetCode] of ENDS) {
    test(`${name}: both sides end, and the stream is closed`, () =>
      withOrigin({}, accept, async (bench, origin) => {
        const ends = await open(bench, origin);
        assert.equal(bench.lane('upgradesOpen'), 1);
        await act(ends);
        await ends.tunnel.over;
        await ends.client.closed;
        assert.deepEqual(ends.tunnel.log, ['lease', 'open', `closed by ${by}`]);
        await eventually(() => bench.lane('http2Streams') === 0, 'no stream is left');
        assert.equal(bench.lane('upgradesOpen'), 0);
        if (resetCode >= 0) await origin.until(() => ends.request.resetCode === resetCode);
        else assert.equal(ends.request.resetCode, -1);
        await eventually(() => bench.clientSockets[0]!.destroyed, 'nothing of the client is left');
      }));
  }

  test('a drain sends a Close frame between two frames', () =>
    withOrigin({}, accept, async (bench, origin) => {
      const { client } = await open(bench, origin);
      bench.tunnels.closeAll();
      await client.closed;
      assert.ok(client.text.endsWith('\x88\x02\x03\xe9'));
    }));

  for (const [name, answer, outcome] of FAILURES) {
    test(`an endpoint that ${name} before it accepts: ${outcome}, and the client can be retried`, () =>
      withOrigin({}, answer, async (bench) => {
        const client = bench.client();
        const tunnel = await (await bench.tunnel()).over;
        assert.deepEqual(tunnel.log, ['lease', `failure ${outcome}`]);
        assert.equal(client.text, '');
        assert.equal(bench.clientSockets[0]!.destroyed, false);
      }));
  }

  test('a refusal is relayed whole as HTTP/1.1', () => {
    const refuse = ({ connection, stream }: Http2Request): void => {
      connection.headers(stream, [':status', '403', 'x-why', 'no'], false);
      connection.data(stream, 'not for you', true);
    };
    return withOrigin({}, refuse, async (bench) => {
      const client = bench.client();
      await client.closed;
      assert.equal(
        client.text,
        'HTTP/1.1 403 Forbidden\r\nx-why: no\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nb\r\nnot for you\r\n0\r\n\r\n',
      );
      assert.deepEqual((await bench.tunnel()).log, ['lease', 'refused 403']);
    });
  });

  test('a refusal that is cut never looks complete', () => {
    const refuse = ({ connection, stream }: Http2Request): void => {
      connection.headers(stream, [':status', '403'], false);
      connection.data(stream, 'not f', false);
      connection.write((writer) => writer.addReset(stream, ErrorCode.INTERNAL_ERROR));
    };
    return withOrigin({}, refuse, async (bench) => {
      const client = bench.client();
      await client.closed;
      assert.ok(!client.text.endsWith('0\r\n\r\n'));
      assert.deepEqual((await bench.tunnel()).log, ['lease', 'closed by endpoint']);
    });
  });

  for (const status of ['200', '204'])
    test(`a length in an acceptance by ${status} says nothing about the tunnel`, () => {
      const answer = ({ connection, stream }: Http2Request): void =>
        connection.headers(stream, [':status', status, 'content-length', '0'], false);
      return withOrigin({}, answer, async (bench, origin) => {
        const { client, request } = await open(bench, origin);
        request.connection.data(request.stream, 'bytes', false);
        await client.received('bytes');
      });
    });

  for (const [what, protocol, settings] of [
    ['extended CONNECT', 'websocket', []],
    ['another protocol', 'other', ENABLE_CONNECT_PROTOCOL],
  ] as const) {
    test(`is refused, with its cause logged, where HTTP/2 has no way for ${what}`, () =>
      withOrigin(
        {},
        accept,
        async (bench, origin) => {
          const client = bench.client(HANDSHAKE.replace('Upgrade: websocket', `Upgrade: ${protocol}`));
          const tunnel = await (await bench.tunnel()).over;
          assert.deepEqual(tunnel.log, ['failure upgrade-unsupported unsent']);
          assert.match(bench.faults.join(), /upgrade-unsupported: .*set protocol: auto or http1$/);
          assert.equal(origin.requests.length, 0);
          assert.equal(client.text, '');
        },
        [...settings],
      ));
  }

  for (const [what, from, to] of [
    ['a key that is no key', 'dGhlIHNhbXBsZSBub25jZQ==', 'short'],
    ['a method other than GET', 'GET ', 'PUT '],
  ] as const) {
    test(`with ${what} is not sent`, () =>
      withOrigin({}, accept, async (bench, origin) => {
        bench.client(HANDSHAKE.replace(from, to));
        assert.deepEqual((await (await bench.tunnel()).over).log, ['failure unsendable-request unsent']);
        assert.equal(origin.requests.length, 0);
      }));
  }

  test('a client that stops reading holds the endpoint back by the window of the stream', () =>
    withOrigin({}, accept, async (bench, origin) => {
      const { client, request } = await open(bench, origin);
      client.socket.pause();
      const chunk = 'x'.repeat(16_384);
      const credit = (): number =>
        request.connection.windowUpdates.reduce(
          (sum, { stream, increment }) => sum + (stream === request.stream ? increment : 0),
          262_144,
        );
      let sent = 0;
      for (let quiet = 0; quiet < 100; quiet += 1) {
        if (credit() - sent < chunk.length) await nextTurn();
        else {
          request.connection.data(request.stream, chunk, false);
          sent += chunk.length;
          quiet = 0;
        }
      }
      assert.ok(sent < 32 * 1024 * 1024, `the endpoint could send ${sent}`);
      const before = client.text.length;
      client.socket.resume();
      await eventually(() => client.text.length - before >= sent, 'the client gets all of it');
    }));

  test('an endpoint whose window is closed holds the client back', () =>
    withOrigin({}, accept, async (bench, origin) => {
      const { client, request } = await open(bench, origin);
      const chunk = Buffer.alloc(65_536, 'y');
      let taken = 0;
      for (let quiet = 0; quiet < 100; quiet += 1) {
        if (client.socket.writableNeedDrain) await nextTurn();
        else {
          client.socket.write(chunk);
          taken += chunk.length;
          quiet = 0;
        }
      }
      assert.equal(request.body.length, 65_535);
      assert.ok(taken < 32 * 1024 * 1024, `the client could send ${taken}`);
      request.connection.write((writer) => {
        writer.addWindowUpdate(0, 0x3fffffff);
        writer.addWindowUpdate(request.stream, 0x3fffffff);
      });
      await origin.until(() => request.body.length === taken);
    }));

  test('an idle tunnel ends by its timeout', () => {
    const timers = new FakeClock();
    const timeouts = { connectMs: 0, responseMs: 0, idleMs: 0, queueMs: 0, tunnelMs: 1000, keepAliveMs: 0 };
    return withOrigin({ timers, upstream: { timeouts } }, accept, async (bench, origin) => {
      const { client, tunnel, request } = await open(bench, origin);
      timers.advance(900);
      request.connection.data(request.stream, 'ping', false);
      await client.received('ping');
      timers.advance(999);
      assert.equal(tunnel.end, null);
      timers.advance(251);
      await client.closed;
      assert.equal(tunnel.end!.by, 'timeout');
      await origin.until(() => request.resetCode === ErrorCode.CANCEL);
    });
  });
});
