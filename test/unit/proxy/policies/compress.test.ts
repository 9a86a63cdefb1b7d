// Policy compress: which responses and local replies are compressed, and the fields that change with them. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import type { FieldList } from '../../../../core/head.ts';
import type { ExplainedExchange } from '../../../../core/policy/policy-definition.ts';
import { compress } from '../../../../proxy/policies/compress.ts';
import { requestHead } from '../../../support/request-head.ts';
import { testPolicy } from '../../../../testing/policy-bench.ts';
import type { SentResponse } from '../../../../testing/played-exchange.ts';

const BODY = JSON.stringify(Array.from({ length: 200 }, (_, id) => ({ id, name: `item ${id}` })));
const JSON_FIELDS = ['Content-Type', 'application/json'];

interface Played {
  readonly options?: unknown;
  readonly method?: string;
  readonly request?: FieldList;
  readonly status?: number;
  readonly fields?: FieldList;
  readonly body?: string;
}

async function play({ options = true, method = 'GET', request, ...response }: Played): Promise<SentResponse> {
  const bench = testPolicy(compress as never, { compress: options });
  const exchange = await bench.request({ method, fields: request ?? ['Accept-Encoding', 'gzip'] });
  const { status = 200, fields = JSON_FIELDS, body = BODY } = response;
  return await exchange.respondLater({ status, fields, body });
}

const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = {
  gzip: zlib.gunzipSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
};

describe('a response is compressed', () => {
  test('in each coding and at each effort', async () => {
    for (const coding of Object.keys(DECODERS)) {
      for (const effort of ['fast', 'balanced', 'small']) {
        const sent = await play({ options: { effort }, request: ['Accept-Encoding', coding] });
        assert.equal(sent.field('content-encoding'), coding);
        assert.equal(DECODERS[coding]!(sent.bytes).toString(), BODY);
        assert.ok(sent.bytes.byteLength < BODY.length / 4, `${coding} at ${effort}`);
      }
    }
  });

  test('with a weak tag, Vary, and no ranges', async () => {
    const fields = [...JSON_FIELDS, 'ETag', '"a"', 'Accept-Ranges', 'bytes', 'Vary', 'Cookie', 'X-A', '1'];
    const sent = await play({ fields });
    assert.equal(sent.field('etag'), 'W/"a"');
    assert.equal(sent.field('accept-ranges'), undefined);
    assert.equal(sent.field('vary'), 'Cookie, Accept-Encoding');
    assert.equal(sent.field('x-a'), '1');
  });

  test('for HEAD, in its fields', async () => {
    const sent = await play({
      method: 'HEAD',
      body: '',
      fields: [...JSON_FIELDS, 'ETag', '"a"', 'Content-Length', '5000'],
    });
    assert.deepEqual([sent.field('content-encoding'), sent.field('etag'), sent.body], ['gzip', 'W/"a"', '']);
  });

  test('of a listed type', async () => {
    const types = ['text/*', 'application/json', 'application/*+json'];
    for (const type of ['text/html; charset=utf-8', 'TEXT/CSS', 'application/json', 'application/problem+json']) {
      assert.equal(
        (await play({ options: { types }, fields: ['Content-Type', type] })).field('content-encoding'),
        'gzip',
      );
    }
    for (const type of ['image/png', 'application/json5', 'application/xml', 'textual/html']) {
      const sent = await play({ options: { types }, fields: ['Content-Type', type] });
      assert.deepEqual(
        [sent.field('content-encoding'), sent.field('vary'), sent.body],
        [undefined, undefined, BODY],
        type,
      );
    }
  });
});

