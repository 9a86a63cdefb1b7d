// basicAuth and forwardAuth in a whole Fairlead: request bodies, upgrades and the access log, on both HTTP/1.1 paths and
// over HTTP/2. Thread: main.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as http1Request } from 'node:http';
import { connect, type ClientHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type AppServer, startApps } from '../support/app-server.ts';
import { tlsOf } from '../support/client-ways.ts';
import { eventually, PATHS, startFairlead } from '../support/fairlead.ts';
import { RawClient, within } from '../support/raw-client.ts';
import { endWithTest } from '../support/http2-session.ts';

/** Of "correct horse", cost 4. */
const HASH = '$2b$04$8o8jOrMpduLTyqweYF/z2ugQcrcHAVwQwaNDkk16JSMnwzKUpkXS2';
const credentials = (password: string): string => `Basic ${Buffer.from(`alice:${password}`).toString('base64')}`;
const RIGHT = credentials('correct horse');
const WRONG = credentials('wrong horse');
const BODY = Buffer.alloc(200_000, 'all of it ');
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

type Fields = Record<string, string>;
type Post = (path: string, fields: Fields) => Promise<{ status: number; challenge: unknown; text: string }>;

interface Case {
  readonly name: string;
  readonly path: string;
  readonly fields: Fields;
  readonly status: number;
  readonly challenge?: string;
  readonly text: string;
}

const seen = (user: string, authorization: string): string => [user, authorization, sha(BODY)].join(' ');
const CHALLENGE = 'Basic realm="staff", charset="UTF-8"';
const CASES: readonly Case[] = [
  { name: 'no credentials', path: '/basic', fields: {}, status: 401, challenge: CHALLENGE, text: '' },
  {
    name: 'a wrong password',
    path: '/basic',
    fields: { authorization: WRONG, 'x-user': 'root' },
    status: 401,
    challenge: CHALLENGE,
    text: '',
  },
  {
    name: 'the right password',
    path: '/basic',
    fields: { authorization: RIGHT, 'x-user': 'root' },
    status: 200,
    text: seen('alice', '-'),
  },
  { name: 'a denied request', path: '/forward', fields: { 'x-user': 'root' }, status: 403, text: 'no entry' },
  {
    name: 'an allowed request',
    path: '/forward',
    fields: { authorization: RIGHT, 'x-user': 'root' },
    status: 200,
    text: seen('bob', RIGHT),
  },
];

function configOf(isFast: boolean, [app, auth]: readonly AppServer[], folder: string): string {
  // The default fields on one path; on the other one those that could show credentials.
  const format = isFast ? 'json' : '{ name: json, fields: { path: path, status: status, sent: header.authorization } }';
  return `
workers: 1
fastPath: ${isFast}
listeners:
  - { name: web, bind: "127.0.0.1:0" }
  - { name: secure, bind: "127.0.0.1:0"${tlsOf('HTTP/2', folder)} }
accessLog: { output: "${folder}/access.log", format: ${format} }
routes:
  - { match: { path: /basic }, basicAuth: { users: { alice: "${HASH}" }, realm: staff, userField: X-User }, upstream: app }
  - { match: { path: /forward }, forwardAuth: { url: "http://${auth!.address}/check", copyResponse: [X-User] }, upstream: app }
upstreams:
  app: { endpoints: ["http://${app!.address}"], health: { heartbeat: false } }
`;
}

