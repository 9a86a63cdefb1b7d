// Outgoing heads: fields cut, added and kept. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ALWAYS_CUT,
  chunkHead,
  encodeLastChunk,
  encodeOwnResponseHead,
  encodeRequestHead,
  encodeResponseHead,
  HeadEdit,
  passFraming,
} from '../../../../proxy/http1/encoder.ts';
import { CONNECTION_CLOSE, fieldLine, fieldPrefix, NO_LINES } from '../../../../proxy/http1/field-line.ts';
import { FieldKind, FORWARDING_KINDS, kindSet } from '../../../../proxy/http1/field-kind.ts';
import { frameRequest, frameResponse, Framing } from '../../../../proxy/http1/framing.ts';
import { Method } from '../../../../proxy/http1/message-head.ts';
import { completeHead, requestWith, responseWith } from '../../../support/http1-scan.ts';

const START = 'GET / HTTP/1.1\r\nHost: a\r\n';

/** The forwarded request, with default edits and those of `prepare`. */
function sent(lines: readonly string[], prepare?: (edit: HeadEdit) => void): string {
  const head = requestWith(...lines);
  const framing = new Framing();
  assert.equal(frameRequest(head, framing), 0);
  const edit = new HeadEdit();
  passFraming(framing, edit);
  prepare?.(edit);
  return encodeRequestHead(head, edit);
}

describe('an encoded request', () => {
  test('without cuts or additions is unchanged', () => {
    assert.equal(sent(['X-a:\t1 ', 'x-A: \xe9']), `${START}X-a:\t1 \r\nx-A: \xe9\r\n\r\n`);
  });

  test('is unchanged for every number of fields, also when the table of fields is exactly full', () => {
    for (let count = 0; count <= 130; count += 1) {
      const lines = Array.from({ length: count }, (_, index) => `X-${index}: ${index}`);
      const end = count === 0 ? '' : '\r\n';
      assert.equal(sent(lines), `${START}${lines.join('\r\n')}${end}\r\n`);
    }
  });

  test('has no hop-by-hop field, no proxy credentials, and nothing that Connection nominates', () => {
    const lines = [
      'Connection: X-Hop, keep-alive',
      'X-Hop: 1',
      'Keep-Alive: timeout=5',
      'X-Stay: 1',
      'Proxy-Connection: keep-alive',
      'TE: trailers',
      'Upgrade: h2c',
      'Proxy-Authorization: Basic eA==',
      'Accept: b',
      'x-hop: 2',
    ];
    assert.equal(sent(lines), `${START}X-Stay: 1\r\nAccept: b\r\n\r\n`);
  });

  test('has a regenerated Transfer-Encoding and an unchanged Content-Length', () => {
    assert.equal(sent(['Transfer-Encoding: CHUNKED', 'A: b']), `${START}A: b\r\nTransfer-Encoding: chunked\r\n\r\n`);
    assert.equal(sent(['Content-Length: 10', 'A: b']), `${START}Content-Length: 10\r\nA: b\r\n\r\n`);
  });

  test('has a Content-Length without leading zeros', () => {
    assert.equal(sent(['Content-Length: 0010', 'A: b']), `${START}A: b\r\nContent-Length: 10\r\n\r\n`);
    assert.equal(sent(['Content-Length: 000']), `${START}Content-Length: 0\r\n\r\n`);
  });

  test('has forwarding fields of the client replaced', () => {
    const lines = [
      'x-forwarded-for: 6.6.6.6',
      'A: b',
      'X-Forwarded-Proto: https',
      'Forwarded: for=x',
      'X-Forwarded-Ssl: on',
    ];
    const text = sent(lines, (edit) => {
      edit.cut(FORWARDING_KINDS);
      edit.addField(fieldPrefix('X-Forwarded-For'), '10.0.0.1');
      edit.addLines(fieldLine('X-Forwarded-Proto', 'http'));
    });
    assert.equal(text, `${START}A: b\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: http\r\n\r\n`);
  });

  test('may lose its first and last fields and all of them', () => {
    const all = kindSet(FieldKind.HOST, FieldKind.DATE);
    assert.equal(
      sent(['A: b', 'Date: d'], (edit) => edit.cut(all)),
      'GET / HTTP/1.1\r\nA: b\r\n\r\n',
    );
    assert.equal(
      sent(['Date: d'], (edit) => edit.cut(all)),
      'GET / HTTP/1.1\r\n\r\n',
    );
  });

  test('may have a field replaced by name, all its lines', () => {
    const head = requestWith('X-A: 1', 'B: 2', 'x-a: 3');
    const edit = new HeadEdit();
    edit.replaceField(head, 'X-A', 'new');
    edit.replaceField(head, 'Host', 'b.test');
    assert.equal(encodeRequestHead(head, edit), 'GET / HTTP/1.1\r\nB: 2\r\nX-A: new\r\nHost: b.test\r\n\r\n');
  });

  test('may have another target', () => {
    const head = requestWith('A: b', 'TE: x');
    const edit = new HeadEdit();
    edit.replaceTarget(head, '/new?x');
    assert.equal(encodeRequestHead(head, edit), 'GET /new?x HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n');
    assert.throws(() => edit.replaceTarget(head, '/a b'), TypeError);
    assert.throws(() => edit.replaceTarget(head, '/\r\nX: y'), TypeError);
  });

  test('has nothing of the previous edit', () => {
    const head = requestWith('A: b');
    const edit = new HeadEdit();
    edit.cut(kindSet(FieldKind.HOST));
    edit.addLines(CONNECTION_CLOSE);
    edit.replaceTarget(head, '/x');
    edit.reset();
    assert.equal(edit.cutKinds, ALWAYS_CUT);
    assert.equal(encodeRequestHead(head, edit), `${START}A: b\r\n\r\n`);
  });

  test('refuses an added value that could end its line', () => {
    const edit = new HeadEdit();
    for (const value of ['a\r\nX: y', 'a\n', 'a\0', '\u010a']) {
      assert.throws(() => edit.addField(fieldPrefix('X-A'), value), TypeError);
      assert.throws(() => edit.replaceField(requestWith(), 'X-A', value), TypeError);
    }
    assert.equal(edit.added, '');
  });
});

