// Comparison of the two paths: the same seeded requests and responses, valid and malformed, through both. What endpoints and
// clients receive may differ only as docs/wire-differences.md lists; each of its entries has a test of its name here.
// Thread: main.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { METHODS } from 'node:http';
import { describe, test, type TestContext } from 'node:test';
import { type Random, seededRandom } from '../../../core/random.ts';
import { OnePath, type Seen, type SeenRequest, type SeenResponse } from '../../support/both-paths.ts';
import { makeRequest, makeResponse, mutate } from '../../support/http1-generators.ts';
import { LENIENT } from '../../support/http1-parser-differences.ts';
import { readStream } from '../../support/http1-reader.ts';
import { answer, bodyRead, fin, send, type Step } from '../../support/scripted-origin.ts';

const CASES = 500;
const CANARY = 'GET /canary HTTP/1.1\r\nHost: canary.test\r\nConnection: close\r\n\r\n';

/** Fields whose place among the others is the path's: see `order of fields`. */
const PLACED = /^(?:host|connection|keep-alive|content-length|transfer-encoding|trailer): /;
/** Errors of the codec about forms that llhttp overlooks and that read the same: see `forms that llhttp overlooks`. */
const OVERLOOKED = new Set(['bad-request-line', 'bad-target', 'bad-method', 'bare-cr', 'bad-chunk-extension']);

async function bothPaths(t: TestContext): Promise<readonly [fast: OnePath, general: OnePath]> {
  return Promise.all([OnePath.start(t, true), OnePath.start(t, false)]);
}

async function playBoth(paths: readonly [OnePath, OnePath], bytes: string): Promise<readonly [Seen, Seen]> {
  return Promise.all([paths[0].play(bytes), paths[1].play(bytes)]);
}

// ---- what is compared

function unplaced(fields: readonly string[]): string[] {
  return fields.filter((line) => !PLACED.test(line));
}

function placed(fields: readonly string[]): string[] {
  return fields.filter((line) => PLACED.test(line)).toSorted();
}

function response({ status, fields, body, trailers }: SeenResponse): unknown {
  return [status, unplaced(fields), placed(fields), body.replace(/^Request: \S+$/m, ''), trailers];
}