/** The application answers with what it received; the service decides by Authorization. */
function play([app, auth]: readonly AppServer[], calls: string[]): void {
  app!.handler = (request, response) => {
    const hash = createHash('sha256');
    request.on('data', (bytes: Buffer) => hash.update(bytes));
    request.on('end', () => {
      const { 'x-user': user = '-', authorization = '-' } = request.headers;
      response.end([user, authorization, hash.digest('hex')].join(' '));
    });
  };
  app!.onUpgrade = (socket, { headers }) => {
    const user = `X-Seen: ${String(headers['x-user'])} ${headers.authorization ?? '-'}`;
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${user}\r\n\r\n`);
    socket.pipe(socket);
  };
  auth!.handler = ({ method, headers }, response) => {
    const { 'x-forwarded-method': verb, 'x-forwarded-uri': uri, 'content-length': length = '-' } = headers;
    calls.push([method, verb, uri, length].join(' '));
    const isRight = headers.authorization === RIGHT;
    response.writeHead(isRight ? 204 : 403, isRight ? { 'X-User': 'bob' } : {}).end(isRight ? undefined : 'no entry');
  };
}

function postOver1(port: number): Post {
  return (path, headers) =>
    new Promise((resolve, reject) => {
      const sent = http1Request(
        { port, host: '127.0.0.1', path, method: 'POST', headers, agent: false },
        (response) => {
          let text = '';
          response.on('data', (bytes: Buffer) => (text += bytes.toString()));
          response.on('end', () => {
            sent.on('error', () => undefined);
            resolve({ status: response.statusCode!, challenge: response.headers['www-authenticate'], text });
          });
        },
      );
      sent.on('error', reject).end(BODY);
    });
}

function postOver2(session: ClientHttp2Session): Post {
  return async (path, fields) => {
    const stream = session.request({ ':method': 'POST', ':path': path, ...fields });
    stream.end(BODY);
    const [head] = (await within(once(stream, 'response'), 'a response')) as [Record<string, unknown>];
    let text = '';
    stream.on('data', (bytes: Buffer) => (text += bytes.toString()));
    await within(once(stream, 'end'), 'the end of the response');
    stream.on('error', () => undefined).destroy();
    return { status: Number(head[':status']), challenge: head['www-authenticate'], text };
  };
}

for (const isFast of PATHS) {
  // size: the cases share one proxy, and each is a subtest
  test(`fastPath: ${isFast}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-authentication-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const apps = await startApps(t, 2);
    const calls: string[] = [];
    play(apps, calls);
    const { plane, port } = await startFairlead(t, configOf(isFast, apps, folder));
    const session = connect(`https://127.0.0.1:${plane.bound[1]!.port}`, { rejectUnauthorized: false });
    endWithTest(t, session);
    const ways: [string, Post][] = [
      ['HTTP/1.1', postOver1(port)],
      ['HTTP/2', postOver2(session)],
    ];
    for (const [way, post] of ways) {
      for (const { name, path, fields, status, challenge, text } of CASES) {
        await t.test(`${way}: ${name} with a body`, async () => {
          const before = apps[0]!.served;
          const reply = await post(path, fields);
          assert.deepEqual([reply.status, reply.challenge], [status, challenge]);
          if (text !== '') assert.equal(reply.text, text);
          assert.equal(apps[0]!.served - before, status === 200 ? 1 : 0);
        });
      }
    }
    assert.deepEqual(new Set(calls), new Set(['GET POST /forward -']));

    for (const [path, fields, expected] of [
      ['/basic', '', 'HTTP/1.1 401'],
      ['/basic', `Authorization: ${RIGHT}\r\n`, 'X-Seen: alice -'],
      ['/forward', '', 'HTTP/1.1 403'],
      ['/forward', `Authorization: ${RIGHT}\r\n`, `X-Seen: bob ${RIGHT}`],
    ] as const) {
      await t.test(`an upgrade on ${path} with${fields === '' ? 'out' : ''} credentials`, async () => {
        const client = await RawClient.connect({ port });
        t.after(() => client.destroy());
        const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
        client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nX-User: root\r\n${upgrade}\r\n${fields}\r\n`);
        const head = await client.readUntil('\r\n\r\n');
        assert.ok(head.includes(expected), head);
        if (fields === '') return;
        client.send('ping');
        assert.equal(await client.readBytes(4), 'ping');
        client.destroy();
      });
    }

    await t.test('the access log has every request and no credentials', async () => {
      const log = (): string => readFileSync(join(folder, 'access.log'), 'utf8');
      const lines = CASES.length * ways.length + 4;
      await eventually(() => log().split('\n').length > lines, `${lines} lines`);
      for (const secret of [RIGHT, WRONG]) assert.ok(!log().includes(secret.slice('Basic '.length)));
      assert.doesNotMatch(log(), /horse|\$2b\$/);
      if (!isFast) assert.match(log(), /"sent":"<hidden>"/);
    });
  });
}
