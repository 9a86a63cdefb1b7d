// Reuse of a connection, as its last response allows it. Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameResponse, Framing } from '../../../../proxy/http1/framing.ts';
import { Scan } from '../../../../proxy/http1/head-scanner.ts';
import { Method, MessageHead } from '../../../../proxy/http1/message-head.ts';
import { announcedTimeoutMs, announcesForbiddenBody } from '../../../../proxy/upstream/response-persistence.ts';
import { responseScanner } from '../../../../proxy/upstream/response-reader.ts';
import { placeholderHead } from '../../../../proxy/upstream/undici/placeholder.ts';

function scanned(status: number, fields: string): { head: MessageHead; framing: Framing } {
  const head = new MessageHead();
  const framing = new Framing();
  const bytes = Buffer.from(`HTTP/1.1 ${status} X\r\n${fields}\r\n`, 'latin1');
  assert.equal(responseScanner(4096).scanResponse(head, bytes, 0, bytes.length), Scan.COMPLETE);
  assert.equal(frameResponse(head, framing, Method.GET, false), 0);
  return { head, framing };
}

for (const [fields, timeoutMs, placeholder] of [
  ['', -1, 'keep-alive'],
  ['Keep-Alive: timeout=7, max=3\r\n', 7000, 'keep-alive\r\nkeep-alive: timeout=7'],
  ['Keep-Alive: max=3\r\n', -1, 'keep-alive'],
  ['Keep-Alive: timeout=0\r\n', 0, 'keep-alive\r\nkeep-alive: timeout=0'],
  ['Keep-Alive: timeout=99999999\r\n', -1, 'keep-alive'],
  ['Connection: close\r\n', -1, 'close'],
  ['Connection: x, CLOSE\r\nKeep-Alive: timeout=7\r\n', 7000, 'close'],
] as const) {
  test(`${JSON.stringify(fields)} announces ${timeoutMs} ms, and undici gets ${JSON.stringify(placeholder)}`, () => {
    const { head, framing } = scanned(200, `${fields}Content-Length: 0\r\n`);
    assert.equal(announcedTimeoutMs(head), timeoutMs);
    assert.ok(placeholderHead(head, framing).endsWith(`\r\nconnection: ${placeholder}\r\n\r\n`));
  });
}

for (const [status, fields, isForbidden] of [
  [204, 'Content-Length: 0\r\n', false],
  [204, 'Content-Length: 5\r\n', true],
  [304, 'Content-Length: 5\r\n', true],
  [304, 'Transfer-Encoding: chunked\r\n', true],
  [304, '', false],
  [200, 'Content-Length: 5\r\n', false],
] as const) {
  test(`${status} with ${JSON.stringify(fields)} ${isForbidden ? 'announces' : 'does not announce'} a body that it may not have`, () => {
    const { head, framing } = scanned(status, fields);
    assert.equal(announcesForbiddenBody(head), isForbidden);
    if (status === 200) return;
    const text = placeholderHead(head, framing);
    assert.match(text, new RegExp(`connection: ${isForbidden ? 'close' : 'keep-alive'}\r\n`));
    assert.doesNotMatch(text, /content-length|transfer-encoding/);
  });
}