function request({ line, fields, body, trailers }: SeenRequest): unknown {
  return [line, unplaced(fields), placed(fields), body, trailers];
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Whether all of `one` is the beginning of `other`. */
function isPrefix(one: readonly unknown[], other: readonly unknown[]): boolean {
  return isSame(one, other.slice(0, one.length));
}

function isRefused(seen: Seen): boolean {
  const last = seen.responses.at(-1)?.status;
  return seen.end === 'fin' && (last === 400 || last === 501);
}

// ---- requests

/** Name of the documented difference, 'same', or null for an undocumented one. */
function judgeRequests(text: string, fast: Seen, general: Seen): string | null {
  const [fastGot, generalGot] = [fast.requests.map(request), general.requests.map(request)];
  const [fastSaid, generalSaid] = [fast.responses.map(response), general.responses.map(response)];
  if (isSame(fastGot, generalGot)) {
    if (isSame(fastSaid, generalSaid) && fast.end === general.end) return 'same';
    const areSameButLast = isSame(fastSaid.slice(0, -1), generalSaid.slice(0, -1));
    return isRefused(fast) && isRefused(general) && areSameButLast ? 'which fault is named' : null;
  }
  const next = fast.requests[general.requests.length]?.line.split(' ')[0] ?? 'GET';
  if (isRefused(general) && isPrefix(generalGot, fastGot) && !METHODS.includes(next)) {
    return 'methods that node:http does not know';
  }
  if (isRefused(general) && isPrefix(generalGot, fastGot)) {
    return LENIENT.some(([, , applies]) => applies(text)) ? 'forms that llhttp refuses' : null;
  }
  if (isRefused(fast) && isPrefix(fastGot, generalGot)) {
    return OVERLOOKED.has(readStream(text, 'request').error) ? 'forms that llhttp overlooks' : null;
  }
  return null;
}

/** A stream whose end the codec waits for ends by a time-out: nothing to compare but clocks. */
function isIncomplete(text: string): boolean {
  const { error, stoppedIn } = readStream(text, 'request');
  return error === '' && stoppedIn !== 'idle';
}

function requestCase(random: Random, isBroken: boolean): string {
  // The response to HEAD can't be parsed without knowing the method.
  const made = makeRequest(random).replace(/^(\r\n)?HEAD/, '$1GET');
  return (isBroken ? mutate(random, made) : made) + CANARY;
}

type Judge = (text: string, fast: Seen, general: Seen) => string | null;

/** Judges a case, fails where its difference is not documented, and counts it. */
function count(counts: Map<string, number>, judge: Judge, text: string, [fast, general]: readonly [Seen, Seen]): void {
  const verdict = judge(text, fast, general);
  const both = `\nfast ${JSON.stringify(fast)}\ngeneral ${JSON.stringify(general)}`;
  assert.notEqual(verdict, null, `docs/wire-differences.md has no such difference: ${JSON.stringify(text)}${both}`);
  counts.set(verdict!, (counts.get(verdict!) ?? 0) + 1);
}

// ---- responses

function judgeResponses(text: string, fast: Seen, general: Seen): string | null {
  const [fastSaid, generalSaid] = [fast.responses.map(response), general.responses.map(response)];
  if (isSame(fastSaid, generalSaid) && fast.end === general.end) return 'same';
  // The codec stands before both paths: what it finds fault with is refused, or cut, by both.
  const isFaulty = readStream(text, 'response').error !== '';
  const isTold = general.responses.at(-1)?.status === 502;
  return isFaulty && isTold && fast.end === 'reset' ? 'a body that is broken in one read with its head' : null;
}

describe('the paths, compared on seeded random messages', () => {
  test('requests: the endpoint receives, and the client gets, the same but for what is documented', async (t) => {
    const paths = await bothPaths(t);
    const random = seededRandom(2119);
    const counts = new Map<string, number>();
    for (let at = 0; at < CASES; at += 1) {
      const text = requestCase(random, at % 2 === 1);
      if (!isIncomplete(text)) count(counts, judgeRequests, text, await playBoth(paths, text));
    }
    t.diagnostic(JSON.stringify([...counts]));
    assert.ok(counts.get('same')! > 0.75 * CASES, JSON.stringify([...counts]));
  });

  test('responses: the client gets the same but for what is documented', async (t) => {
    const paths = await bothPaths(t);
    const random = seededRandom(8174);
    const counts = new Map<string, number>();
    for (let at = 0; at < CASES; at += 1) {
      const made = makeResponse(random);
      const text = at % 2 === 1 ? mutate(random, made) : made;
      for (const path of paths) path.answerWith(send(text), fin());
      const asked = `GET /r HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\n\r\n`;
      count(counts, judgeResponses, text, await playBoth(paths, asked));
    }
    t.diagnostic(JSON.stringify([...counts]));
    assert.ok(counts.get('same')! > 0.85 * CASES, JSON.stringify([...counts]));
  });
});

// ---- each documented difference

interface Difference {
  readonly name: string;
  readonly bytes: string;
  /** The endpoint's response. */
  readonly script?: readonly Step[];
  readonly shows: (fast: Seen, general: Seen) => void;
}

const CLOSE = 'Host: a\r\nConnection: close\r\n';
const PUT = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi';
const CHUNKED = `POST / HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n`;
const BROKEN = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n';
const statusesOf = (seen: Seen): number[] => seen.responses.map(({ status }) => status);
const namesOf = (seen: Seen): string[] => seen.requests[0]!.fields.map((line) => line.split(':')[0]!);

const DIFFERENCES: readonly Difference[] = [
  {
    name: 'order of fields',
    bytes: `POST / HTTP/1.1\r\nX-A: 1\r\n${CLOSE}Content-Length: 1\r\n\r\nx`,
    shows: (fast, general) => {
      assert.deepEqual(namesOf(fast).slice(0, 3), ['x-a', 'host', 'content-length']);
      assert.deepEqual(namesOf(general).slice(0, 2), ['host', 'x-a']);
      assert.equal(namesOf(general).at(-1), 'content-length');
      assert.deepEqual(fast.responses[0]!.fields, ['content-length: 2', 'connection: close']);
      assert.deepEqual(general.responses[0]!.fields, ['connection: close', 'content-length: 2']);
    },
  },
  {
    name: 'forms that llhttp refuses',
    bytes: `${CHUNKED}1 ; a = b\r\nx\r\n0\r\n\r\n`,
    shows: (fast, general) => assert.deepEqual([statusesOf(fast), statusesOf(general)], [[200], [400]]),
  },
  {
    name: 'forms that llhttp overlooks',
    bytes: `GET  / HTTP/1.1\r\n${CLOSE}\r\n`,
    shows: (fast, general) => {
      assert.deepEqual([statusesOf(fast), statusesOf(general)], [[400], [200]]);
      assert.equal(general.requests[0]!.line, 'GET / HTTP/1.1');
    },
  },
  {
    name: 'methods that node:http does not know',
    bytes: `${PUT}VERSION-CONTROL / HTTP/1.1\r\n${CLOSE}\r\n`,
    shows: (fast, general) => {
      assert.deepEqual(
        [statusesOf(fast), statusesOf(general)],
        [
          [200, 200],
          [200, 501],
        ],
      );
      assert.equal(fast.requests[1]!.line, 'VERSION-CONTROL / HTTP/1.1');
    },
  },
  {
    name: 'which fault is named',
    bytes: `${PUT}PAAT / HTTP/1.1\r\n${CLOSE} folded\r\n\r\n`,
    shows: (fast, general) =>
      assert.deepEqual(
        [statusesOf(fast), statusesOf(general)],
        [
          [200, 400],
          [200, 501],
        ],
      ),
  },
  {
    name: 'a body that is broken in one read with its head',
    bytes: `GET / HTTP/1.1\r\n${CLOSE}\r\n`,
    script: [send(BROKEN), fin()],
    shows: (fast, general) => {
      assert.deepEqual([statusesOf(fast), fast.end], [[], 'reset']);
      assert.deepEqual([statusesOf(general), general.end], [[502], 'fin']);
    },
  },
];

test('each documented difference is as its entry says', async (t) => {
  const paths = await bothPaths(t);
  for (const { name, bytes, script = [bodyRead(), send(answer())], shows } of DIFFERENCES) {
    await t.test(name, async () => {
      for (const path of paths) path.answerWith(...script);
      shows(...(await playBoth(paths, bytes)));
    });
  }
});

test('docs/wire-differences.md lists these differences and no others', () => {
  const page = readFileSync(new URL('../../../docs/wire-differences.md', import.meta.url), 'utf8');
  // The table of HTTP/2 has a suite of its own.
  const [http1 = ''] = page.split('\n## HTTP/2\n');
  const listed = [...http1.matchAll(/^\| ([^|]+?) \| [^-]/gm)].map(([, name]) => name!).slice(1);
  assert.deepEqual(
    listed,
    DIFFERENCES.map(({ name }) => name),
  );
});
