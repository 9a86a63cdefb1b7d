// A request whose target a policy changes lost Expect and left the fast path, because its head was wrapped in another one:
// the attempt gets the client's own head, and the target beside it. Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptRequest } from '../../core/exchange-contract.ts';
import { frameRequest } from '../../proxy/http1/framing.ts';
import { HeadScanner, Scan } from '../../proxy/http1/head-scanner.ts';
import { RequestEncoder } from '../../proxy/upstream/request-encoder.ts';
import { http2RequestFields } from '../../proxy/upstream/http2/request-fields.ts';
import { ScannedRequestHead } from '../../proxy/wire/scanned-request-head.ts';
import { requestOrigin } from '../support/request-origin.ts';
import { requestHead } from '../support/request-head.ts';
import { endpointSnapshot, upstreamSnapshot } from '../support/snapshots.ts';

const PARTS = {
  endpoint: endpointSnapshot(0),
  upstream: upstreamSnapshot(),
  hostField: 'a.test',
  insertedFields: [],
  removedFields: new Set<string>(),
  mustUseFresh: false,
  origin: requestOrigin(),
};
const HEAD = 'POST /api/x HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';

function scannedHead(): ScannedRequestHead {
  const bytes = Buffer.from(HEAD, 'latin1');
  const head = new ScannedRequestHead();
  assert.equal(new HeadScanner().scanRequest(head.message, bytes, 0, bytes.length), Scan.COMPLETE);
  assert.equal(frameRequest(head.message, head.framing), 0);
  head.begin();
  return head;
}

function requests(target: string): AttemptRequest[] {
  const plain = requestHead({ method: 'POST', target: '/api/x', bodyLength: 2 });
  return [
    { ...PARTS, head: scannedHead(), target },
    { ...PARTS, head: Object.assign(plain, { expectsContinue: true }), target },
  ];
}

test('every other part of the head is sent as without the change', () => {
  for (const request of requests('/x')) {
    const text = new RequestEncoder().encode(request);
    assert.match(text ?? '', /^POST \/x HTTP\/1\.1\r\n/);
    assert.match(text ?? '', /^Expect: 100-continue\r$/m);
    assert.match(text ?? '', /^Content-Length: 2\r$/m);
    assert.equal(http2RequestFields(request)?.includes('/x'), true);
  }
});

test('a target that would end the request line is not sent', () => {
  for (const request of [...requests('/x HTTP/1.1\r\nA: b'), ...requests('/a b'), ...requests('x')]) {
    assert.equal(new RequestEncoder().encode(request), null);
    assert.equal(http2RequestFields(request), null);
  }
});
