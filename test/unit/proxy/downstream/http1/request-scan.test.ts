// Scans of requests, used for one connection after the other. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Http1Listener } from '../../../../../proxy/downstream/http1/http1-listener.ts';
import type { RequestScan } from '../../../../../proxy/downstream/http1/request-scan.ts';
import { Scan } from '../../../../../proxy/http1/head-scanner.ts';
import { HeldBytes } from '../../../../../proxy/wire/held-bytes.ts';
import { listenerSnapshot } from '../../../../support/snapshots.ts';

function feed(scan: RequestScan, text: string): number {
  const input = new HeldBytes();
  input.add(Buffer.from(text, 'latin1'));
  return scan.next(input);
}

const head = (path: string, cookie: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`;

describe('RequestScan', () => {
  test('is used again for another connection, and knows nothing of the first one', () => {
    const listener = new Http1Listener(listenerSnapshot());
    const scan = listener.takeScan({ isTrusted: false });
    assert.equal(feed(scan, head('/one', 'mine')), Scan.COMPLETE);
    listener.giveScan(scan);
    assert.equal(scan.bytes.length, 0);
    assert.equal(listener.takeScan({ isTrusted: false }), scan);
    assert.equal(feed(scan, head('/two', 'yours')), Scan.COMPLETE);
    const { target, authority } = scan.head;
    assert.deepEqual([target, authority, scan.head.field('cookie')], ['/two', 'a', 'yours']);
  });

  test('starts over where the connection before it ended within a head', () => {
    const listener = new Http1Listener(listenerSnapshot());
    const scan = listener.takeScan({ isTrusted: false });
    assert.equal(feed(scan, 'GET /one HTTP/1.1\r\nHost: a\r\nX-Long: 0123456789'), Scan.INCOMPLETE);
    listener.giveScan(scan);
    assert.equal(feed(listener.takeScan({ isTrusted: false }), 'GET /2 HTTP/1.1\r\nHost: b\r\n\r\n'), Scan.COMPLETE);
    assert.deepEqual([scan.head.target, scan.head.authority], ['/2', 'b']);
  });

  test('recognises heads that repeat in buffers with a body, and scans others', () => {
    const scan = new Http1Listener(listenerSnapshot()).takeScan({ isTrusted: false });
    const post = (path: string, cookie: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\nContent-Length: 9000\r\n\r\n${'GET / HTTP/1.1\r\n'.repeat(600)}`;
    const cases = [
      ['/one', 'mine'],
      ['/one', 'mine'],
      ['/other', 'mine'],
      ['/other', 'yours'],
      ['/other', 'x'.repeat(2000)],
      ['/other', 'x'.repeat(2000)],
      ['/one', 'mine'],
    ] as const;
    for (const [path, cookie] of cases) {
      assert.equal(feed(scan, post(path, cookie)), Scan.COMPLETE);
      const { target, bodyLength, message } = scan.head;
      assert.deepEqual([target, bodyLength, scan.head.field('cookie')], [path, 9000, cookie]);
      assert.equal(message.bodyStart, post(path, cookie).indexOf('\r\n\r\n') + 4);
    }
  });

  test('is another one where two connections are open', () => {
    const listener = new Http1Listener(listenerSnapshot());
    assert.notEqual(listener.takeScan({ isTrusted: false }), listener.takeScan({ isTrusted: false }));
  });
});
