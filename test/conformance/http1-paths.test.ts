// Conformance cases against a whole Fairlead, on both paths. Thread: main.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { OnePath } from '../support/both-paths.ts';
import { PATHS } from '../support/fairlead.ts';
import { bodyRead, fin, hang, send, type Step } from '../support/scripted-origin.ts';
import { CHUNK_CASES, FRAMING_CASES } from './http1-body-cases.ts';
import type { RequestCase, ResponseCase } from './http1-case.ts';
import { CONNECTION_CASES, FIELD_CASES, HOST_CASES, LINE_CASES, REQUEST_LINE_CASES } from './http1-head-cases.ts';
import { RESPONSE_FIELD_CASES, RESPONSE_FRAMING_CASES, STATUS_LINE_CASES } from './http1-response-cases.ts';

/** Ends the connection where the case doesn't; served only where nothing before it was refused or closed. */
const CANARY = 'GET /canary HTTP/1.1\r\nHost: canary.test\r\nConnection: close\r\n\r\n';

const REQUEST_CASES = [
  LINE_CASES,
  REQUEST_LINE_CASES,
  HOST_CASES,
  FIELD_CASES,
  CONNECTION_CASES,
  FRAMING_CASES,
  CHUNK_CASES,
].flat();
const RESPONSE_CASES = [...STATUS_LINE_CASES, ...RESPONSE_FIELD_CASES, ...RESPONSE_FRAMING_CASES];

/** docs/wire-differences.md: forms that llhttp overlooks, or refuses, where the codec does the opposite. */
const GENERAL_ONLY: Readonly<Record<string, 'overlooked' | 'refused'>> = {
  'two blanks between method and target': 'overlooked',
  'an extension beyond our limit': 'overlooked',
  'blanks around extensions': 'refused',
  'trailers that say framing': 'refused',
};

async function checkDifference(path: OnePath, { name, bytes }: RequestCase): Promise<void> {
  const { responses } = await path.play(bytes + CANARY);
  assert.equal(responses[0]?.status, GENERAL_ONLY[name] === 'refused' ? 400 : 200, JSON.stringify(responses));
}

async function checkRequest(path: OnePath, { bytes, verdict, requests }: RequestCase): Promise<void> {
  const seen = await path.play(bytes + CANARY);
  const received = seen.requests.filter(({ line }) => !line.includes('/canary'));
  const isRefused = seen.responses.some(({ status }) => status >= 400 && status < 600);
  const about = JSON.stringify(seen);
  if (verdict === 'accept') assert.equal(isRefused, false, about);
  if (verdict === 'refuse') assert.equal(isRefused, true, about);
  if (isRefused) {
    const wanted = verdict === 'refuse' ? requests.length : 0;
    assert.equal(seen.requests.length, wanted, `nothing of it is forwarded, nothing behind it is served: ${about}`);
    return;
  }
  assert.deepEqual(
    received.map(({ line, body }) => [line, body]),
    requests.map(({ method, target, body }) => [`${method} ${target} HTTP/1.1`, body]),
  );
  for (const [index, { fields = [], absent = [] }] of requests.entries()) {
    const { fields: lines } = received[index]!;
    for (let at = 0; at < fields.length; at += 2) assert.ok(lines.includes(`${fields[at]}: ${fields[at + 1]}`), about);
    // Connection belongs to one connection: each side has its own.
    const foreign = absent.filter((name) => name !== 'connection' && !name.startsWith('x-forwarded-'));
    for (const name of foreign) assert.ok(!lines.some((line) => line.startsWith(`${name}: `)), `${name} in ${about}`);
  }
}

async function checkResponse(path: OnePath, oneCase: ResponseCase): Promise<void> {
  const { bytes, method = 'GET', verdict } = oneCase;
  // Malformed messages are refused although the connection stays open.
  const endings: Readonly<Record<string, readonly Step[]>> = { deliver: [], cut: [fin()], refuse: [hang()] };
  path.answerWith(bodyRead(), send(bytes), ...endings[verdict]!);
  const before = path.origin.connections.length;
  const { responses, end } = await path.play(`${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, method);
  const last = responses.at(-1);
  const about = JSON.stringify({ responses, end });
  if (verdict === 'deliver') {
    assert.deepEqual([last?.status, last?.body, end], [oneCase.status, oneCase.body, 'fin'], about);
    return;
  }
  assert.ok(last?.status === 502 || end === 'reset', about);
  for (const { gone } of path.origin.connections.slice(before)) await gone;
}

async function runAll<Case extends { readonly name: string; readonly rule: string }>(
  t: TestContext,
  cases: readonly Case[],
  check: (oneCase: Case) => Promise<void>,
): Promise<void> {
  for (const oneCase of cases) await t.test(`${oneCase.rule}: ${oneCase.name}`, () => check(oneCase));
}

for (const fastPath of PATHS) {
  test(`requests through Fairlead, fastPath: ${fastPath}`, async (t) => {
    const path = await OnePath.start(t, fastPath);
    await runAll(t, REQUEST_CASES, (oneCase) =>
      !fastPath && oneCase.name in GENERAL_ONLY ? checkDifference(path, oneCase) : checkRequest(path, oneCase),
    );
  });

  test(`responses through Fairlead, fastPath: ${fastPath}`, async (t) => {
    const path = await OnePath.start(t, fastPath);
    await runAll(t, RESPONSE_CASES, (oneCase) => checkResponse(path, oneCase));
  });
}
