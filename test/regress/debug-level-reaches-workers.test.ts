// `log.level: debug` once changed nothing in workers: their debug lines were discarded. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApps } from '../support/app-server.ts';
import { eventually, startFairlead } from '../support/fairlead.ts';
import type { LogLine } from '../support/loggers.ts';
import { RawClient } from '../support/raw-client.ts';

const config = (level: string): string => `
workers: 2
fastPath: false
log: { level: ${level} }
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ respond: { status: 204 } }]
upstreams: {}
`;

async function sendMalformedRequest(port: number): Promise<void> {
  const client = await RawClient.connect({ port });
  client.send('GET / HTTP/9.9\r\n\r\n');
  await client.whenEnded();
}

const isWorkersDebugLine = ({ level, fields }: LogLine): boolean => level === 'debug' && 'worker' in fields;

test('debug lines of a worker appear at level debug, and stop when a reload raises the level', async (t) => {
  const fairlead = await startFairlead(t, config('debug'));
  await sendMalformedRequest(fairlead.port);
  await eventually(() => fairlead.log.some(isWorkersDebugLine), 'a debug line of a worker');
  fairlead.rewrite(config('info'));
  await fairlead.plane.reload();
  const before = fairlead.log.filter(isWorkersDebugLine).length;
  await sendMalformedRequest(fairlead.port);
  // Workers acknowledge a reload after they have posted what they logged before it.
  await fairlead.plane.reload();
  assert.equal(fairlead.log.filter(isWorkersDebugLine).length, before);
});

test('at level debug, every decision about a request is one line with its id', async (t) => {
  const [good, bad] = await startApps(t, 2);
  bad!.handler = (_request, response) => response.socket!.destroy();
  const endpoints = [bad!, good!].map(({ address }) => `"http://${address}"`).join(', ');
  const upstream = `{ balance: first, endpoints: [${endpoints}], health: { heartbeat: false } }`;
  const fairlead = await startFairlead(
    t,
    `workers: 1
log: { level: debug }
listeners: [{ name: web, bind: "127.0.0.1:0", trustedProxies: [127.0.0.1] }]
routes: [{ name: all, upstream: app }]
upstreams: { app: ${upstream} }
`,
  );
  const answer = await fetch(fairlead.url, { headers: { 'x-request-id': 'abc' } });
  assert.equal(await answer.text(), 'a');
  const lines = (): string[] =>
    fairlead.log.filter(({ fields }) => fields['requestId'] === 'abc').map(({ text }) => text);
  await eventually(() => lines().at(-1)?.startsWith('exchange ended') === true, 'the exchange ends');
  assert.deepEqual(
    lines().map((text) => text.replace(/\d+ ms/, 'N ms')),
    [
      'route all matches',
      `attempt at endpoint app/${bad!.address}`,
      'attempt failed: reset; retried in N ms',
      `retry at endpoint app/${good!.address}`,
      'exchange ended: ok',
    ],
  );
});
