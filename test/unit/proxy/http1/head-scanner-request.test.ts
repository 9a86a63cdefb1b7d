// The head of a valid request, as scanned. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FieldKind } from '../../../../proxy/http1/field-kind.ts';
import { HeadScanner, Scan } from '../../../../proxy/http1/head-scanner.ts';
import { MessageHead, METHOD_NAMES, Method } from '../../../../proxy/http1/message-head.ts';
import { scanText } from '../../../support/http1-scan.ts';

function scan(text: string): MessageHead {
  const { outcome, head } = scanText('request', text);
  assert.equal(outcome, 'complete');
  return head;
}

describe('a scanned request', () => {
  test('has its parts and the offset of the body', () => {
    const text = 'POST /a/b?c=d HTTP/1.1\r\nHost: example.test:81\r\nX-A:\t one \t\r\n\r\n';
    const { head, start } = scanText('request', text);
    assert.equal(head.method, Method.POST);
    assert.equal(head.methodText, 'POST');
    assert.equal(head.targetText, '/a/b?c=d');
    assert.equal(head.pathText, '/a/b');
    assert.equal(head.queryText, '?c=d');
    assert.equal(head.hostText, 'example.test:81');
    assert.equal(head.hostNameText, 'example.test');
    assert.equal(head.minorVersion, 1);
    assert.equal(head.text, text);
    assert.equal(head.bodyStart, start + text.length);
    assert.deepEqual(head.fieldList(0), ['Host', 'example.test:81', 'X-A', 'one']);
  });

  test('has the number of its method, which is case-sensitive', () => {
    for (const [method, name] of METHOD_NAMES.entries()) {
      if (name === '' || name === 'CONNECT') continue;
      assert.equal(scan(`${name} / HTTP/1.1\r\nHost: a\r\n\r\n`).method, method);
    }
    for (const name of ['get', 'GETS', 'GE', 'MKCOL', 'M-SEARCH', '!']) {
      const head = scan(`${name} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.equal(head.method, Method.OTHER);
      assert.equal(head.methodText, name);
    }
  });

  test('may have no query, an empty one, and "?" in it', () => {
    const targets: readonly (readonly [target: string, path: string, query: string])[] = [
      ['/', '/', ''],
      ['/a?', '/a', '?'],
      ['/a?b?c/d', '/a', '?b?c/d'],
      ['//a', '//a', ''],
      ['/"<>\\^`{|}', '/"<>\\^`{|}', ''],
    ];
    for (const [target, path, query] of targets) {
      const head = scan(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.deepEqual([head.pathText, head.queryText], [path, query]);
    }
  });

  test('has values without surrounding blanks, and with inner ones', () => {
    const head = scan('GET / HTTP/1.1\r\nHost:a\r\nA: \r\nB:\r\nC:  x y\t z \t \r\nD: \xe9\xff\r\n\r\n');
    assert.deepEqual(head.fieldList(0).slice(2), ['A', '', 'B', '', 'C', 'x y\t z', 'D', '\xe9\xff']);
  });

  test('has the kinds of its fields and the set of repeated ones', () => {
    const head = scan('GET / HTTP/1.1\r\nHOST: a\r\nAccept: b\r\nCookie: c\r\ncookie: d\r\n\r\n');
    assert.equal(head.indexOfKind(FieldKind.HOST), 0);
    assert.equal(head.indexOfKind(FieldKind.COOKIE), 2);
    assert.equal(head.indexOfKind(FieldKind.TE), -1);
    assert.equal(head.isRepeated(FieldKind.COOKIE), true);
    assert.equal(head.isRepeated(FieldKind.HOST), false);
  });

  test('may follow one empty line, which is not part of it', () => {
    const { outcome, head, start } = scanText('request', '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.equal(outcome, 'complete');
    assert.ok(head.text.startsWith('GET '));
    assert.equal(head.bodyStart, start + 2 + head.text.length);
  });

  test('may have more fields than the initial table', () => {
    const lines = Array.from({ length: 150 }, (_, index) => `X-${index}: ${index}`);
    const head = scan(`GET / HTTP/1.1\r\nHost: a\r\n${lines.join('\r\n')}\r\nDate: d\r\n\r\n`);
    assert.equal(head.fieldCount, 152);
    assert.equal(head.valueText(150), '149');
    assert.equal(head.indexOfKind(FieldKind.DATE), 151);
    assert.equal(head.lineStart(152), head.text.length - 2);
  });

  test('does not change with the scanned buffer', () => {
    const bytes = Buffer.from('GET /first HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n\r\n', 'latin1');
    const head = new MessageHead();
    assert.equal(new HeadScanner().scanRequest(head, bytes, 0, bytes.length), Scan.COMPLETE);
    bytes.fill('x');
    assert.equal(head.targetText, '/first');
    assert.equal(head.field('x-a'), '1');
  });

  test('leaves nothing for the next scan into the same head', () => {
    const scanner = new HeadScanner();
    const head = new MessageHead();
    const first = Buffer.from('POST /a?b HTTP/1.1\r\nHost: a:1\r\nTE: trailers\r\nTE: x\r\n\r\n', 'latin1');
    scanner.scanRequest(head, first, 0, first.length);
    head.cut(0);
    const second = Buffer.from('GET / HTTP/1.1\r\nHost: b\r\n\r\n', 'latin1');
    scanner.scanRequest(head, second, 0, second.length);
    assert.equal(head.fieldCount, 1);
    assert.equal(head.has(FieldKind.TE) || head.isRepeated(FieldKind.TE), false);
    assert.equal(head.isCut(0, 0), false);
    assert.deepEqual([head.methodText, head.targetText, head.queryText, head.hostText], ['GET', '/', '', 'b']);
  });

  test('does not read pipelined bytes after it', () => {
    const text = 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n';
    const bytes = Buffer.from(text, 'latin1');
    const head = new MessageHead();
    const scanner = new HeadScanner();
    scanner.scanRequest(head, bytes, 0, bytes.length);
    assert.equal(head.targetText, '/1');
    assert.equal(scanner.scanRequest(head, bytes, head.bodyStart, bytes.length), Scan.COMPLETE);
    assert.equal(head.targetText, '/2');
    assert.equal(head.bodyStart, bytes.length);
  });
});
