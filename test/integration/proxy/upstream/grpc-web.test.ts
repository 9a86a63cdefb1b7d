// gRPC-Web through a complete Fairlead to a gRPC server (@grpc/grpc-js), over HTTP/1.1 and HTTP/2. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { test } from 'node:test';
import { startFairlead } from '../../../support/fairlead.ts';
import { GrpcEcho, METHODS, type Method } from '../../../support/grpc-echo.ts';
import { endWithTest } from '../../../support/http2-session.ts';

function message(text: string, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(text.length, 1);
  return Buffer.concat([prefix, Buffer.from(text)]);
}

/** Messages of a body, and the trailers as text. */
function framesOf(body: Buffer): { readonly messages: string[]; readonly trailers: string } {
  const messages: string[] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    const text = body.toString('latin1', at + 5, end);
    if (body[at] === 0x80) return { messages, trailers: text };
    messages.push(text);
    at = end;
  }
  return { messages, trailers: 'none' };
}

// size: the cases share one proxy
test('gRPC-Web calls of both forms and protocols, their failures, and CORS', async (t) => {
  const echo = await GrpcEcho.listen();
  t.after(() => echo.close());
  const fairlead = await startFairlead(
    t,
    `listeners: [{ name: web, bind: 127.0.0.1:0, http2: true }]
routes:
  - { match: { path: /test.Echo/Slow }, upstream: none, grpcWeb: true }
  - { match: { path: { exact: /test.Echo/Client } }, upstream: app }
  - { match: { path: /test.Echo/ }, upstream: app, grpcWeb: true, cors: { origins: https://a.test, methods: [POST] } }
upstreams:
  app: { endpoints: [http://127.0.0.1:${echo.port}], protocol: http2, health: { heartbeat: false } }
  none: { endpoints: [http://127.0.0.1:1], protocol: http2, whenAllDown: fail, retry: { attempts: 0 }, health: { heartbeat: false } }
`,
  );
  const type = 'application/grpc-web+proto';
  const overHttp1 = async (method: Method, body: Buffer, contentType = type) => {
    const headers = { 'content-type': contentType, origin: 'https://a.test' };
    const answer = await fetch(`${fairlead.url}${METHODS[method]}`, {
      method: 'POST',
      headers,
      body: Uint8Array.from(body),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const isText = answer.headers.get('content-type')?.includes('-text') === true;
    // Each part is padded by itself.
    const parts = bytes.toString('latin1').match(/[^=]+=*/g) ?? [];
    const decoded = isText ? Buffer.concat(parts.map((part) => Buffer.from(part, 'base64'))) : bytes;
    return { answer, ...framesOf(decoded) };
  };

  const unary = await overHttp1('unary', message('hello'));
  assert.deepEqual([unary.answer.status, unary.answer.headers.get('content-type')], [200, type]);
  assert.equal(unary.answer.headers.get('access-control-allow-origin'), 'https://a.test');
  assert.deepEqual(unary.messages, ['hello']);
  assert.match(unary.trailers, /^grpc-status: 0\r\n/);
  const server = await overHttp1('server', message('abc'));
  assert.deepEqual(server.messages, ['abc', 'abc', 'abc']);
  const text = await overHttp1('server', Buffer.from(message('ab').toString('base64')), 'application/grpc-web-text');
  assert.equal(text.answer.headers.get('content-type'), 'application/grpc-web-text+proto');
  assert.deepEqual(text.messages, ['ab', 'ab']);
  assert.match(text.trailers, /^grpc-status: 0\r\n/);
  assert.match((await overHttp1('fail', message('x'))).trailers, /grpc-status: 14\r\n/);
  const own = await overHttp1('slow', message('x'));
  assert.deepEqual([own.answer.status, own.messages], [200, []]);
  assert.match(own.trailers, /^grpc-status: 14\r\ngrpc-message: /);
  const malformed = await overHttp1('unary', Buffer.from('****'), 'application/grpc-web-text');
  assert.match(malformed.trailers, /^grpc-status: 13\r\n/);
  const unconverted = await overHttp1('client', message('x'));
  assert.doesNotMatch(unconverted.answer.headers.get('content-type')!, /grpc-web/, 'a route without the policy');
  const preflight = await fetch(`${fairlead.url}${METHODS.unary}`, {
    method: 'OPTIONS',
    headers: {
      origin: 'https://a.test',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-grpc-web,x-user-agent,grpc-timeout',
    },
  });
  const allowed = preflight.headers.get('access-control-allow-headers');
  assert.deepEqual([preflight.status, allowed], [204, 'content-type,x-grpc-web,x-user-agent,grpc-timeout']);

  const session = http2.connect(fairlead.url);
  endWithTest(t, session);
  const stream = session.request({ ':method': 'POST', ':path': METHODS.unary, 'content-type': type });
  stream.end(message('over HTTP/2'));
  const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  assert.equal(head['content-type'], type);
  const answer = framesOf(Buffer.concat(chunks));
  assert.deepEqual(answer.messages, ['over HTTP/2']);
  assert.match(answer.trailers, /^grpc-status: 0\r\n/);
});
