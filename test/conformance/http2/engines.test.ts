// Conformance cases for HTTP/2 against our engine and the client side over node:http2. Thread: main.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Bench, type BenchOptions } from '../../contract/proxy/downstream/bench.ts';
import type { ScriptedExchange } from '../../contract/proxy/downstream/scripted-starter.ts';
import { testCertificate } from '../../support/certificates.ts';
import { sharedParts } from '../../support/http1-parts.ts';
import { ALL_CASES, CASE_LIMIT_MS, runCase, titleOf } from './run-case.ts';

const TLS = { certificates: [testCertificate(['a.test'])], minVersion: 'TLSv1.2', http2: true } as const;

/** Time in which a case that is known to fail may show that it doesn't. */
const KNOWN_LIMIT_MS = 100;

/** Where nghttp2 differs: it ignores frames of closed streams and deprecated priorities, and drops invalid fields silently. */
const NODE_FAILS: readonly string[] = [
  '5.1: reset by the client: DATA',
  '5.1: reset by the client: HEADERS',
  '5.1: closed: DATA',
  '5.1: closed: HEADERS',
  '5.1.1: a stream identifier smaller than the last one',
  '5.3.1 of RFC 7540: PRIORITY that depends on its own stream',
  '5.4.1: the connection is closed after an error',
  '6.3: PRIORITY on stream 0',
  '6.9.1: a window of a stream above 2^31 - 1',
  '8.2.1: CR and LF in a value',
  '8.2.1: NUL in a value',
  '8.2.1: a colon in a name',
  '8.2.1: LF in a name',
  '8.3.1: a Host that differs from :authority',
];

/** Answers GET at once, and a request with a body after it. */
function answer(exchange: ScriptedExchange): void {
  exchange.client.resumeBody();
  if (exchange.head.bodyLength === 0) exchange.answer('conformant');
  else
    void exchange.until('body-end').then(
      () => exchange.answer('conformant'),
      () => undefined,
    );
}

interface EngineUnderTest {
  readonly name: string;
  readonly isTls: boolean;
  readonly options: BenchOptions;
  /** Titles of cases that are known to fail. */
  readonly fails: readonly string[];
}

const ENGINES: readonly EngineUnderTest[] = [
  { name: 'our engine over TLS', isTls: true, options: { fast: sharedParts(), listener: { tls: TLS } }, fails: [] },
  {
    name: 'our engine in cleartext',
    isTls: false,
    options: { fast: sharedParts(), listener: { http2: true } },
    fails: [],
  },
  { name: 'node:http2 over TLS', isTls: true, options: { listener: { tls: TLS } }, fails: NODE_FAILS },
];

for (const { name, isTls, options, fails } of ENGINES) {
  describe(name, () => {
    let bench: Bench;
    before(async () => {
      bench = await new Bench(options).start();
      bench.starter.answerAll(answer);
    });
    after(() => bench.stop());
    for (const http2Case of ALL_CASES) {
      const title = titleOf(http2Case);
      const isKnown = fails.includes(title);
      test(isKnown ? `${title} (known to fail)` : title, async () => {
        const limitMs = isKnown ? KNOWN_LIMIT_MS : CASE_LIMIT_MS;
        const failure = await runCase(http2Case, { port: bench.port, isTls }, limitMs);
        if (isKnown) assert.notEqual(failure, null, 'remove it from the list of known failures');
        else assert.equal(failure, null);
      });
    }
  });
}
