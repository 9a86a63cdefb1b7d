// Request header blocks to heads of HTTP/1.1: the rules of RFC 9113 section 8, limits, and repeated blocks. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FieldList } from '../../../../core/head.ts';
import { BodyKind, Framing } from '../../../../proxy/http1/framing.ts';
import { HeadScanner, Scan } from '../../../../proxy/http1/head-scanner.ts';
import { MessageHead } from '../../../../proxy/http1/message-head.ts';
import { frameRequest } from '../../../../proxy/http1/framing.ts';
import { HpackEncoder } from '../../../../proxy/http2/hpack-encoder.ts';
import { RequestReader, type RequestRules } from '../../../../proxy/http2/request-reader.ts';

const RULES: RequestRules = {
  listBytes: 16_384,
  fields: 20,
  underscores: 'pass',
  pathBytes: 1000,
  enablesConnectProtocol: false,
};
const PSEUDO = [':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/'];

/** Pseudo-header fields with some replaced; '' removes one. */
function pseudo(changes: Readonly<Record<string, string>>): string[] {
  const fields: string[] = [];
  for (let at = 0; at < PSEUDO.length; at += 2) {
    const value = changes[PSEUDO[at]!] ?? PSEUDO[at + 1]!;
    if (value !== '') fields.push(PSEUDO[at]!, value);
  }
  return fields;
}

interface Read {
  readonly fault: string | null;
  readonly head: MessageHead;
  readonly framing: Framing;
  readonly reader: RequestReader;
}

function read(fields: FieldList, endsStream = true, rules: Partial<RequestRules> = {}): Read {
  const reader = new RequestReader(4096, { ...RULES, ...rules });
  const head = new MessageHead();
  const framing = new Framing();
  const block = new HpackEncoder(0).encode(fields);
  return { fault: reader.read(block, 0, block.length, endsStream, head, framing), head, framing, reader };
}

