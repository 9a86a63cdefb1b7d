// Acts of the clients in a soak: each is one use of a connection with its expected result. Thread: main.

import { type Random, randomBelow } from '../../core/random.ts';
import { BIG_BYTES, CHUNK_BYTES, CHUNKS, POST_BYTES, SMALL_BYTES } from './shapes.ts';
import type { WireConnection, WireResponse } from './wire-connection.ts';

/** @returns whether the connection may be reused. @throws Error when the act fails */
export type Act = (connection: WireConnection, random: Random) => Promise<boolean>;

const POST_BODY = Buffer.alloc(POST_BYTES, 'p');
const CHUNK = `${CHUNK_BYTES.toString(16)}\r\n${'q'.repeat(CHUNK_BYTES)}\r\n`;
const PIPELINED = 5;
const WAYS_TO_LEAVE = ['fin', 'reset', 'destroy'] as const;

function request(method: string, path: string, fields = ''): string {
  return `${method} ${path} HTTP/1.1\r\nHost: soak.test\r\n${fields}\r\n`;
}

async function expect(connection: WireConnection, bodyBytes: number, body?: string): Promise<WireResponse> {
  const response = await connection.readResponse();
  if (response.status !== 200) throw new Error(`status ${response.status}: ${response.body}`);
  if (body !== undefined && response.body !== body) throw new Error(`body "${response.body}" in place of "${body}"`);
  if (body === undefined && response.bodyBytes !== bodyBytes) {
    throw new Error(`${response.bodyBytes} bytes in place of ${bodyBytes}`);
  }
  return response;
}

function get(path: string, bodyBytes: number, fields = ''): Act {
  return async (connection) => {
    connection.send(request('GET', path, fields));
    return !(await expect(connection, bodyBytes)).isLast;
  };
}

const post: Act = async (connection) => {
  connection.send(request('POST', '/post', `Content-Length: ${POST_BYTES}\r\n`));
  connection.send(POST_BODY);
  return !(await expect(connection, 0, String(POST_BYTES))).isLast;
};

const postChunks: Act = async (connection) => {
  connection.send(request('POST', '/post', 'Transfer-Encoding: chunked\r\n'));
  for (let count = 0; count < CHUNKS; count += 1) connection.send(CHUNK);
  connection.send('0\r\n\r\n');
  return !(await expect(connection, 0, String(CHUNKS * CHUNK_BYTES))).isLast;
};

/** A request that our engine hands off to the general path. */
const expectContinue: Act = async (connection) => {
  connection.send(request('POST', '/post', 'Content-Length: 5\r\nExpect: 100-continue\r\n'));
  await connection.readAnything();
  connection.send('hello');
  return !(await expect(connection, 0, '5')).isLast;
};

/** Requests after the last response of a connection need no answer. */
const pipeline: Act = async (connection) => {
  connection.send(request('GET', '/small').repeat(PIPELINED));
  for (let count = 0; count < PIPELINED; count += 1) {
    if ((await expect(connection, SMALL_BYTES)).isLast) return false;
  }
  return true;
};

const malformed: Act = async (connection) => {
  connection.send('GET / HTTP/1.1\r\nHost: soak.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n');
  const { status } = await connection.readResponse();
  if (status !== 400) throw new Error(`status ${status} in place of 400`);
  return false;
};

function leave(connection: WireConnection, random: Random): false {
  connection.leave(WAYS_TO_LEAVE[randomBelow(random, WAYS_TO_LEAVE.length)]!);
  return false;
}

const leaveInHead: Act = async (connection, random) => {
  const head = request('GET', '/small', 'X-Long: 0123456789\r\n');
  connection.send(head.slice(0, 1 + randomBelow(random, head.length - 2)));
  return leave(connection, random);
};

const leaveInBody: Act = async (connection, random) => {
  connection.send(request('POST', '/post', `Content-Length: ${POST_BYTES}\r\n`));
  connection.send(POST_BODY.subarray(0, randomBelow(random, POST_BYTES)));
  return leave(connection, random);
};

const leaveInChunks: Act = async (connection, random) => {
  connection.send(request('POST', '/post', 'Transfer-Encoding: chunked\r\n'));
  connection.send(CHUNK.slice(0, 1 + randomBelow(random, CHUNK.length - 1)));
  return leave(connection, random);
};

function leaveInResponse(path: string): Act {
  return async (connection, random) => {
    connection.send(request('GET', path));
    await connection.readAnything();
    return leave(connection, random);
  };
}

const leaveBeforeResponse: Act = async (connection, random) => {
  connection.send(request('GET', '/slow').repeat(1 + randomBelow(random, 2)));
  return leave(connection, random);
};

/** Acts with their weights. */
const ACTS: readonly (readonly [share: number, act: Act])[] = [
  [30, get('/small', SMALL_BYTES)],
  [10, get('/big', BIG_BYTES)],
  [8, get('/chunked', CHUNKS * CHUNK_BYTES)],
  [4, get('/small', SMALL_BYTES, 'Connection: close\r\n')],
  [2, get('/hints', SMALL_BYTES)],
  [10, post],
  [8, postChunks],
  [8, pipeline],
  [2, expectContinue],
  [1, malformed],
  [3, leaveInHead],
  [3, leaveInBody],
  [2, leaveInChunks],
  [3, leaveInResponse('/big')],
  [3, leaveInResponse('/slow')],
  [3, leaveBeforeResponse],
];
const SHARES = ACTS.reduce((sum, [share]) => sum + share, 0);

/** Draws an act by weight. */
export function drawAct(random: Random): Act {
  let left = randomBelow(random, SHARES);
  for (const [share, act] of ACTS) {
    left -= share;
    if (left < 0) return act;
  }
  throw new Error('the shares of all acts are their sum');
}
