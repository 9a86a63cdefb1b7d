// The gRPC heartbeat against real HTTP/2 servers. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2, { type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { grpc } from '../../../../health/checkers/grpc-check.ts';
import type { HeartbeatResult } from '../../../../health/checkers/checker.ts';
import { refusingPort, resultOf, targetAt } from '../../../support/heartbeat-target.ts';
import { ORIGIN_CERTIFICATE, ORIGIN_KEY } from '../../../support/origin-certificate.ts';

const CREDENTIALS = { cert: ORIGIN_CERTIFICATE, key: ORIGIN_KEY };
const CA = { ca: [ORIGIN_CERTIFICATE] };
const GRPC = { kind: 'grpc', service: 'shop.v1.Orders' } as const;

/** One check as the server received it. */
interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Respond = (stream: ServerHttp2Stream) => void;

async function portOf(t: TestContext, server: Server | Http2Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server of gRPC that answers each check by `respond`. */
async function grpcServer(
  t: TestContext,
  respond: Respond,
  isSecure = false,
): Promise<{ port: number; asked: Asked[] }> {
  const server = isSecure ? http2.createSecureServer(CREDENTIALS) : http2.createServer();
  const asked: Asked[] = [];
  server.on('sessionError', () => {});
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      asked.push({ headers, body: Buffer.concat(chunks) });
      respond(stream);
    });
  });
  return { port: await portOf(t, server), asked };
}

/** Answers as a gRPC server does: head, one message, trailers. */
function message(status: readonly number[], trailers: Record<string, string> = { 'grpc-status': '0' }): Respond {
  return (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(Buffer.of(0, 0, 0, 0, status.length, ...status));
  };
}

/** Answers with a head alone, as a gRPC server does that has nothing to say but an error ("Trailers-Only"). */
function headOnly(fields: Record<string, string | number>): Respond {
  return (stream) => stream.respond({ ':status': 200, ...fields }, { endStream: true });
}

async function findingOf(t: TestContext, respond: Respond): Promise<HeartbeatResult> {
  const { port } = await grpcServer(t, respond);
  return resultOf(grpc, targetAt({ port }, GRPC));
}

const SERVING: Respond = message([0x08, 1]);

describe('the gRPC heartbeat', () => {
  test('calls grpc.health.v1.Health/Check for its service', async (t) => {
    const { port, asked } = await grpcServer(t, SERVING);
    const found = await resultOf(grpc, targetAt({ port }, GRPC));
    assert.deepEqual(found, { kind: 'ok', cause: 'got SERVING' });
    const [{ headers, body }] = asked as [Asked];
    assert.equal(headers[':method'], 'POST');
    assert.equal(headers[':path'], '/grpc.health.v1.Health/Check');
    assert.equal(headers[':scheme'], 'http');
    assert.equal(headers[':authority'], `127.0.0.1:${port}`);
    assert.equal(headers['content-type'], 'application/grpc');
    assert.equal(headers.te, 'trailers');
    assert.equal(headers['grpc-timeout'], '1000m');
    assert.deepEqual(body, Buffer.concat([Buffer.of(0, 0, 0, 0, 16, 0x0a, 14), Buffer.from('shop.v1.Orders')]));
  });

  const rows: readonly (readonly [title: string, respond: Respond, cause: string])[] = [
    ['NOT_SERVING', message([0x08, 2]), 'got NOT_SERVING'],
    ['UNKNOWN, which is sent as nothing', message([]), 'got UNKNOWN'],
    ['SERVICE_UNKNOWN', message([0x08, 3]), 'got SERVICE_UNKNOWN'],
    ['a status of a later version', message([0x08, 9]), 'got status 9'],
    ['what is no message', message([0x08]), 'got a malformed answer'],
    ['NOT_FOUND', headOnly({ 'grpc-status': '5' }), 'got NOT_FOUND: unknown service "shop.v1.Orders"'],
    ['a server without the protocol', headOnly({ 'grpc-status': '12' }), 'got UNIMPLEMENTED'],
    ['an error behind the message', message([0x08, 1], { 'grpc-status': '14' }), 'got UNAVAILABLE'],
    ['a status that is none', headOnly({ 'grpc-status': '99' }), 'got a grpc-status that is none'],
    ['no status at all', message([0x08, 1], {}), 'got an answer without grpc-status'],
    ['a server of something else', headOnly({ ':status': 404 }), 'got 404'],
  ];
  for (const [title, respond, cause] of rows) {
    test(`fails at ${title}`, async (t) => assert.deepEqual(await findingOf(t, respond), { kind: 'fail', cause }));
  }

  test('does not wait for more than an answer of the protocol can be', async (t) => {
    const found = await findingOf(t, (stream) => {
      stream.respond({ ':status': 200 });
      stream.write(Buffer.alloc(4_096));
    });
    assert.deepEqual(found, { kind: 'fail', cause: 'an answer that is too large' });
  });

  test('reads the agent report of the endpoint from head or trailers', async (t) => {
    const inTrailers = message([0x08, 1], { 'grpc-status': '0', 'x-fairlead-agent': 'drain' });
    assert.equal((await findingOf(t, inTrailers)).agentWords, 'drain');
    assert.equal((await findingOf(t, headOnly({ 'grpc-status': '0', 'x-fairlead-agent': '50%' }))).agentWords, '50%');
  });
});

