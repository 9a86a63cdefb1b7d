// Nanoseconds for a head: scanning alone, and the whole codec (scan, frame, edit, encode, write into a buffer) for a
// request and a response. Thread: main.
// Usage: node scripts/bench/scanner.ts

import { bench, do_not_optimize, group, run } from 'mitata';
import { encodeRequestHead, encodeResponseHead, HeadEdit, passFraming } from '../../proxy/http1/encoder.ts';
import { fieldPrefix } from '../../proxy/http1/field-line.ts';
import { FORWARDING_KINDS } from '../../proxy/http1/field-kind.ts';
import { frameRequest, frameResponse, Framing } from '../../proxy/http1/framing.ts';
import { HeadScanner } from '../../proxy/http1/head-scanner.ts';
import { MessageHead, Method } from '../../proxy/http1/message-head.ts';
import {
  BROWSER_REQUEST,
  inReadBuffer,
  POST_REQUEST,
  SMALL_REQUEST,
  SMALL_RESPONSE,
} from '../../test/support/http1-samples.ts';

const REQUESTS = { small: SMALL_REQUEST, browser: BROWSER_REQUEST, post: POST_REQUEST } as const;
const FORWARDED_FOR = fieldPrefix('X-Forwarded-For');
const FORWARDED_PROTO = fieldPrefix('X-Forwarded-Proto');
const FORWARDED_HOST = fieldPrefix('X-Forwarded-Host');

const scanner = new HeadScanner();
const head = new MessageHead();
const framing = new Framing();
const edit = new HeadEdit();
const output = Buffer.allocUnsafeSlow(65_536);

group('scan', () => {
  for (const [name, text] of Object.entries(REQUESTS)) {
    const { bytes, start, end } = inReadBuffer(text);
    bench(`${name} request, ${text.length} bytes`, () => {
      do_not_optimize(scanner.scanRequest(head, bytes, start, end));
    });
  }
  const { bytes, start, end } = inReadBuffer(SMALL_RESPONSE);
  bench(`response, ${SMALL_RESPONSE.length} bytes`, () => {
    do_not_optimize(scanner.scanResponse(head, bytes, start, end));
  });
});

group('scan, frame, edit, encode, write', () => {
  for (const [name, text] of Object.entries(REQUESTS)) {
    const { bytes, start, end } = inReadBuffer(text);
    bench(`${name} request`, () => {
      scanner.scanRequest(head, bytes, start, end);
      frameRequest(head, framing);
      do_not_optimize(output.write(encodedRequest(), 0, 'latin1'));
    });
  }
  const { bytes, start, end } = inReadBuffer(SMALL_RESPONSE);
  bench('response', () => {
    scanner.scanResponse(head, bytes, start, end);
    frameResponse(head, framing, Method.GET, false);
    edit.reset();
    passFraming(framing, edit);
    do_not_optimize(output.write(encodeResponseHead(head, edit), 0, 'latin1'));
  });
});

group('beside it', () => {
  const { bytes, start, end } = inReadBuffer(BROWSER_REQUEST);
  bench('the text of the browser request alone', () => do_not_optimize(bytes.toString('latin1', start, end)));
  const { seen, pieces } = dribbled(BROWSER_REQUEST);
  bench('the browser request byte by byte', () => {
    for (const at of pieces) do_not_optimize(scanner.scanRequest(head, seen, 0, at, at - 1));
  });
});

await run({ colors: false });

function encodedRequest(): string {
  edit.reset();
  edit.cut(FORWARDING_KINDS);
  passFraming(framing, edit);
  edit.addField(FORWARDED_FOR, '203.0.113.7');
  edit.addField(FORWARDED_PROTO, 'https');
  edit.addField(FORWARDED_HOST, head.hostText);
  return encodeRequestHead(head, edit);
}

function dribbled(text: string): { readonly seen: Buffer; readonly pieces: readonly number[] } {
  return { seen: Buffer.from(text, 'latin1'), pieces: Array.from({ length: text.length }, (_, index) => index + 1) };
}