const MALFORMED: readonly (readonly [name: string, fields: FieldList])[] = [
  ['no method', pseudo({ ':method': '' })],
  ['no scheme', pseudo({ ':scheme': '' })],
  ['no path', pseudo({ ':path': '' })],
  ['an empty path', [...pseudo({ ':path': '' }), ':path', '']],
  ['no authority and no Host', pseudo({ ':authority': '' })],
  ['an empty authority', [':method', 'GET', ':scheme', 'https', ':path', '/', ':authority', '']],
  ['a second method', [...PSEUDO, ':method', 'GET']],
  ['a second scheme', [...PSEUDO, ':scheme', 'https']],
  ['a second path', [...PSEUDO, ':path', '/']],
  ['a second authority', [...PSEUDO, ':authority', 'a.test']],
  ['an unknown pseudo-header field', [...PSEUDO, ':test', 'x']],
  ['a pseudo-header field of responses', [...PSEUDO, ':status', '200']],
  ['a pseudo-header field after a regular one', ['accept', '*/*', ...PSEUDO]],
  ['a last pseudo-header field after a regular one', [...pseudo({ ':path': '' }), 'accept', '*/*', ':path', '/']],
  ['an extended CONNECT that is not enabled', [...pseudo({ ':method': 'CONNECT' }), ':protocol', 'websocket']],
  ['a protocol without CONNECT', [...PSEUDO, ':protocol', 'websocket']],
  ['CONNECT with a path', pseudo({ ':method': 'CONNECT' })],
  ['CONNECT without an authority', [':method', 'CONNECT']],
  ['a method that is not a token', pseudo({ ':method': 'GET /admin' })],
  ['a line end in the method', pseudo({ ':method': 'GET / HTTP/1.1\r\nx: y\r\n' })],
  ['a line end in the path', pseudo({ ':path': '/ HTTP/1.1\r\nx: y' })],
  ['a blank in the path', pseudo({ ':path': '/a b' })],
  ['a fragment', pseudo({ ':path': '/a#b' })],
  ['an absolute path', pseudo({ ':path': 'http://b.test/' })],
  ['a path without a slash', pseudo({ ':path': 'a' })],
  ['an asterisk for GET', pseudo({ ':path': '*' })],
  ['a byte above 0x7e in the path', pseudo({ ':path': '/\xe4' })],
  ['a scheme that is not HTTP', pseudo({ ':scheme': 'ftp' })],
  ['a line end in the scheme', pseudo({ ':scheme': 'http\r\nx: y' })],
  ['a user name', pseudo({ ':authority': 'u@a.test' })],
  ['a line end in the authority', pseudo({ ':authority': 'a.test\r\nx: y' })],
  ['a path in the authority', pseudo({ ':authority': 'a.test/b' })],
  ['a Host that differs from the authority', [...PSEUDO, 'host', 'b.test']],
  ['two Hosts', [...pseudo({ ':authority': '' }), 'host', 'a.test', 'host', 'a.test']],
  ['an upper-case name', [...PSEUDO, 'Accept', '*/*']],
  ['an empty name', [...PSEUDO, '', 'x']],
  ['a colon in a name', [...PSEUDO, 'a:b', 'x']],
  ['a blank in a name', [...PSEUDO, 'a b', 'x']],
  ['a line end in a name', [...PSEUDO, 'a\r\nb', 'x']],
  ['NUL in a name', [...PSEUDO, 'a\0', 'x']],
  ['a byte above 0x7e in a name', [...PSEUDO, 'a\xe4', 'x']],
  ['CR in a value', [...PSEUDO, 'a', 'x\ry']],
  ['LF in a value', [...PSEUDO, 'a', 'x\ny']],
  ['NUL in a value', [...PSEUDO, 'a', 'x\0y']],
  ['a blank before a value', [...PSEUDO, 'a', ' x']],
  ['a tab after a value', [...PSEUDO, 'a', 'x\t']],
  ['Connection', [...PSEUDO, 'connection', 'close']],
  ['Keep-Alive', [...PSEUDO, 'keep-alive', 'timeout=5']],
  ['Proxy-Connection', [...PSEUDO, 'proxy-connection', 'close']],
  ['Transfer-Encoding', [...PSEUDO, 'transfer-encoding', 'chunked']],
  ['Upgrade', [...PSEUDO, 'upgrade', 'websocket']],
  ['TE other than trailers', [...PSEUDO, 'te', 'trailers, deflate']],
  ['a Content-Length with a sign', [...PSEUDO, 'content-length', '+1']],
  ['an empty Content-Length', [...PSEUDO, 'content-length', '']],
  ['a list of Content-Lengths', [...PSEUDO, 'content-length', '1, 1']],
  ['a hexadecimal Content-Length', [...PSEUDO, 'content-length', '0x1']],
  ['a Content-Length beyond safe integers', [...PSEUDO, 'content-length', '9'.repeat(20)]],
  ['two equal Content-Lengths', [...PSEUDO, 'content-length', '1', 'content-length', '1']],
];