describe('a response stays as it is', () => {
  const UNTOUCHED: Readonly<Record<string, Played>> = {
    events: { options: { types: ['text/*'] }, fields: ['Content-Type', 'text/event-stream'] },
    gRPC: { options: { types: ['application/*'] }, fields: ['Content-Type', 'application/grpc+proto'] },
    'without a type': { fields: [] },
    'a part': { status: 206, fields: [...JSON_FIELDS, 'Content-Range', 'bytes 0-9/100'] },
    'a range in another status': { fields: [...JSON_FIELDS, 'Content-Range', 'bytes 0-9/100'] },
    'no-transform': { fields: [...JSON_FIELDS, 'Cache-Control', 'public, no-transform'] },
    'already coded': { fields: [...JSON_FIELDS, 'Content-Encoding', 'br'] },
    'with a digest': { fields: [...JSON_FIELDS, 'Content-Digest', 'sha-256=:AA==:'] },
    'no content': { status: 204, fields: JSON_FIELDS, body: '' },
    small: { fields: [...JSON_FIELDS, 'Content-Length', '1023'] },
    empty: {
      request: ['Accept-Encoding', 'gzip, identity;q=0'],
      fields: [...JSON_FIELDS, 'Content-Length', '0'],
      body: '',
    },
  };
  for (const [name, played] of Object.entries(UNTOUCHED)) {
    test(`: ${name}`, async () => {
      const sent = await play(played);
      assert.deepEqual(sent.fields, played.fields);
      assert.equal(sent.body, played.body ?? BODY);
    });
  }

  test(', and says what it depends on, where the client does not accept a coding', async () => {
    for (const request of [
      [],
      ['Accept-Encoding', 'deflate'],
      ['Accept-Encoding', 'gzip', 'Cache-Control', 'no-transform'],
    ]) {
      const sent = await play({ request, fields: [...JSON_FIELDS, 'ETag', '"a"'] });
      assert.deepEqual(sent.fields, [...JSON_FIELDS, 'ETag', '"a"', 'Vary', 'Accept-Encoding']);
      assert.equal(sent.body, BODY);
    }
    const vary = [...JSON_FIELDS, 'Vary', 'origin, accept-encoding'];
    assert.deepEqual((await play({ request: [], fields: vary })).fields, vary);
  });

  test(', unless the client refuses bodies without a coding', async () => {
    const sent = await play({
      request: ['Accept-Encoding', 'identity;q=0, br'],
      fields: [...JSON_FIELDS, 'Content-Length', '5'],
      body: '[1,2]',
    });
    assert.equal(sent.field('content-encoding'), 'br');
    assert.equal(zlib.brotliDecompressSync(sent.bytes).toString(), '[1,2]');
  });
});

test('a 304 has the tag that the client holds', async () => {
  const fields = ['ETag', '"a"'];
  const weak = await play({ status: 304, fields, body: '', request: ['If-None-Match', 'W/"a"'] });
  assert.deepEqual(weak.fields, ['ETag', 'W/"a"', 'Vary', 'Accept-Encoding']);
  const strong = await play({ status: 304, fields, body: '', request: ['If-None-Match', '"a"'] });
  assert.deepEqual(strong.fields, fields);
});

test('local replies are compressed as responses are', async () => {
  const bench = testPolicy(compress as never, { compress: true });
  const exchange = await bench.request({ fields: ['Accept-Encoding', 'gzip'] });
  const given = {
    status: 503,
    cause: 'no-endpoint',
    fields: [...JSON_FIELDS, 'ETag', '"a"', 'Accept-Ranges', 'bytes'],
  };
  const reply = exchange.localReply({ ...given, body: BODY });
  assert.deepEqual(reply.fields, [
    ...JSON_FIELDS,
    'ETag',
    'W/"a"',
    'Vary',
    'Accept-Encoding',
    'Content-Encoding',
    'gzip',
  ]);
  assert.equal(zlib.gunzipSync(reply.bytes).toString(), BODY);
  assert.deepEqual(exchange.localReply({ ...given, body: 'short' }).fields, given.fields);
  assert.equal(exchange.localReply({ ...given, body: '' }).body, '');
});

test('a local reply that is configured is compressed once', async () => {
  const bench = testPolicy(compress as never, { compress: true });
  const body = Buffer.from(BODY);
  const create = async (coding: string) => {
    const exchange = await bench.request({ fields: ['Accept-Encoding', coding] });
    return exchange.localReply({ status: 200, cause: 'configured', fields: JSON_FIELDS, body }).bytes;
  };
  assert.equal(await create('gzip'), await create('gzip'));
  assert.notEqual(await create('gzip'), await create('br'));
});

test('the effect on a request is explained', () => {
  const data = { compress: { codings: ['br', 'gzip'], types: [], minBytes: 0, effort: 'fast', streams: 1 } } as const;
  const explained = (accepted: string) =>
    compress.explain!(data, { request: requestHead({ fields: ['Accept-Encoding', accepted] }) } as ExplainedExchange);
  assert.equal(explained('gzip, br'), 'compresses with br');
  assert.equal(explained('deflate'), 'leaves bodies as they are: the client accepts no coding');
});

test('options that are none are refused', () => {
  const refused = (options: object) => () => testPolicy(compress as never, { compress: options });
  assert.throws(refused({ types: ['json'] }), /is not a media type/);
  assert.throws(refused({ codings: ['deflate'] }), /zstd/);
  assert.throws(refused({ codings: [] }));
  assert.throws(refused({ minSize: '0B' }));
});
