// Node 26.10 loses a socket for which a reset is requested while FIN is being sent: libuv refuses (EINVAL), Node marks
// the handle as closed but never closes it, and the cleanup of its thread spins for ever: at the end of a process, of
// worker.terminate(), and even of process.exit() where the thread is a worker. Resets go through resetSocket.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { isSendingFin, resetSocket } from '../../net/reset-socket.ts';
import { patientMs } from '../support/patience.ts';
import { within } from '../support/raw-client.ts';

/** A process has this long to exit after its last turn, on a quiet machine. */
const EXIT_LIMIT_MS = 2_000;

async function socketPair(t: TestContext): Promise<{ ours: Socket; theirs: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const theirs = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [[ours]] = (await Promise.all([once(server, 'connection'), once(theirs, 'connect')])) as [[Socket], unknown];
  for (const socket of [ours, theirs]) socket.on('error', () => undefined);
  t.after(() => theirs.destroy());
  return { ours, theirs };
}

describe('a socket that is reset', () => {
  const moments: Record<string, (pair: { ours: Socket; theirs: Socket }) => Promise<void> | void> = {
    'while nothing is sent': () => undefined,
    'in the turn in which it sends FIN': ({ ours }) => void ours.end(),
    'in the turn in which it reads FIN and answers it': async ({ ours, theirs }) => {
      theirs.end();
      ours.resume();
      await once(ours, 'end');
      ours.end();
    },
    'in the turn in which it sends its last bytes and FIN': ({ ours }) => void ours.end('last'),
    'after its FIN was sent': async ({ ours }) => {
      ours.end();
      await once(ours, 'finish');
    },
    'with bytes queued and FIN behind them': ({ ours }) => void ours.end(Buffer.alloc(16 << 20)),
  };
  for (const [moment, arrange] of Object.entries(moments)) {
    test(`${moment} closes`, async (t) => {
      const pair = await socketPair(t);
      await arrange(pair);
      const closed = once(pair.ours, 'close');
      resetSocket(pair.ours);
      await within(closed, 'the socket to close');
    });
  }

  test('before it is connected, with FIN behind, closes', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.end();
    resetSocket(socket);
    await within(once(socket, 'close'), 'the socket to close');
  });

  test('with bytes queued and FIN behind them is not taken for one that ended', async (t) => {
    const { ours, theirs } = await socketPair(t);
    ours.end(Buffer.alloc(16 << 20));
    assert.equal(isSendingFin(ours), false);
    resetSocket(ours);
    await assert.rejects(within(once(theirs.resume(), 'end'), 'an end'), { code: 'ECONNRESET' });
  });
});

/** Runs a program; resolves with how it ended and how long after it printed "done". */
async function runToExit(t: TestContext, program: string, ...args: string[]) {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, program), ...args]);
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  let doneMs: number | null = null;
  const take = (text: string): void => {
    output += text;
    if (doneMs === null && output.includes('done\n')) doneMs = performance.now();
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const limitMs = patientMs(30_000);
  const [code, signal] = (await within(once(child, 'close'), () => `its exit (${output})`, limitMs)) as unknown[];
  return { code, signal, output, tookMs: performance.now() - (doneMs ?? 0) };
}

describe('a program around Fairlead', () => {
  for (const how of ['killWorker', 'close']) {
    test(`that ends its workers by force (${how}) with open connections exits by itself`, async (t) => {
      const { code, output, tookMs } = await runToExit(t, 'embedder-program.ts', how);
      assert.equal(output, 'done\n');
      assert.equal(code, 0);
      assert.ok(tookMs < patientMs(EXIT_LIMIT_MS), `took ${tookMs.toFixed(0)} ms`);
    });
  }

  test('whose worker cannot end closes with an error in bounded time, and exits', async (t) => {
    const { signal, output, tookMs } = await runToExit(t, 'stuck-worker-program.ts');
    assert.match(output, /the thread has not ended 500 ms after it was terminated/);
    assert.equal(signal, 'SIGKILL');
    assert.ok(tookMs < patientMs(EXIT_LIMIT_MS), `took ${tookMs.toFixed(0)} ms`);
  });
});
