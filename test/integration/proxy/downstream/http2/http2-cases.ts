// Cases of HTTP/2 for both of its servers: rules for heads, concurrent streams, resets, GOAWAY. Thread: main.

import assert from 'node:assert/strict';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { describe, test } from 'node:test';
import type { Http1Parts } from '../../../../../proxy/downstream/http1/http1-context.ts';
import type { Unparsable } from '../../../../../core/exchange-contract.ts';
import { testCertificate } from '../../../../support/certificates.ts';
import { within } from '../../../../support/raw-client.ts';
import { Bench, type BenchOptions } from '../../../../contract/proxy/downstream/bench.ts';
import { responseHead } from '../../../../contract/proxy/downstream/scripted-starter.ts';

const TLS = { certificates: [testCertificate(['example.test'])], minVersion: 'TLSv1.2', http2: true } as const;
const GET = { ':path': '/', ':authority': 'a' };

type Played = (bench: Bench, session: ClientHttp2Session) => Promise<void>;

/** Parts of our engine; undefined for node:http2. */
let partsOf: () => Http1Parts | undefined = () => undefined;

async function withSession(options: BenchOptions, play: Played): Promise<void> {
  const fast = partsOf();
  const engine = fast === undefined ? {} : { fast };
  const bench = await new Bench({ ...engine, ...options, listener: { tls: TLS } }).start();
  const session = connect(`https://127.0.0.1:${bench.port}`, { rejectUnauthorized: false });
  session.on('error', () => undefined);
  try {
    await play(bench, session);
  } finally {
    session.destroy();
    await bench.stop();
  }
}

/** Status of the response; 0 and the code where the stream was reset instead. */
function outcome(stream: ClientHttp2Stream): Promise<{ status: number; code: number }> {
  const over = new Promise<{ status: number; code: number }>((resolve) => {
    let status = 0;
    stream.on('response', (headers) => {
      status = Number(headers[':status']);
    });
    stream.on('error', () => undefined);
    stream.on('close', () => resolve({ status, code: stream.rstCode ?? -1 }));
    stream.resume();
  });
  return within(over, 'the end of a stream');
}

function once(session: ClientHttp2Session, event: 'goaway' | 'close'): Promise<unknown> {
  return within(new Promise((resolve) => session.once(event, resolve)), event);
}

interface Refusal {
  readonly name: string;
  readonly headers: readonly string[];
  readonly why: Unparsable;
  readonly status: number;
}

/** Malformed requests that both servers reset. */
const RESETS: Readonly<Record<string, readonly string[]>> = {
  'a user name in the authority': [':scheme', 'https', ':path', '/', ':authority', 'u@a'],
  'a path that is none': [':scheme', 'https', ':path', 'x', ':authority', 'a'],
  'a URL as path': [':scheme', 'https', ':path', 'http://b/', ':authority', 'a'],
};

const BASE = [':method', 'GET', ':scheme', 'https'];

/** Malformed requests that our engine resets, as RFC 9113 section 8.1.1 has it, and node:http2 passes on to be answered. */
const MALFORMED: Readonly<Record<string, readonly string[]>> = {
  'Host that differs from :authority': [':scheme', 'https', ':path', '/', ':authority', 'a', 'host', 'b'],
  'a fragment': [':scheme', 'https', ':path', '/a#b', ':authority', 'a'],
  'another scheme': [':scheme', 'ftp', ':path', '/', ':authority', 'a'],
};

const REFUSALS: readonly Refusal[] = [
  {
    name: 'a long path',
    headers: [...BASE, ':path', `/${'a'.repeat(600)}`, ':authority', 'a'],
    why: 'target-too-long',
    status: 414,
  },
  {
    name: 'many fields',
    headers: [...BASE, ':path', '/', ':authority', 'a', ...Array.from({ length: 60 }, () => ['x', '1']).flat()],
    why: 'too-many-fields',
    status: 431,
  },
  {
    name: 'a large head',
    headers: [...BASE, ':path', '/', ':authority', 'a', 'x', 'a'.repeat(5000)],
    why: 'head-too-large',
    status: 431,
  },
  { name: 'CONNECT', headers: [':method', 'CONNECT', ':authority', 'a:80'], why: 'method-not-served', status: 501 },
];

