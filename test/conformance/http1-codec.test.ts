// Conformance cases against the codec, whole and byte by byte. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeRequestHead, HeadEdit } from '../../proxy/http1/encoder.ts';
import { frameRequest, Framing } from '../../proxy/http1/framing.ts';
import { HeadScanner } from '../../proxy/http1/head-scanner.ts';
import { MessageHead, Method } from '../../proxy/http1/message-head.ts';
import { everyByte, readStream, type ReadMessage, type ReadResult } from '../support/http1-reader.ts';
import { CHUNK_CASES, FRAMING_CASES } from './http1-body-cases.ts';
import type { ExpectedRequest, RequestCase, ResponseCase } from './http1-case.ts';
import { CONNECTION_CASES, FIELD_CASES, HOST_CASES, LINE_CASES, REQUEST_LINE_CASES } from './http1-head-cases.ts';
import { RESPONSE_FIELD_CASES, RESPONSE_FRAMING_CASES, STATUS_LINE_CASES } from './http1-response-cases.ts';

/** Whole, and byte by byte. */
function readBothWays(bytes: string, side: 'request' | 'response', method?: number): ReadResult[] {
  return [[], everyByte(bytes.length)].map((cuts) => readStream(bytes, side, cuts, method));
}

function assertRequest(read: ReadMessage, expected: ExpectedRequest): void {
  assert.deepEqual(read.start, [expected.method, expected.target]);
  assert.equal(read.body, expected.body);
  const names = read.fields.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const wanted = expected.fields ?? [];
  for (let at = 0; at < wanted.length; at += 2) {
    assert.equal(read.fields[names.indexOf(wanted[at]!) * 2 + 1], wanted[at + 1], wanted[at]!);
  }
}

/** Lower-case names of the first request's fields as they would be sent to an endpoint. */
function namesSent(bytes: string): string[] {
  const head = new MessageHead();
  const buffer = Buffer.from(bytes, 'latin1');
  new HeadScanner().scanRequest(head, buffer, 0, buffer.length);
  frameRequest(head, new Framing());
  const lines = encodeRequestHead(head, new HeadEdit()).split('\r\n').slice(1, -2);
  return lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
}

function checkRequest(oneCase: RequestCase): void {
  for (const { error, isHandedOff, messages } of readBothWays(oneCase.bytes, 'request')) {
    assert.equal(isHandedOff, oneCase.isHandedOff ?? false);
    if (isHandedOff) continue;
    if (oneCase.verdict === 'accept') {
      assert.equal(error, '');
      // After a request that closes, a connection reads no further; the codec alone would.
      assert.ok(messages.length >= oneCase.requests.length);
      for (const [index, expected] of oneCase.requests.entries()) assertRequest(messages[index]!, expected);
      const last = messages[oneCase.requests.length - 1]!;
      assert.ok(messages.length === oneCase.requests.length || !last.isPersistent);
      const sent = namesSent(oneCase.bytes);
      for (const name of oneCase.requests[0]?.absent ?? []) assert.equal(sent.includes(name), false, name);
    } else {
      // Where the RFC leaves a choice, the codec refuses.
      assert.notEqual(error, '');
      assert.equal(messages.length, 0);
    }
  }
}

function checkResponse(oneCase: ResponseCase): void {
  const method = oneCase.method === 'HEAD' ? Method.HEAD : Method.GET;
  for (const { error, messages, stoppedIn } of readBothWays(oneCase.bytes, 'response', method)) {
    const final = messages.find(({ start }) => Number(start[1]) >= 200);
    if (oneCase.verdict === 'deliver') {
      assert.deepEqual([final?.start[1], final?.body], [String(oneCase.status), oneCase.body]);
      assert.equal(messages.at(-1), final, 'nothing behind it is read as a response');
      // The extra bytes must show: as an error, or as the beginning of an impossible response.
      const hasSurplus = error !== '' || stoppedIn !== 'idle';
      assert.equal(hasSurplus, (oneCase.surplusBytes ?? 0) > 0);
    } else {
      assert.equal(final, undefined);
      if (oneCase.verdict === 'refuse') assert.notEqual(error, '');
      else assert.deepEqual([error, stoppedIn], ['', 'body']);
    }
  }
}

const REQUEST_GROUPS: Readonly<Record<string, readonly RequestCase[]>> = {
  lines: LINE_CASES,
  'request lines': REQUEST_LINE_CASES,
  Host: HOST_CASES,
  fields: FIELD_CASES,
  Connection: CONNECTION_CASES,
  framing: FRAMING_CASES,
  chunks: CHUNK_CASES,
};
for (const [group, cases] of Object.entries(REQUEST_GROUPS)) {
  describe(`requests: ${group}`, () => {
    for (const one of cases) test(`RFC ${one.rule}, ${one.verdict}: ${one.name}`, () => checkRequest(one));
  });
}

const RESPONSE_GROUPS: Readonly<Record<string, readonly ResponseCase[]>> = {
  'status lines': STATUS_LINE_CASES,
  fields: RESPONSE_FIELD_CASES,
  framing: RESPONSE_FRAMING_CASES,
};
for (const [group, cases] of Object.entries(RESPONSE_GROUPS)) {
  describe(`responses: ${group}`, () => {
    for (const one of cases) test(`RFC ${one.rule}, ${one.verdict}: ${one.name}`, () => checkResponse(one));
  });
}
