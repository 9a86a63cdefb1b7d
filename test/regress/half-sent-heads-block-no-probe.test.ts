// 256 connections with half a request head took every place of the admin server, so that /readyz was not answered.
// Thread: main.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { patientMs } from '../support/patience.ts';
import { startPath } from '../support/three-paths.ts';

const ATTACKERS = 400;

test('probes are answered beside many half-sent heads, and new ones keep coming', async (t) => {
  const { fairlead } = await startPath(t, 'engine', 'admin: { bind: "127.0.0.1:0" }');
  const port = Number(new URL(fairlead.adminUrl).port);
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const open = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('GET /readyz HTTP/1.1\r\nHo', () => resolve()));
      socket.on('error', () => resolve());
      sockets.push(socket);
    });
  for (let count = 0; count < ATTACKERS; count += 1) await open();
  for (let probe = 0; probe < 10; probe += 1) {
    await Promise.all([open(), open()]);
    const response = await fetch(`${fairlead.adminUrl}/readyz`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(patientMs(5000)),
    });
    assert.equal(response.status, 200);
    await response.text();
  }
  // The oldest ones were closed.
  assert.ok(
    sockets.slice(0, ATTACKERS - 256).every((socket) => socket.closed || socket.destroyed || socket.readableEnded),
  );
});

test('a connection with a request in progress is not closed for others', async (t) => {
  const { fairlead } = await startPath(t, 'engine', 'admin: { bind: "127.0.0.1:0" }');
  const port = Number(new URL(fairlead.adminUrl).port);
  const stream = await fetch(`${fairlead.adminUrl}/api/v1/events`, { headers: { accept: 'text/event-stream' } });
  assert.match(stream.headers.get('content-type') ?? '', /text\/event-stream/);
  const reader = stream.body!.getReader();
  let end = 'open';
  const read = async (): Promise<void> => {
    while (!(await reader.read()).done);
  };
  void read().then(
    () => (end = 'done'),
    () => (end = 'error'),
  );
  const sockets = Array.from({ length: 200 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(end, 'open');
  await reader.cancel();
});
