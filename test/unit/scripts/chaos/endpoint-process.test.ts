// Endpoint process: each kind of misbehaviour, and the ledger after it. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, type IncomingMessage, request as send } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PADDING } from '../../../../scripts/chaos/endpoint-contract.ts';
import { EndpointProcess } from '../../../../scripts/chaos/endpoint-process.ts';
import { injectFaults } from '../../../../scripts/chaos/fault-injector.ts';
import { parseLedger } from '../../../../scripts/chaos/ledger.ts';
import type { EndpointSpec } from '../../../../scripts/chaos/plan.ts';
import { eventually } from '../../../support/fairlead.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly connection: string | undefined;
}

interface Running {
  readonly endpoint: EndpointProcess;
  readonly ledger: () => readonly string[];
}

async function start(t: TestContext, change: Partial<EndpointSpec> = {}, lives = 1): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-endpoint-'));
  const file = join(folder, 'ledger');
  const endpoint = await EndpointProcess.start({ name: '1', slots: 0, slowness: 1, ...change }, file, lives);
  t.after(async () => {
    await endpoint.close();
    rmSync(folder, { recursive: true });
  });
  const ledger = (): readonly string[] =>
    parseLedger(readFileSync(file, 'latin1'), 0).map(({ method, id, mode }) => `${method} ${id} ${mode}`);
  return { endpoint, ledger };
}

function sendTo(port: number, path: string, body?: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = send({ port, host: '127.0.0.1', path, method: body === undefined ? 'GET' : 'POST', agent });
    request.on('error', reject);
    request.on('response', (response: IncomingMessage) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode!, body: text, connection: response.headers.connection }),
      );
    });
    request.end(body);
  });
}

/** Whether connections fail. */
function isClosed(port: number): Promise<boolean> {
  return sendTo(port, '/health').then(
    () => false,
    () => true,
  );
}

test('a healthy endpoint returns the id and records it', async (t) => {
  const { endpoint, ledger } = await start(t);
  assert.equal((await sendTo(endpoint.port, '/r/g1?work=1')).body, `g1${PADDING}`);
  assert.equal((await sendTo(endpoint.port, '/r/p2?work=1', 'p2......')).body, `p2${PADDING}`);
  assert.equal((await sendTo(endpoint.port, '/health')).status, 200);
  assert.deepEqual(ledger(), ['GET g1 well', 'POST p2 well']);
});

test('a body of another request than the target is detected', async (t) => {
  const { endpoint, ledger } = await start(t);
  assert.equal((await sendTo(endpoint.port, '/r/p2?work=1', 'p3')).status, 400);
  assert.deepEqual(ledger(), ['POST p2 garbled']);
});

test('an unavailable endpoint answers 503, to checks too; a broken one passes checks', async (t) => {
  const { endpoint, ledger } = await start(t);
  endpoint.send({ kind: 'mode', mode: 'unavailable' });
  await eventually(async () => (await sendTo(endpoint.port, '/health')).status === 503, 'it is unavailable');
  assert.equal((await sendTo(endpoint.port, '/r/g1?work=1')).status, 503);
  endpoint.send({ kind: 'mode', mode: 'broken' });
  await eventually(async () => (await sendTo(endpoint.port, '/health')).status === 200, 'its health check passes');
  assert.equal((await sendTo(endpoint.port, '/r/g2?work=1')).status, 503);
  assert.deepEqual(ledger(), ['GET g1 unavailable', 'GET g2 broken']);
});

test('a resetting endpoint reads the request, records it and resets', async (t) => {
  const { endpoint, ledger } = await start(t);
  endpoint.send({ kind: 'mode', mode: 'reset' });
  await eventually(() => isClosed(endpoint.port), 'it resets');
  await assert.rejects(sendTo(endpoint.port, '/r/p1?work=1', 'p1'), { code: 'ECONNRESET' });
  assert.deepEqual(ledger(), ['POST p1 reset']);
});

test('a killed and revived endpoint serves the same port in another process, with the same ledger', async (t) => {
  const { endpoint, ledger } = await start(t, {}, 2);
  const { port } = endpoint;
  await sendTo(port, '/r/g1?work=1');
  const fault = injectFaults([{ kind: 'kill', endpoint: 0, startMs: 0, endMs: 500 }], [endpoint], performance.now());
  await eventually(() => isClosed(port), 'it is gone');
  await fault;
  assert.equal(endpoint.port, port);
  await sendTo(port, '/r/g2?work=1');
  assert.deepEqual(ledger(), ['GET g1 well', 'GET g2 well']);
});

test('a stopped endpoint accepts without answering, and answers when it continues', async (t) => {
  const { endpoint, ledger } = await start(t);
  endpoint.signal('SIGSTOP');
  const answer = sendTo(endpoint.port, '/r/g1?work=1');
  const other = await start(t);
  assert.equal((await sendTo(other.endpoint.port, '/r/g2?work=1')).status, 200);
  assert.deepEqual(ledger(), []);
  endpoint.signal('SIGCONT');
  assert.equal((await answer).status, 200);
});

test('an endpoint that has not exited cannot be revived', async (t) => {
  const { endpoint } = await start(t, {}, 2);
  await assert.rejects(endpoint.revive(), /1 has not ended in time/);
});

test('an endpoint that shuts down still answers requests on open connections, and then closes them', async (t) => {
  const { endpoint } = await start(t);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  assert.equal((await sendTo(endpoint.port, '/r/g1?work=1', undefined, agent)).connection, 'keep-alive');
  endpoint.signal('SIGTERM');
  let answer: Answer;
  do answer = await sendTo(endpoint.port, '/r/p2?work=1', 'p2', agent);
  while (answer.connection === 'keep-alive');
  assert.deepEqual(answer, { status: 200, body: `p2${PADDING}`, connection: 'close' });
  assert.ok(await isClosed(endpoint.port));
});

test('an endpoint that shuts down finishes accepted requests, announces the close, and accepts no more', async (t) => {
  const { endpoint, ledger } = await start(t);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const answer = sendTo(endpoint.port, '/r/g1?work=200', undefined, agent);
  await eventually(() => ledger().length === 1, 'the request has come in');
  endpoint.signal('SIGTERM');
  await eventually(() => isClosed(endpoint.port), 'it accepts no more');
  assert.deepEqual(await answer, { status: 200, body: `g1${PADDING}`, connection: 'close' });
});

test('with one slot requests are processed one after the other', async (t) => {
  const { endpoint } = await start(t, { slots: 1 });
  const order: string[] = [];
  const first = sendTo(endpoint.port, '/r/g1?work=60').then(() => order.push('g1'));
  const second = sendTo(endpoint.port, '/r/g2?work=1').then(() => order.push('g2'));
  await Promise.all([first, second]);
  assert.deepEqual(order, ['g1', 'g2']);
});