describe('an encoded response', () => {
  const encode = (head: ReturnType<typeof responseWith>): string => encodeResponseHead(head, new HeadEdit());

  test('keeps its status line and end-to-end fields', () => {
    const head = responseWith(404, 'Server: s', 'Connection: close', 'Set-Cookie: a', 'Set-Cookie: b', 'Upgrade: h2c');
    assert.equal(encode(head), 'HTTP/1.1 404 Reason\r\nServer: s\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n');
  });

  test('has version HTTP/1.1 for an endpoint of HTTP/1.0', () => {
    const head = completeHead('response', ['HTTP/1.0 200 All right', 'A: b']);
    assert.equal(encode(head), 'HTTP/1.1 200 All right\r\nA: b\r\n\r\n');
  });

  test('has the blank after the status that the endpoint omitted', () => {
    assert.equal(encode(completeHead('response', ['HTTP/1.1 200', 'A: b'])), 'HTTP/1.1 200 \r\nA: b\r\n\r\n');
    assert.equal(encode(completeHead('response', ['HTTP/1.1 200 ', 'A: b'])), 'HTTP/1.1 200 \r\nA: b\r\n\r\n');
  });

  test('of 204 has no framing field', () => {
    const head = responseWith(204, 'Content-Length: 5', 'A: b');
    frameResponse(head, new Framing(), Method.GET, false);
    assert.equal(encode(head), 'HTTP/1.1 204 Reason\r\nA: b\r\n\r\n');
  });
});

describe('our own output', () => {
  test('is a head of status, reason and lines', () => {
    assert.equal(
      encodeOwnResponseHead(503, 'Busy', CONNECTION_CLOSE),
      'HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\n',
    );
    assert.throws(() => encodeOwnResponseHead(503, 'a\r\nb', NO_LINES), TypeError);
    for (const status of [100, 599]) assert.ok(encodeOwnResponseHead(status, 'a', NO_LINES).includes(` ${status} a`));
    for (const status of [99, 600]) assert.throws(() => encodeOwnResponseHead(status, 'a', NO_LINES), TypeError);
    assert.throws(() => encodeOwnResponseHead(200.5, 'a', NO_LINES), TypeError);
  });

  test('is chunks and their end', () => {
    assert.equal(chunkHead(255), 'ff\r\n');
    assert.equal(encodeLastChunk(null), '0\r\n\r\n');
    assert.equal(encodeLastChunk(['X-A', '1', 'X-B', '2']), '0\r\nX-A: 1\r\nX-B: 2\r\n\r\n');
    assert.throws(() => encodeLastChunk(['X-A', '1\r\n']), TypeError);
  });
});