describe('an endpoint that fails a gRPC heartbeat', () => {
  test('refuses connections', async (t) => {
    const found = await resultOf(grpc, targetAt({ port: refusingPort(t) }, GRPC));
    assert.deepEqual(found, { kind: 'fail', cause: 'connection refused' });
  });

  test('resets the stream', async (t) => {
    const found = await findingOf(t, (stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
    assert.equal(found.kind, 'fail');
    assert.match(found.cause, /^HTTP\/2 failed: .*NGHTTP2_INTERNAL_ERROR/);
  });

  test('goes away before it answers', async (t) => {
    const found = await findingOf(t, (stream) => stream.session!.destroy());
    assert.equal(found.kind, 'fail');
    assert.match(found.cause, /^(connection closed before the response|connection reset)/);
  });

  test('speaks HTTP/1.1', async (t) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'));
    });
    const found = await resultOf(grpc, targetAt({ port: await portOf(t, server) }, GRPC));
    assert.equal(found.kind, 'fail');
    assert.match(found.cause, /^HTTP\/2 failed: /);
  });
});

describe('the gRPC heartbeat over TLS', () => {
  test('needs HTTP/2 by ALPN, and a certificate that holds', async (t) => {
    const { port } = await grpcServer(t, SERVING, true);
    const at = (tlsOf: Parameters<typeof targetAt>[2]) => targetAt({ port, protocol: 'https' }, GRPC, tlsOf);
    assert.deepEqual(await resultOf(grpc, at(CA)), { kind: 'ok', cause: 'got SERVING' });
    assert.match(
      (await resultOf(grpc, at({}))).cause,
      /^TLS failed: its certificate is self-signed: name it in tls\.ca/,
    );
  });

  test('is nothing for a server that offers no HTTP/2', async (t) => {
    const server = tls.createServer(CREDENTIALS, (socket) => socket.on('error', () => {}));
    const target = targetAt({ port: await portOf(t, server), protocol: 'https' }, GRPC, CA);
    assert.deepEqual(await resultOf(grpc, target), { kind: 'fail', cause: 'TLS without HTTP/2 (ALPN h2)' });
  });
});

describe('a cancelled gRPC heartbeat', () => {
  test('reports nothing more and leaves no connection', async (t) => {
    const server = http2.createServer();
    const port = await portOf(t, server);
    const check = grpc.run(targetAt({ port }, GRPC), () => assert.fail('nothing may come after a cancel'));
    assert.equal(check.phase(), 'connecting');
    const [session] = await once(server, 'session');
    const closed = once(session as http2.ServerHttp2Session, 'close');
    await t.waitFor(() => assert.equal(check.phase(), 'waiting for the response'));
    check.cancel();
    await closed;
    check.cancel();
  });
});
