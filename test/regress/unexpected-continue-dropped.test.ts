// The 100 (Continue) of an endpoint was dropped where the client had sent no Expect. RFC 9110 section 15.2: a proxy forwards
// 1xx responses unless it requested them itself. The client gets one, of whichever attempt, and none over HTTP/1.0. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, connect as connectHttp2, createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { endWithTest } from '../support/http2-session.ts';
import { RawClient } from '../support/raw-client.ts';
import { answer, fin, ScriptedOrigin, send } from '../support/scripted-origin.ts';
import { shareFairlead } from '../support/shared-fairlead.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** Ports of two endpoints that answer with 100 and 200. @param failures attempts that end after their 100 */
type StartOrigins = (t: TestContext, failures: number) => Promise<readonly number[]>;

async function http1Origins(t: TestContext, failures: number): Promise<readonly number[]> {
  let count = 0;
  const origins = [await ScriptedOrigin.listen(), await ScriptedOrigin.listen()];
  for (const origin of origins) {
    t.after(() => origin.close());
    origin.otherwise = [
      send(CONTINUE),
      (socket, request) => {
        count += 1;
        return (count <= failures ? fin() : send(answer()))(socket, request);
      },
    ];
  }
  return origins.map(({ port }) => port);
}

async function http2Origins(t: TestContext, failures: number): Promise<readonly number[]> {
  let count = 0;
  const ports: number[] = [];
  for (let index = 0; index < 2; index += 1) {
    const server = createHttp2();
    server.on('session', (session) => {
      session.on('error', () => undefined);
      t.after(() => session.destroy());
    });
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined);
      stream.additionalHeaders({ ':status': 100 });
      count += 1;
      if (count <= failures) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      else {
        stream.respond({ ':status': 200, 'content-length': 2 });
        stream.end('ok');
      }
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    ports.push((server.address() as AddressInfo).port);
  }
  return ports;
}

/** Sends a request and returns the statuses of all responses, the final one last. */
type Ask = (t: TestContext, port: number) => Promise<readonly number[]>;

function overHttp1(request: string): Ask {
  return async (t, port) => {
    const client = await RawClient.connect({ port });
    t.after(() => client.destroy());
    client.send(request);
    const statuses: number[] = [];
    while ((statuses.at(-1) ?? 100) < 200) statuses.push((await client.readResponse()).status);
    return statuses;
  };
}

async function overHttp2(t: TestContext, port: number): Promise<readonly number[]> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  endWithTest(t, session);
  const stream = session.request({ ':authority': 'a.test' });
  const statuses: number[] = [];
  stream.on('headers', (headers) => statuses.push(Number(headers[':status'])));
  stream.on('response', (headers) => statuses.push(Number(headers[':status'])));
  await once(stream.resume(), 'end');
  return statuses;
}

const GET = overHttp1('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
const OLD = overHttp1('GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n');
const PUT = 'PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n';

const CASES: readonly (readonly [
  name: string,
  ask: Ask,
  failures: number,
  statuses: readonly number[],
  keys?: string,
])[] = [
  ['reaches an HTTP/1.1 client', GET, 0, [100, 200]],
  ['reaches an HTTP/1.1 client that has sent its body', overHttp1(`${PUT}\r\nhi`), 0, [100, 200]],
  [
    'reaches an HTTP/1.1 client that expects it and has sent its body',
    overHttp1(`${PUT}Expect: 100-continue\r\n\r\nhi`),
    0,
    [100, 200],
  ],
  ['reaches an HTTP/2 client', overHttp2, 0, [100, 200]],
  ['does not reach an HTTP/1.0 client', OLD, 0, [200]],
  ['of a failed attempt permits a retry, and is sent once to HTTP/1.1', GET, 1, [100, 200]],
  ['of a failed attempt permits a retry, and is sent once to HTTP/2', overHttp2, 1, [100, 200]],
  ['of a failed attempt permits a retry for HTTP/1.0', OLD, 1, [200]],
  [
    "does not follow Fairlead's own",
    overHttp1(`${PUT}Expect: 100-continue\r\n\r\nhi`),
    0,
    [100, 200],
    ', expect: respond',
  ],
];

const ORIGINS: readonly (readonly [protocol: string, start: StartOrigins])[] = [
  ['http1', http1Origins],
  ['http2', http2Origins],
];

for (const fastPath of [true, false]) {
  for (const [protocol, start] of ORIGINS) {
    describe(`a 100 of an ${protocol} endpoint, fastPath: ${fastPath}`, () => {
      for (const [name, ask, failures, statuses, keys = ''] of CASES) {
        test(name, async (t) => {
          const ports = await start(t, failures);
          const { port } = await shareFairlead(`fastPath: ${fastPath}`, yamlOf(fastPath, protocol, ports, keys));
          assert.deepEqual(await ask(t, port), statuses);
        });
      }
    });
  }
}

function yamlOf(fastPath: boolean, protocol: string, ports: readonly number[], routeKeys: string): string {
  return `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0", http2: true }]
routes: [{ upstream: app${routeKeys} }]
upstreams:
  app:
    protocol: ${protocol}
    endpoints: [${ports.map((port) => `"http://127.0.0.1:${port}"`).join(', ')}]
    health: { heartbeat: false, passive: { consecutiveFailures: 0, outliers: false } }
`;
}