describe('RequestReader', () => {
  for (const [name, fields] of MALFORMED) {
    test(`refuses ${name}`, () => assert.equal(read(fields, false).fault, 'malformed'));
  }

  const others: readonly (readonly [string, string, FieldList, boolean, Partial<RequestRules>])[] = [
    ['a Content-Length with END_STREAM', 'malformed', [...PSEUDO, 'content-length', '1'], true, {}],
    ['CONNECT', 'method-not-served', [':method', 'CONNECT', ':authority', 'a.test:443'], false, {}],
    ['another expectation', 'expectation-unknown', [...PSEUDO, 'expect', 'tea'], false, {}],
    ['a long path', 'target-too-long', pseudo({ ':path': `/${'a'.repeat(1000)}` }), true, {}],
    ['many fields', 'too-many-fields', [...PSEUDO, ...Array.from({ length: 21 }, () => ['a', 'b']).flat()], true, {}],
    ['a large list', 'head-too-large', [...PSEUDO, 'a', 'x'.repeat(17_000)], true, {}],
    ['a large pseudo-header field', 'head-too-large', pseudo({ ':path': `/${'a'.repeat(17_000)}` }), true, {}],
    ['an underscore where it is refused', 'malformed', [...PSEUDO, 'a_b', 'c'], true, { underscores: 'refuse' }],
  ];
  for (const [name, fault, fields, endsStream, rules] of others) {
    test(`refuses ${name} as ${fault}`, () => assert.equal(read(fields, endsStream, rules).fault, fault));
  }

  test('yields the head that a scan of its own text yields', () => {
    const { fault, head, framing } = read(
      [
        ...pseudo({ ':method': 'POST', ':path': '/a?b=c', ':authority': 'A.test:8443' }),
        'host',
        'a.test:8443',
        'accept',
        '*/*',
        'cookie',
        'a=1',
        'x',
        '',
        'cookie',
        'b=2',
        'content-length',
        '12',
        'te',
        'trailers',
      ],
      false,
    );
    assert.equal(fault, null);
    const text =
      'POST /a?b=c HTTP/1.1\r\nhost: A.test:8443\r\naccept: */*\r\nx: \r\ncontent-length: 12\r\nte: trailers\r\ncookie: a=1; b=2\r\n\r\n';
    assert.equal(head.text, text);
    const scanned = new MessageHead();
    const bytes = Buffer.from(text, 'latin1');
    assert.equal(new HeadScanner().scanRequest(scanned, bytes, 0, bytes.length), Scan.COMPLETE);
    const scannedFraming = new Framing();
    assert.equal(frameRequest(scanned, scannedFraming), 0);
    assert.deepEqual(head, scanned);
    assert.deepEqual(framing, scannedFraming);
  });

  test('takes the host from Host where there is no authority', () => {
    const { fault, head } = read([...pseudo({ ':authority': '' }), 'host', '[::1]:80']);
    assert.equal(fault, null);
    assert.equal(head.hostText, '[::1]:80');
    assert.equal(head.hostNameText, '[::1]');
  });

  const bodies: readonly (readonly [string, FieldList, boolean, BodyKind, number, number])[] = [
    ['no body', [], true, BodyKind.NONE, 0, -1],
    ['a body of unknown length', [], false, BodyKind.CHUNKED, 0, -1],
    ['a body of known length', ['content-length', '0012'], false, BodyKind.LENGTH, 12, 12],
    ['an empty body', ['content-length', '0'], false, BodyKind.NONE, 0, 0],
    ['an empty body that has ended', ['content-length', '0'], true, BodyKind.NONE, 0, 0],
  ];
  for (const [name, fields, endsStream, body, lengthBytes, declaredBytes] of bodies) {
    test(`frames ${name}`, () => {
      const { fault, framing } = read([...PSEUDO, ...fields], endsStream);
      assert.equal(fault, null);
      assert.deepEqual([framing.body, framing.lengthBytes, framing.declaredBytes], [body, lengthBytes, declaredBytes]);
    });
  }

  test('counts cookie crumbs as one field', () => {
    const crumbs = Array.from({ length: 40 }, (_, at) => ['cookie', `a${at}=b`]).flat();
    assert.equal(read([...PSEUDO, ...crumbs]).fault, null);
  });

  test('drops fields with an underscore, and HTTP2-Settings', () => {
    const { head } = read([...PSEUDO, 'a_b', 'c', 'http2-settings', 'AAMAAABk', 'd', 'e'], true, {
      underscores: 'drop',
    });
    assert.deepEqual(head.fieldList(0), ['host', 'a.test', 'd', 'e']);
  });

  test('turns an extended CONNECT into a GET with its protocol', () => {
    const fields = [
      ...pseudo({ ':method': 'CONNECT', ':path': '/chat' }),
      ':protocol',
      'websocket',
      'origin',
      'https://a.test',
    ];
    const { fault, reader, head, framing } = read(fields, false, { enablesConnectProtocol: true });
    assert.equal(fault, null);
    assert.equal(reader.protocol, 'websocket');
    assert.equal(head.text, 'GET /chat HTTP/1.1\r\nhost: a.test\r\norigin: https://a.test\r\n\r\n');
    assert.equal(framing.body, BodyKind.NONE);
  });

  test('recognises repeated fields behind another path, and forgets them when the table changes', () => {
    const reader = new RequestReader(4096, RULES);
    const encoder = new HpackEncoder(4096);
    const head = new MessageHead();
    const texts: string[] = [];
    const send = (path: string, ...fields: readonly string[]): void => {
      const block = encoder.encode([...pseudo({ ':path': path }), 'user-agent', 'x', ...fields]);
      assert.equal(reader.read(block, 0, block.length, true, head, new Framing()), null);
      texts.push(head.text);
    };
    for (const path of ['/1', '/22', '/333', '/1']) send(path, 'a', 'b');
    // New entries shift the indices: the same bytes now stand for other fields.
    send('/', 'c', 'd');
    send('/', 'a', 'b');
    send('/', 'c', 'd');
    const expected = (path: string, line: string): string =>
      `GET ${path} HTTP/1.1\r\nhost: a.test\r\nuser-agent: x\r\n${line}\r\n\r\n`;
    const paths = ['/1', '/22', '/333', '/1'].map((path) => expected(path, 'a: b'));
    assert.deepEqual(texts, [...paths, expected('/', 'c: d'), expected('/', 'a: b'), expected('/', 'c: d')]);
  });

  test('reports a block that breaks the format as a fault of compression', () => {
    const reader = new RequestReader(4096, RULES);
    assert.equal(reader.read(Buffer.from([0x80]), 0, 1, true, new MessageHead(), new Framing()), 'compression');
    assert.equal(reader.skip(Buffer.from([0xbe]), 0, 1), 'compression');
  });

  test('keeps the table in step after refused and skipped blocks', () => {
    const reader = new RequestReader(4096, RULES);
    const encoder = new HpackEncoder(4096);
    const bad = encoder.encode([...PSEUDO, 'connection', 'close', 'x', 'kept']);
    assert.equal(reader.read(bad, 0, bad.length, true, new MessageHead(), new Framing()), 'malformed');
    const skipped = encoder.encode([...PSEUDO, 'y', 'kept']);
    assert.equal(reader.skip(skipped, 0, skipped.length), null);
    const head = new MessageHead();
    const block = encoder.encode([...PSEUDO, 'x', 'kept', 'y', 'kept']);
    assert.equal(reader.read(block, 0, block.length, true, head, new Framing()), null);
    assert.equal(head.field('x'), 'kept');
    assert.equal(head.field('y'), 'kept');
  });
});

describe('trailers', () => {
  const trailers = (fields: FieldList): FieldList | string | null => {
    const reader = new RequestReader(4096, RULES);
    const block = new HpackEncoder(0).encode(fields);
    return reader.readTrailers(block, 0, block.length) ?? reader.trailers;
  };

  test('are forwarded without fields that belong to a head', () => {
    assert.deepEqual(trailers(['x-sum', '1', 'content-length', '5', 'authorization', 'x', 'cookie', 'a']), [
      'x-sum',
      '1',
    ]);
    assert.equal(trailers([]), null);
  });

  for (const fields of [
    [':path', '/'],
    ['X', 'y'],
    ['connection', 'close'],
    ['a', 'b\r\nc'],
    ['a\n', 'b'],
  ]) {
    test(`are malformed with ${JSON.stringify(fields)}`, () => assert.equal(trailers(fields), 'malformed'));
  }
});
