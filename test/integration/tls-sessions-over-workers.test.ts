// Sessions of TLS over all workers of a process: clients that reconnect resume them, wherever the kernel sends them.
// Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { testCertificate } from '../support/certificates.ts';
import { eventually, type RunningFairlead, startFairlead } from '../support/fairlead.ts';
import { opensslClient } from '../support/openssl-client.ts';

const RECONNECTS = 60;
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

function reconnect(port: number, session: Buffer | undefined): Promise<{ isResumed: boolean; session?: Buffer }> {
  return new Promise((resolve, reject) => {
    const outcome: { isResumed: boolean; session?: Buffer } = { isResumed: false };
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'shop.test',
      rejectUnauthorized: false,
      ...(session === undefined ? {} : { session }),
    });
    socket.on('session', (ticket) => (outcome.session = ticket));
    socket.once('secureConnect', () => {
      outcome.isResumed = socket.isSessionReused();
      socket.write(REQUEST);
    });
    socket.resume();
    socket.once('error', reject);
    socket.once('close', () => resolve(outcome));
  });
}

async function startWorkers(t: TestContext, workers: number): Promise<RunningFairlead> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-sessions-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { cert, key } = testCertificate(['shop.test']);
  writeFileSync(path.join(folder, 'cert.pem'), cert);
  writeFileSync(path.join(folder, 'key.pem'), key, { mode: 0o600 });
  return await startFairlead(
    t,
    `
workers: ${workers}
listeners:
  - { name: web, bind: "127.0.0.1:0", tls: { certificates: [{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }] } }
routes: [{ respond: { status: 200 } }]
`,
  );
}

test('clients that reconnect resume their session over two workers (openssl s_client -reconnect)', async (t) => {
  const { port } = await startWorkers(t, 2);
  const { text } = await opensslClient(port, ['-servername', 'shop.test', '-tls1_2', '-reconnect'], REQUEST);
  assert.equal(text.match(/^Reused, TLSv1\.2/gm)?.length, 5);
  const { session } = await reconnect(port, undefined);
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => reconnect(port, session)));
  assert.ok(outcomes.every(({ isResumed }) => isResumed));
});

test('clients that reconnect resume their session over four workers, and after workers have died', async (t) => {
  const { plane, port, folder } = await startWorkers(t, 4);
  const { session } = await reconnect(port, undefined);
  const resumed = async (): Promise<number> => {
    const outcomes = await Promise.all(Array.from({ length: RECONNECTS }, () => reconnect(port, session)));
    return outcomes.filter(({ isResumed }) => isResumed).length;
  };
  assert.equal(await resumed(), RECONNECTS);
  const file = path.join(folder, 'session.pem');
  await opensslClient(port, ['-servername', 'shop.test', '-sess_out', file], REQUEST);
  for (let times = 0; times < 4; times++) {
    const again = await opensslClient(port, ['-servername', 'shop.test', '-sess_in', file], REQUEST);
    assert.equal(again.isResumed, true);
  }
  for (const worker of [0, 1, 2, 3]) await plane.supervisor.killWorker(worker);
  const listening = (): number => plane.supervisor.status().filter(({ state }) => state === 'listening').length;
  await eventually(() => listening() === 4, 'all workers listen again');
  assert.equal(await resumed(), RECONNECTS);
});
