// `log.level: debug` once changed nothing in workers: their debug lines were discarded. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
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
