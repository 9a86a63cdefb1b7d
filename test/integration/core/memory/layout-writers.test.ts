// The words of the shared layout that only a whole process writes: each changes in a running one. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WORKER, type Word } from '../../../../core/memory/layout.ts';
import { eventually, startFairlead } from '../../../support/fairlead.ts';
import { PROCESS_WORDS } from '../../../support/process-words.ts';

const HANDSHAKE = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

test('a process with an upgraded connection and a full log', async (t) => {
  const app = http
    .createServer((_request, response) => response.end('ok'))
    .on('upgrade', (_request, socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    });
  app.listen(0, '127.0.0.1');
  await once(app, 'listening');
  const config = `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
accessLog: { format: json, output: /dev/full }
upstreams: { app: { endpoints: ["http://127.0.0.1:${(app.address() as AddressInfo).port}"], discover: { file: { path: list.json } } } }
`;
  const fairlead = await startFairlead(t, config);
  const client = net.connect(fairlead.port, '127.0.0.1');
  t.after(() => {
    client.destroy();
    app.closeAllConnections();
    app.close();
  });
  client.on('error', () => undefined);
  client.write(HANDSHAKE);
  // Its log line can't be written: the device is always full.
  await (await fetch(`http://127.0.0.1:${fairlead.port}/`)).text();
  fairlead.write('list.json', '["http://127.0.0.1:1"]');
  const { region } = fairlead.plane;
  const names = PROCESS_WORDS.filter((name) => name.startsWith('WORKER.'));
  assert.ok(names.length > 0);
  for (const name of names) {
    const word = (WORKER as Readonly<Record<string, Word>>)[name.slice('WORKER.'.length)]!;
    await eventually(() => region.words[region.workerWord(0) + word.index]! > 0, `${name} changes`);
  }
});