function headCases(isEngine: boolean): void {
  for (const { name, headers, why, status } of REFUSALS) {
    test(`${name}: ${status}, and the connection goes on`, () =>
      withSession({ limits: { headBytes: 4096, headFields: 50, requestLineBytes: 512 } }, async (bench, session) => {
        assert.equal((await outcome(session.request([...headers]))).status, status);
        assert.deepEqual(bench.starter.refused, [why]);
        bench.starter.answerAll((exchange) => exchange.answer());
        assert.equal((await outcome(session.request(GET))).status, 200);
      }));
  }

  for (const [name, headers] of Object.entries(RESETS)) {
    test(`${name}: the stream is reset, and the connection goes on`, () =>
      withSession({}, async (bench, session) => {
        const call = session.request([':method', 'GET', ...headers]);
        assert.deepEqual(await outcome(call), { status: 0, code: constants.NGHTTP2_PROTOCOL_ERROR });
        bench.starter.answerAll((exchange) => exchange.answer());
        assert.equal((await outcome(session.request(GET))).status, 200);
        assert.equal(bench.starter.begun, 1);
      }));
  }

  for (const [name, headers] of Object.entries(MALFORMED)) {
    test(`${name}: ${isEngine ? 'the stream is reset' : '400'}, and the connection goes on`, () =>
      withSession({}, async (bench, session) => {
        const { status, code } = await outcome(session.request([':method', 'GET', ...headers]));
        assert.deepEqual([status, code], isEngine ? [0, constants.NGHTTP2_PROTOCOL_ERROR] : [400, 0]);
        assert.deepEqual(bench.starter.refused, ['malformed']);
        bench.starter.answerAll((exchange) => exchange.answer());
        assert.equal((await outcome(session.request(GET))).status, 200);
      }));
  }

  test('crumbs of a cookie are put together', () =>
    withSession({}, async (bench, session) => {
      const call = session.request([
        ...BASE,
        ':path',
        '/',
        ':authority',
        'h:1',
        'cookie',
        'a=1',
        'x',
        'y',
        'cookie',
        'b=2',
      ]);
      const { head, client } = await bench.starter.next();
      assert.equal(head.authority, 'h:1');
      assert.equal(head.field('cookie'), 'a=1; b=2');
      const own = ['x', 'y'];
      const cookie = ['cookie', 'a=1; b=2'];
      assert.deepEqual(head.endToEndFields(), isEngine ? [...own, ...cookie] : [...cookie, ...own]);
      const done = outcome(call);
      client.cut();
      assert.equal((await done).code, constants.NGHTTP2_INTERNAL_ERROR);
    }));
}

function streamCases(): void {
  test('run side by side: one that is held hinders no other', () =>
    withSession({}, async (bench, session) => {
      const upload = session.request({ ...GET, ':method': 'POST' }, { endStream: false });
      upload.on('error', () => undefined);
      upload.write(Buffer.alloc(1_000_000));
      const held = await bench.starter.next();
      for (let turn = 0; turn < 3; turn++) {
        const post = session.request({ ...GET, ':method': 'POST' });
        const done = outcome(post);
        post.end(Buffer.alloc(60_000));
        const exchange = await bench.starter.next();
        exchange.client.resumeBody();
        await exchange.until('body-end');
        assert.equal(exchange.bodyBytes, 60_000);
        exchange.answer();
        assert.deepEqual(await done, { status: 200, code: 0 });
      }
      held.client.cut();
    }));

  test('a body that differs from its content-length is reported as malformed', () =>
    withSession({}, async (bench, session) => {
      const call = session.request({ ...GET, ':method': 'POST', 'content-length': '10' });
      const done = outcome(call);
      const exchange = await bench.starter.next();
      exchange.client.resumeBody();
      call.end('short');
      assert.equal((await done).code, constants.NGHTTP2_PROTOCOL_ERROR);
      await exchange.until('flushed');
      assert.deepEqual(exchange.events, ['gone:malformed-body', 'flushed']);
    }));

  test('a client that sends on after the whole response is stopped by RST_STREAM with NO_ERROR', () =>
    withSession({}, async (bench, session) => {
      const call = session.request({ ...GET, ':method': 'POST' }, { endStream: false });
      const done = outcome(call);
      const exchange = await bench.starter.next();
      exchange.answer('enough');
      assert.deepEqual(await done, { status: 200, code: constants.NGHTTP2_NO_ERROR });
      await exchange.until('flushed');
    }));
}

