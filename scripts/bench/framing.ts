// Nanoseconds for the framing of a scanned head, its Connection field included. Thread: main.
// Usage: node scripts/bench/framing.ts

import { bench, do_not_optimize, group, run } from 'mitata';
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

const NOMINATING = BROWSER_REQUEST.replace('keep-alive', 'keep-alive, X-Hop, TE');
const REQUESTS = {
  small: SMALL_REQUEST,
  browser: BROWSER_REQUEST,
  post: POST_REQUEST,
  nominating: NOMINATING,
} as const;
const scanner = new HeadScanner();
const framing = new Framing();

group('framing', () => {
  for (const [name, text] of Object.entries(REQUESTS)) {
    const head = new MessageHead();
    const { bytes, start, end } = inReadBuffer(text);
    scanner.scanRequest(head, bytes, start, end);
    bench(`${name} request`, () => do_not_optimize(frameRequest(head, framing)));
  }
  const head = new MessageHead();
  const { bytes, start, end } = inReadBuffer(SMALL_RESPONSE);
  scanner.scanResponse(head, bytes, start, end);
  bench('response', () => do_not_optimize(frameResponse(head, framing, Method.GET, false)));
});

await run({ colors: false });