function responseCases(): void {
  test('fields that HTTP/2 has not, or that would split, are left out of responses', () =>
    withSession({}, async (bench, session) => {
      const call = session.request({ ...GET, te: 'trailers' });
      let seen: Record<string, unknown> = {};
      let trailers: Record<string, unknown> = {};
      call.on('response', (headers) => {
        seen = headers;
      });
      call.on('trailers', (late) => {
        trailers = late;
      });
      const done = outcome(call);
      const exchange = await bench.starter.next();
      const fields = [
        'Connection',
        'close',
        'Keep-Alive',
        'x',
        'X-Bad',
        'a\r\nb',
        'X Y',
        'z',
        'X-Good',
        '1',
        'x-good',
        '2',
      ];
      exchange.client.sendInterim(responseHead({ status: 103, fields }));
      exchange.client.sendHead(responseHead({ fields }), ['Upgrade', 'h2c', 'Set-Cookie', 'a', 'set-cookie', 'b']);
      exchange.client.sendEnd(fields);
      assert.deepEqual(await done, { status: 200, code: 0 });
      assert.equal(seen['x-good'], '1, 2');
      assert.deepEqual(seen['set-cookie'], ['a', 'b']);
      for (const name of ['connection', 'keep-alive', 'x-bad', 'upgrade']) assert.equal(seen[name], undefined);
      assert.deepEqual(Object.entries(trailers), [['x-good', '1, 2']]);
    }));

  test('256 streams may be open at once, and nothing is pushed', () =>
    withSession({}, async (_bench, session) => {
      await within(new Promise((resolve) => session.once('remoteSettings', resolve)), 'settings');
      assert.equal(session.remoteSettings.maxConcurrentStreams, 256);
      assert.equal(session.remoteSettings.enablePush, false);
    }));
}

function endingCases(): void {
  test('an idle connection receives GOAWAY', () =>
    withSession({ timeouts: { keepAliveMs: 60 } }, async (bench, session) => {
      bench.starter.answerAll((exchange) => exchange.answer());
      const goodbye = once(session, 'goaway');
      assert.equal((await outcome(session.request(GET))).status, 200);
      assert.equal(await goodbye, constants.NGHTTP2_NO_ERROR);
      while (bench.openConnections > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }));

  test('a connection without a request is closed', () =>
    withSession({ timeouts: { headMs: 60 } }, async (bench, session) => {
      await once(session, 'close');
      assert.equal(bench.starter.begun, 0);
    }));

  test('a connection is closed after its limit of requests', () =>
    withSession({ limits: { requestsPerConnection: 3 } }, async (bench, session) => {
      bench.starter.answerAll((exchange) => exchange.answer());
      const goodbye = once(session, 'goaway');
      for (let turn = 0; turn < 3; turn++) assert.equal((await outcome(session.request(GET))).status, 200);
      assert.equal(await goodbye, constants.NGHTTP2_NO_ERROR);
    }));

  test('a drain lets open streams finish, and then ends the connection', () =>
    withSession({}, async (bench, session) => {
      const call = session.request(GET);
      const done = outcome(call);
      const exchange = await bench.starter.next();
      exchange.client.sendHead(responseHead(), []);
      const goodbye = once(session, 'goaway');
      const drained = bench.downstream.drain(60_000);
      assert.equal(await goodbye, constants.NGHTTP2_NO_ERROR);
      exchange.client.sendData(Buffer.from('whole'));
      exchange.client.sendEnd(null);
      assert.deepEqual(await done, { status: 200, code: 0 });
      await drained;
      assert.equal(bench.openConnections, 0);
    }));

  test('a client that ends its connection with an error is gone, not malformed', () =>
    withSession({}, async (bench, session) => {
      await within(new Promise((resolve) => session.once('connect', resolve)), 'a connection');
      const call = session.request(GET);
      const exchange = await bench.starter.next();
      session.destroy(new Error('client is broken'), constants.NGHTTP2_PROTOCOL_ERROR);
      call.on('error', () => undefined);
      await exchange.until('gone:closed');
      assert.deepEqual(exchange.events, ['gone:closed']);
    }));
}

/** @param parts of the engine; left out for node:http2 */
export function http2Cases(parts?: () => Http1Parts): void {
  partsOf = parts ?? partsOf;
  describe('HTTP/2 heads', () => headCases(parts !== undefined));
  describe('HTTP/2 streams', streamCases);
  describe('HTTP/2 responses', responseCases);
  describe('the end of HTTP/2 connections', endingCases);
}
